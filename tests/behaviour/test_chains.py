"""A list is read to its end, once, whatever becomes of the links between its pages."""

from __future__ import annotations

import pytest

from harness import assert_complete, config_for
from sandbox import faults

BROKEN = {
    "expired token": faults.expired_token(),
    "no token": faults.answer(400, 70002, "Paged requests must include a PageToken"),
    "the row of the token is gone": faults.answer(404, 20404, "Not found"),
}


def pages_of(twilio, path):
    """Numbers of the pages that were asked for, in order."""
    return [
        int(dict(request.query).get("Page", 0))
        for request in twilio.requests
        if request.path.endswith(path)
    ]


@pytest.mark.parametrize("name", BROKEN)
def test_a_list_that_breaks_off_is_read_anew_without_doubles(run, sandbox, name):
    twilio = sandbox(volumes={"calls": 90, "messages": 0}, subaccounts=0)
    twilio.plan(BROKEN[name], "/Applications.json", query={"Page": "1"}, times=1)
    twilio.plan(BROKEN[name], "/Applications.json", query={"Page": "3"}, times=1)

    output = run(config_for(twilio, page_size=1), streams=["applications"])

    assert output.exit_code == 0
    assert_complete(output, twilio, "applications")
    assert pages_of(twilio, "/Applications.json").count(0) == 3
    assert output.log.count("the list broke off, and is read again") == 2


def test_children_of_a_list_that_is_read_anew_come_once(run, sandbox):
    twilio = sandbox(volumes={"calls": 60, "messages": 0}, subaccounts=0)
    twilio.plan(faults.expired_token(), "/Calls.json", query={"Page": "1"}, times=1)

    output = run(config_for(twilio, page_size=20), streams=["calls", "call_feedback"])

    assert output.exit_code == 0
    assert_complete(output, twilio, "calls", "call_feedback")


def test_a_list_that_always_breaks_off_holds_its_bookmark(run, sandbox):
    twilio = sandbox(volumes={"calls": 90, "messages": 30}, subaccounts=0)
    twilio.plan(faults.expired_token(), "/Calls.json", query={"Page": "1"})

    output = run(config_for(twilio, page_size=20), streams=["calls", "messages"])

    assert output.exit_code == 1
    assert "FAILED calls" in output.log
    assert "the list broke off and can't be read on" in output.log
    assert_complete(output, twilio, "messages")

    twilio.clear_plans()
    again = run(config_for(twilio, page_size=20), streams=["calls"], state=output.state)
    merged = {
        record["sid"]: record for record in [*output.records("calls"), *again.records("calls")]
    }
    again.messages += [
        {"type": "RECORD", "stream": "calls", "record": record}
        for sid, record in merged.items()
        if sid not in {record["sid"] for record in again.records("calls")}
    ]
    assert_complete(again, twilio, "calls")


def test_an_absent_next_page_is_no_absent_product(run, sandbox):
    twilio = sandbox(volumes={"calls": 0, "messages": 0}, subaccounts=0)
    twilio.plan(faults.answer(404, 20404, "Not found"), "/Applications.json", query={"Page": "1"})

    output = run(config_for(twilio, page_size=1), streams=["applications"])

    assert output.exit_code == 1
    assert "FAILED applications" in output.log


def test_a_window_that_is_absent_after_others_were_read_is_retried(run, sandbox):
    twilio = sandbox(volumes={"calls": 200, "messages": 0}, subaccounts=0)
    twilio.plan(faults.answer(404, 20404, "Not found"), "/Calls.json", skip=6, times=1)

    output = run(config_for(twilio, page_size=20, max_concurrent_requests=1), streams=["calls"])

    assert output.exit_code == 0
    assert_complete(output, twilio, "calls")


def circle(turns):
    """Links that lead back to the second page, a parameter apart each time."""

    def change(page):
        turns.append(1)
        link = page["next_page_uri"] or page["first_page_uri"]
        page["next_page_uri"] = f"{link}&Turn={len(turns)}"
        return page

    return faults.rewrite(change)


@pytest.mark.parametrize(
    "effect", [faults.repeat(), circle([])], ids=["to itself", "ever new links"]
)
def test_pages_that_lead_in_a_circle_end_in_an_error(run, sandbox, effect):
    twilio = sandbox(volumes={"calls": 0, "messages": 0}, subaccounts=0)
    twilio.plan(effect, "/Applications.json")

    output = run(config_for(twilio, page_size=2), streams=["applications"])

    assert output.exit_code == 1
    assert "lead in a circle" in output.log
    assert len(pages_of(twilio, "/Applications.json")) < 20


def test_a_link_back_to_an_earlier_page_ends_in_an_error(run, sandbox):
    twilio = sandbox(volumes={"calls": 90, "messages": 0}, subaccounts=0)
    links = []

    def change(page):
        links.append(page["uri"])
        if len(links) > 3:
            page["next_page_uri"] = links[1]
        return page

    twilio.plan(faults.rewrite(change), "/Applications.json")

    output = run(config_for(twilio, page_size=1), streams=["applications"])

    assert output.exit_code == 1
    assert "lead in a circle" in output.log
