from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sandbox import Sandbox
from tests.harness import LogKeeper, Runner, utc_now

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture
def run(tmp_path: Path) -> Runner:
    """The tap, through its command line."""
    return Runner(tmp_path, LogKeeper())


@pytest.fixture
def sandbox() -> Iterator[Callable[..., Sandbox]]:
    """Makes simulated Twilios that are stopped after the test."""
    started: list[Sandbox] = []

    def start(**options: object) -> Sandbox:
        twilio = Sandbox(**{"now": utc_now(), "days": 45, "subaccounts": 1, **options})
        twilio.start()
        started.append(twilio)
        return twilio

    yield start
    for twilio in started:
        twilio.stop()


@pytest.fixture(scope="module")
def small() -> Iterator[Sandbox]:
    """A simulated Twilio with a few rows of everything, for tests that only read it."""
    options = {"volumes": {"calls": 300, "messages": 300}, "subaccounts": 1, "days": 45}
    with Sandbox(seed=3, now=utc_now(), **options) as twilio:
        yield twilio
