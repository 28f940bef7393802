"""The tests of Arrow batches and of the dlt source, in an environment of their own."""

from __future__ import annotations

import pytest

from environments.doors import DLT
from tests.doors.apart import assert_passed

pytestmark = [pytest.mark.door, pytest.mark.environment(*DLT)]


def test_arrow_and_dlt():
    assert_passed("tests/doors/dlt", DLT)
