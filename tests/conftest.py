from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sandbox import Sandbox
from sandbox.paths import CONFERENCES
from tests.harness import STREAMS_BY_NAME, LogKeeper, Output, Runner, config_for, utc_now

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


@pytest.fixture(scope="session")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Sandbox, Output]]:
    """One run with all streams selected, over two accounts with rows of the same shapes."""
    run = Runner(tmp_path_factory.mktemp("all"), LogKeeper())
    volumes = {"calls": 60, "messages": 200, "conferences": 30, "recordings": 30}
    with Sandbox(seed=11, now=utc_now(), days=20, volumes=volumes, subaccounts=1) as twilio:
        for account in twilio.accounts:
            # Participants are listed while the conference runs.
            for row in twilio.truth("api", CONFERENCES, account_sid=account.sid)[:2]:
                twilio.patch(row["sid"], status="in-progress")
        output = run(config_for(twilio, start_date="P30D"), streams=list(STREAMS_BY_NAME))
        yield twilio, output
