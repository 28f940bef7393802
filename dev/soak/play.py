"""Lets a scenario happen, and has each of its runs judged."""

from __future__ import annotations

import copy
import tempfile
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from unittest import mock

from harness import LogKeeper, Runner, config_for, select
from sandbox import Faults, Sandbox
from soak.oracle import Judge, Range, Target, check
from soak.scenario import CLOSED, MISSHAPEN, ONLY_NEXT_PAGES, STREAMS, Round, Scenario
from tap_twilio.config import settings

if TYPE_CHECKING:
    from datetime import datetime

    from harness import Output
    from sandbox.api import Reply, Request
    from sandbox.faults import Effect
    from soak.scenario import Trouble

PATIENCE: Final = {"max_retries": 6, "retry_delay": 0.001, "request_timeout": 1}
"""Settings by which a run gets over what passes, without much waiting."""


@cache
def _catalog() -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        return Runner(Path(folder), LogKeeper()).discover()


def catalog_of(streams: tuple[str, ...]) -> dict[str, Any]:
    """Select streams.

    Args:
        streams: Their names.

    Returns:
        A catalog in which they are selected, and no others.
    """
    return select(copy.deepcopy(_catalog()), streams)


def play(scenario: Scenario) -> None:
    """Play a scenario from its first run to the one that must set everything right.

    Args:
        scenario: What shall happen.

    Raises:
        Violation: A promise is broken.
    """
    options: dict[str, Any] = {
        "seed": scenario.seed,
        "now": scenario.now,
        "frozen": True,
        "days": scenario.days,
        "subaccounts": scenario.subaccounts,
        "volumes": dict(scenario.volumes),
        "readings": scenario.readings,
    }
    with Sandbox(**options) as twilio, tempfile.TemporaryDirectory() as folder:
        Player(scenario, twilio, Runner(Path(folder), LogKeeper())).play()


class Player:
    """Plays one scenario."""

    def __init__(self, scenario: Scenario, twilio: Sandbox, run: Runner) -> None:
        """Begin with nothing loaded.

        Args:
            scenario: What shall happen.
            twilio: The server.
            run: Runs the tap.
        """
        self._scenario = scenario
        self._twilio = twilio
        self._run = run
        self._judge = Judge(twilio, scenario.streams)
        self._target = Target()
        days = scenario.start_days
        self._start = None if days is None else twilio.now - timedelta(days=days)

    def play(self) -> None:
        """Play all rounds, and a last one without trouble.

        Raises:
            Violation: A promise is broken.
        """
        for one in self._scenario.rounds:
            self._twilio.advance(timedelta(seconds=one.after))
            self._play_round(one)
        self._twilio.advance(timedelta(seconds=60))
        self._play_round(Round())

    def _play_round(self, one: Round) -> None:
        twilio, judge = self._twilio, self._judge
        now = twilio.now
        span = Range(
            now, self._start, None if one.end_days is None else now - timedelta(days=one.end_days)
        )
        if span.end is not None and span.start is not None and span.start >= span.end:
            return
        status, answers = CLOSED[one.closed]
        if len(twilio.accounts) > 1:
            twilio.set_status(twilio.accounts[-1].sid, status, readable=answers)
        held = judge.truths()
        before = copy.deepcopy(self._target)
        output = self._run_tap(one, span)
        still = twilio.now == now
        self._target.load(output.messages)
        judge.sound(output, before, span, still=still)
        judge.within(output, span, held if still else _both(held, judge.truths()))
        judge.told(output, self._target, span, held)
        if not one.troubles and one.faults == Faults():
            if still and answers:
                judge.complete(output, self._target, span, held)
            check(output.exit_code == 0, f"the run ended with {output.exit_code}")
        elif _passes(one):
            check(output.exit_code == 0, f"trouble that passes ended a run: {output.log[-2000:]}")

    def _run_tap(self, one: Round, span: Range) -> Output:
        twilio = self._twilio
        config: dict[str, Any] = {**PATIENCE, "max_concurrent_requests": one.concurrency}
        if span.start is not None:
            config["start_date"] = _iso(span.start)
        if span.end is not None:
            config["end_date"] = _iso(span.end)
        for name in ("lookback_days", "page_size"):
            if (value := getattr(one, name)) is not None:
                config[name] = value
        for trouble in one.troubles:
            self._plan(trouble)
        for number, seconds in one.arrivals:
            twilio.plan(self._jump(seconds), skip=number, times=1)
        twilio.faults = one.faults
        try:
            now = span.now + timedelta(seconds=one.ahead)
            with mock.patch.object(settings, "now_utc", return_value=now):
                return self._run(
                    config_for(twilio, **config),
                    catalog=catalog_of(self._scenario.streams),
                    state=copy.deepcopy(self._target.state),
                )
        finally:
            twilio.faults = Faults()
            twilio.clear_plans()

    def _plan(self, trouble: Trouble) -> None:
        skip, query = trouble.skip, {}
        if trouble.kind in ONLY_NEXT_PAGES:
            skip, query = 0, {"Page": str(1 + trouble.skip % 3)}
        self._twilio.plan(
            trouble.effect,
            STREAMS[trouble.stream],
            query=query,
            skip=skip,
            times=None if trouble.lasting else trouble.times,
        )

    def _jump(self, seconds: int) -> Effect:
        def effect(reply: Reply, _: Request) -> Reply:
            self._twilio.advance(timedelta(seconds=seconds))
            return reply

        return effect


def _passes(one: Round) -> bool:
    """Tell whether a run gets over a round's trouble by itself."""
    odd = [trouble.stream for trouble in one.troubles if trouble.kind in MISSHAPEN]
    return (
        one.faults == Faults()
        and all(trouble.passes for trouble in one.troubles)
        and len(odd) == len(set(odd))
    )


def _both(first: dict[Any, Any], second: dict[Any, Any]) -> dict[Any, Any]:
    """Keep two looks at the server under keys of their own."""
    return {(name, (account, 1)): truth for (name, account), truth in first.items()} | {
        (name, (account, 2)): truth for (name, account), truth in second.items()
    }


def _iso(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
