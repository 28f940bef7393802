from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.doors.airbyte.harness import Source

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def source(tmp_path: Path) -> Source:
    """The source, through its command line."""
    return Source(tmp_path)
