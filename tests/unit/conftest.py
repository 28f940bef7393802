from __future__ import annotations

import time

import pytest
from hypothesis import Phase, settings

# A mutant is killed by any example that fails; the simplest is for people.
settings.register_profile(
    "mutants",
    phases=[Phase.explicit, Phase.generate],
    derandomize=True,
    database=None,
    deadline=None,
)

# A busy machine takes its time.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")


@pytest.fixture
def far_from_utc(monkeypatch):
    """The machine's clock shows another time than UTC."""
    monkeypatch.setenv("TZ", "Asia/Kathmandu")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()
