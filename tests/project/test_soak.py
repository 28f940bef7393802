"""A handful of random scenarios; `make soak` plays many more."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from harness import PATIENCE, Output
from sandbox import Sandbox
from soak import kill, oracle
from soak.play import play
from soak.scenario import Scenario, scenarios

pytestmark = pytest.mark.door


@settings(
    max_examples=5,
    derandomize=True,
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(scenario=scenarios())
def test_nothing_is_lost_whatever_happens(scenario):
    play(scenario)


def test_nothing_is_lost_when_runs_are_killed():
    assert kill.kill_and_resume(seed=2, count=2) == 2


# --- The oracle is no yes-man ------------------------------------------------------------------


@pytest.fixture(scope="module")
def world():
    with Sandbox(seed=4, days=10, volumes={"calls": 20, "messages": 0}, subaccounts=0) as twilio:
        judge = oracle.Judge(twilio, ("calls",))
        yield twilio, judge, judge.truths()


def said(twilio, rows, *, exit_code=0, log="", bookmark=None):
    partition = {
        "context": {"account_sid": twilio.account_sid},
        "replication_key": "start_time",
        "replication_key_value": bookmark or twilio.now.isoformat(),
    }
    messages = [
        {"type": "SCHEMA", "stream": "calls"},
        *({"type": "RECORD", "stream": "calls", "record": row} for row in rows),
        {"type": "STATE", "value": {"bookmarks": {"calls": {"partitions": [partition]}}}},
    ]
    return Output(exit_code, [json.dumps(message) for message in messages], log)


def loaded(output):
    target = oracle.Target()
    target.load(output.messages)
    return target


def rows_of(truths):
    ((_, truth),) = truths.items()
    return list(truth.rows.values())


def test_a_row_that_is_missing_is_noticed(world):
    twilio, judge, truths = world
    output = said(twilio, rows_of(truths)[1:])
    span = oracle.Range(twilio.now, None, None)

    with pytest.raises(oracle.Violation, match="1 of 20 rows are missing"):
        judge.complete(output, loaded(output), span, truths)
    with pytest.raises(oracle.Violation, match="nothing was said"):
        judge.told(output, loaded(output), span, truths)


def test_a_bookmark_past_what_is_missing_is_noticed(world):
    twilio, judge, truths = world
    oldest = rows_of(truths)[-1]
    log = f"FAILED calls of {twilio.account_sid}"
    output = said(twilio, rows_of(truths)[:-1], exit_code=1, log=log)
    held = said(twilio, rows_of(truths)[:-1], exit_code=1, log=log, bookmark=oldest["start_time"])
    span = oracle.Range(twilio.now, None, None)

    judge.told(held, loaded(held), span, truths)
    with pytest.raises(oracle.Violation, match="the bookmark is at"):
        judge.told(output, loaded(output), span, truths)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda rows: [*rows, rows[0]], "came twice"),
        (lambda rows: [*rows, rows[0] | {"sid": "CA1"}], "or nowhere"),
        (lambda rows: [rows[0] | {"status": "lost"}, *rows[1:]], "status is 'lost', not"),
    ],
)
def test_what_is_not_as_on_the_server_is_noticed(world, change, complaint):
    twilio, judge, truths = world
    output = said(twilio, change(rows_of(truths)))
    span = oracle.Range(twilio.now, None, None)

    def judge_all():
        judge.sound(output, oracle.Target(), span, still=True)
        judge.within(output, span, truths)
        judge.complete(output, loaded(output), span, truths)

    with pytest.raises(oracle.Violation, match=complaint):
        judge_all()


def test_a_scenario_can_be_played_again():
    scenario = Scenario(volumes={"calls": 5, "messages": 5}, subaccounts=0)
    command = [sys.executable, "-m", "soak", "--scenario", scenario.to_json()]

    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=PATIENCE)

    assert Scenario.from_json(scenario.to_json()) == scenario
    assert done.stderr == "Nothing was lost\n"
