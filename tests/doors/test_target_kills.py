"""The target is killed at any moment, and answers are lost: nothing is sent twice."""

from __future__ import annotations

import pytest

from soak.sends import send_and_kill

pytestmark = pytest.mark.door


@pytest.mark.parametrize("seed", [1, 2])
def test_no_row_is_sent_twice_whenever_the_target_is_killed(seed):
    counts = send_and_kill(seed, rows=300, kills=6)

    assert counts.killed >= 3
    assert counts.posts > 260
    assert 0 < counts.unknown < 60
