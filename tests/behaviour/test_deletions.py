"""What is deleted at Twilio can be seen by who asks for it, and nothing else is ever dropped."""

from __future__ import annotations

from harness import STREAMS_BY_NAME, config_for, truth
from sandbox import faults


def test_deleted_recordings_are_read_on_demand(run, sandbox):
    twilio = sandbox(volumes={"calls": 60, "messages": 0}, subaccounts=0)
    gone = truth(twilio, STREAMS_BY_NAME["recordings"])[0]["sid"]
    twilio.patch(gone, status="deleted")

    without = run(config_for(twilio), streams=["recordings"])
    with_them = run(config_for(twilio, include_deleted_recordings=True), streams=["recordings"])

    assert gone not in {record["sid"] for record in without.records("recordings")}
    statuses = {record["sid"]: record["status"] for record in with_them.records("recordings")}
    assert statuses[gone] == "deleted"
    assert len(statuses) == len(without.records("recordings")) + 1


STREAMS = ["accounts", "applications", "calls", "call_feedback"]


def versions(output):
    return {message["stream"]: message["version"] for message in output.of_type("ACTIVATE_VERSION")}


def test_no_version_is_activated_unasked(run, small):
    assert versions(run(config_for(small), streams=STREAMS)) == {}


def test_streams_read_whole_are_activated_and_incremental_ones_are_not(run, small):
    output = run(config_for(small, emit_activate_version_messages=True), streams=STREAMS)

    assert versions(output).keys() == {"accounts", "applications"}
    for message in output.of_type("RECORD"):
        assert message.get("version") == versions(output).get(message["stream"])
    kinds = [message["type"] for message in output.messages if message.get("stream") == "accounts"]
    assert kinds[0] == "SCHEMA"
    assert kinds[-1] == "ACTIVATE_VERSION"


def test_nothing_is_activated_by_a_run_that_left_something_out(run, sandbox):
    twilio = sandbox(volumes={"calls": 5, "messages": 0})
    settings = {"emit_activate_version_messages": True}
    plan = twilio.plan(faults.answer(403, 20403, "Forbidden"), "/Applications.json")

    assert versions(run(config_for(twilio, **settings), streams=STREAMS)) == {}
    assert plan.hits
    twilio.clear_plans()
    odd = truth(twilio, STREAMS_BY_NAME["applications"])[0]["sid"]
    nameless = twilio.plan(
        faults.rewrite(
            lambda page: (
                page
                | {
                    "applications": [
                        row | {"sid": None} if row["sid"] == odd else row
                        for row in page["applications"]
                    ]
                }
            )
        ),
        "/Applications.json",
    )
    assert versions(run(config_for(twilio, **settings), streams=STREAMS)) == {}
    assert nameless.hits
    twilio.clear_plans()
    for partial in (
        {"accounts": [twilio.account_sid]},
        {"include_subaccounts": False},
        {"max_records": 1},
        {"start_date": "P1D"},
    ):
        output = run(config_for(twilio, **settings, **partial), streams=STREAMS)
        assert versions(output) == {}
