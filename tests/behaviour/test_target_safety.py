"""Never twice, never to the wrong people, and never a word of it: how the target fails."""

from __future__ import annotations

import json
import os
import re
import sqlite3
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import requests

from harness.target import TargetRunner, number, records, schema
from sandbox import faults
from target_twilio.client import Client
from target_twilio.ledger import Ledger

CREATE = "/Messages.json"
FULL = Path("/dev/full")


@pytest.fixture
def twilio(sandbox):
    return sandbox(volumes={"calls": 0, "messages": 60}, subaccounts=0, days=10)


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """No test waits for what a run would wait for."""
    monkeypatch.setattr("target_twilio.run.FIRST_PAUSE", 0.001)
    monkeypatch.setattr("target_twilio.run.LONGEST_PAUSE", 0.01)
    monkeypatch.setattr("target_twilio.client.DELAY", 0.001)


@pytest.fixture
def target(twilio, tmp_path):
    return TargetRunner(tmp_path, twilio)


def message(place, **more):
    return {"id": place, "to": number(place), "body": f"Hello {place}", **more}


def rows(*places):
    return records("messages", map(message, places))


def recipients(twilio):
    return [one["parameters"]["To"] for one in twilio.held]


# --- Lost answers --------------------------------------------------------------------------------

LOST = {
    "a server error": faults.answer(500, 20500, "Internal error"),
    "no service, with a pause": faults.answer(503, headers={"Retry-After": "1"}),
    "a gateway's error": faults.html(502),
    "a reset": faults.reset(),
    "half an answer": faults.truncate(),
    "an empty answer": faults.empty(),
    "HTML": faults.html(),
    "a redirect": faults.redirect("https://example.com/"),
    "a time-out of the request": faults.answer(408),
}


@pytest.mark.parametrize("accepted", [True, False], ids=["accepted", "not accepted"])
@pytest.mark.parametrize("kind", LOST)
def test_a_lost_answer_is_settled_or_stays_unknown(target, twilio, kind, accepted):
    twilio.plan(LOST[kind], CREATE, method="POST", skip=1, times=1, accepted=accepted)

    told = target(rows(1, 2, 3))
    twilio.clear_plans()
    again = target(rows(1, 2, 3))

    # A fault that only damages the answer lets the request be carried out.
    was_accepted = number(2) in recipients(twilio)
    assert was_accepted or not accepted
    assert recipients(twilio) == [
        number(place) for place in (1, 2, 3) if place != 2 or was_accepted
    ]
    assert told.states == [{"bookmarks": {"messages": 3}}]
    if not was_accepted:
        assert (told.exit_code, told.outcomes) == (1, ["sent", "unknown", "sent"])
        assert (again.exit_code, again.outcomes) == (1, ["duplicate", "unknown", "duplicate"])
        return
    assert (told.exit_code, told.outcomes) == (0, ["sent", "unknown", "sent", "sent"])
    assert (again.exit_code, again.outcomes) == (0, ["duplicate"] * 3)
    settled = told.results[3]
    assert (settled["settled"], settled["key"]) == (True, {"id": 2})
    assert settled["sid"] == twilio.held[1]["sid"]


def test_an_answer_that_comes_too_late_is_lost(target, twilio, monkeypatch):
    monkeypatch.setattr("target_twilio.client.TIMEOUT", 0.3)
    twilio.plan(faults.delay(1.5), CREATE, method="POST", skip=1, times=1)

    told = target(rows(1, 2))

    assert told.outcomes == ["sent", "unknown", "sent"]
    assert recipients(twilio) == [number(1), number(2)]


def test_an_unknown_key_is_told_in_each_run_even_if_it_does_not_come(target, twilio):
    twilio.plan(faults.answer(500), CREATE, method="POST", times=1)
    target(rows(1))
    twilio.clear_plans()

    for told in (target([]), target(rows(2)), target(rows(2), send=False)):
        assert told.exit_code == 1
        assert {"id": 1} in [one["key"] for one in told.results if one["outcome"] == "unknown"]
    assert recipients(twilio) == [number(2)]


def test_what_an_earlier_run_left_is_settled_at_the_start(target, twilio):
    twilio.plan(faults.answer(500), CREATE, method="POST", times=1, accepted=True)
    # The list, too, can't be read for now.
    twilio.plan(faults.answer(500), CREATE, method="GET", skip=1)
    first = target(rows(1))
    twilio.clear_plans()

    told = target([])
    after = target(rows(1))

    assert (first.exit_code, first.outcomes) == (1, ["unknown"])
    assert (told.exit_code, told.outcomes, told.results[0]["key"]) == (0, ["sent"], {"id": 1})
    assert told.results[0]["sid"] == twilio.held[0]["sid"]
    assert after.outcomes == ["duplicate"]


@pytest.mark.parametrize("when", ["before", "after"])
def test_what_is_left_in_flight_is_settled_by_the_next_run(target, twilio, monkeypatch, when):
    write = Client.write

    def die(self, action, sid, params):
        if when == "after":
            write(self, action, sid, params)
        raise SystemExit(9)

    with monkeypatch.context() as patch:
        patch.setattr(Client, "write", die)
        killed = target(rows(1))
    told = target(rows(1, 2))

    assert (killed.exit_code, killed.results, killed.states) == (9, [], [])
    if when == "after":
        assert told.outcomes == ["sent", "duplicate", "sent"]
    else:
        assert told.outcomes == ["unknown", "sent"]
    assert recipients(twilio) == [number(1)] * (when == "after") + [number(2)]


def test_keys_that_say_the_same_to_the_same_person_stay_unknown(target, twilio):
    twilio.plan(faults.answer(500), CREATE, method="POST", times=2, accepted=True)
    same = [message(1), message(1) | {"id": 2}, message(3)]

    told = target(records("messages", same))

    assert told.outcomes == ["unknown", "unknown", "sent"]
    assert told.exit_code == 1


def test_a_message_of_another_key_settles_none(target, twilio):
    twilio.plan(faults.answer(500), CREATE, method="POST", skip=1, times=1)
    same = [message(1), message(1) | {"id": 2}]

    told = target(records("messages", same))

    assert told.outcomes == ["sent", "unknown"]
    assert len(twilio.held) == 1


def test_two_messages_that_might_be_a_keys_settle_none(target, twilio):
    twilio.plan(faults.answer(500), CREATE, method="POST", times=1, accepted=True)
    twilio.plan(faults.answer(500), CREATE, method="GET", skip=1)
    target(rows(1))
    twilio.clear_plans()
    form = twilio.held[0]["parameters"]
    url = f"{twilio.base_url}/api/2010-04-01/Accounts/{twilio.account_sid}/Messages.json"
    assert requests.post(url, form, auth=twilio.auth, timeout=30).ok

    told = target(rows(1))

    assert told.outcomes == ["unknown"]


def test_a_template_can_not_be_settled(target, twilio):
    template = twilio.truth("content", "/v2/Content")[0]["sid"]
    twilio.plan(faults.answer(500), CREATE, method="POST", times=1, accepted=True)

    told = target(records("messages", [{"id": 1, "to": number(1), "content_sid": template}]))

    assert (told.exit_code, told.outcomes) == (1, ["unknown"])


def test_a_schedule_is_settled_as_one(target, twilio):
    service = next(iter(twilio.services))
    due = (twilio.now + timedelta(days=1)).isoformat()
    twilio.plan(faults.reset(), CREATE, method="POST", times=1, accepted=True)

    told = target(records("messages", [message(1, send_at=due)]), messaging_service_sid=service)

    assert told.outcomes == ["unknown", "scheduled"]


@pytest.mark.parametrize(
    ("unsure", "settle", "times"), [("hold", 0, 1), ("resend", 60, 1), ("resend", 0, 2)]
)
def test_only_resend_sends_again_and_only_after_its_time(target, twilio, unsure, settle, times):
    template = twilio.truth("content", "/v2/Content")[0]["sid"]
    row = records("messages", [{"id": 1, "to": number(1), "content_sid": template}])
    twilio.plan(faults.answer(500), CREATE, method="POST", times=1, accepted=True)
    target(row)

    told = target(row, unsure=unsure, settle=settle)

    assert told.outcomes == (["unknown"] if times == 1 else ["sent"])
    assert len(twilio.held) == times


@pytest.mark.parametrize(
    "stream", ["message_cancellations", "message_redactions", "message_deletions"]
)
@pytest.mark.parametrize("accepted", [True, False])
def test_actions_on_messages_are_settled_by_the_message(target, twilio, stream, accepted):
    service = next(iter(twilio.services))
    due = (twilio.now + timedelta(days=1)).isoformat() if "cancel" in stream else None
    more = {"send_at": due} if due else {}
    (line,) = target(
        records("messages", [message(1, **more)]), messaging_service_sid=service
    ).results
    if "deletion" in stream:
        twilio.advance(timedelta(hours=3))
    twilio.plan(faults.answer(500), line["sid"], method="POST", times=1, accepted=accepted)
    twilio.plan(faults.answer(500), line["sid"], method="DELETE", times=1, accepted=accepted)
    row = records(stream, [{"sid": line["sid"]}], keys=["sid"])

    told = target(row, allow_deletions=True)
    again = target(row, allow_deletions=True)

    done = {"message_c": "canceled", "message_r": "redacted", "message_d": "deleted"}[stream[:9]]
    assert told.outcomes == (["unknown", done] if accepted else ["unknown"])
    # It can be asked for again without harm.
    assert again.outcomes == (["duplicate"] if accepted else [done])
    assert again.exit_code == 0


def test_consents_whose_answer_is_lost_are_reported_again(target, twilio):
    twilio.plan(faults.answer(500), "/Consents/Bulk", times=1)

    told = target(records("consents", [consent(1)]))
    again = target(records("consents", [consent(1)]))

    assert (told.exit_code, told.outcomes) == (1, ["unknown"])
    assert (again.exit_code, again.outcomes) == (0, ["recorded"])


def consent(place, **more):
    return {
        "id": place,
        "contact_id": number(place),
        "sender_id": "+14155550007",
        "status": "opt-out",
        "source": "website",
        **more,
    }


def test_no_state_passes_rows_that_wait_and_can_not_be_sent(target, twilio, monkeypatch):
    monkeypatch.setattr("target_twilio.target.TargetTwilio._MAX_RECORD_AGE_IN_MINUTES", -1)
    plan = twilio.plan(faults.answer(403, 20403), "/Consents/Bulk")

    # The first row waits while its state comes, which is due with the second.
    told = target([*records("consents", [consent(1)]), *records("consents", [consent(2)])])

    assert (told.exit_code, told.outcomes, told.states) == (1, [], [])
    assert plan.hits == 1


def test_rows_that_stop_the_run_leave_none_of_their_batch_untold(target, twilio):
    given = [consent(1), consent(2, sender_id="nobody"), consent(3)]

    told = target(records("consents", given), on_error="stop")

    assert (told.exit_code, told.outcomes) == (1, ["recorded", "rejected", "recorded"])
    assert len(twilio.consents) == 2


def test_consents_of_one_name_are_told_apart(target, twilio):
    given = [consent(place, correlation_id="a" * 32) for place in (1, 2)]

    told = target(records("consents", given))

    assert told.outcomes == ["recorded", "recorded"]
    assert target.writes == ["POST", "POST"]
    assert len(twilio.consents) == 2


def test_an_answer_that_leaves_rows_out_leaves_them_unknown(target, twilio):
    told = {"items": [{"correlation_id": "a" * 32, "error_code": 0}, "what?"]}
    twilio.plan(faults.answer(201, body=json.dumps(told)), "/Consents/Bulk")

    told = target(records("consents", [consent(1, correlation_id="a" * 32), consent(2)]))

    assert (told.exit_code, told.outcomes) == (1, ["recorded", "unknown"])


@pytest.mark.parametrize("spoiled", [{"body": None}, {"to": "x"}, {"sendat": 1}])
def test_an_unknown_key_is_not_forgotten_for_a_row_that_makes_no_sense(target, twilio, spoiled):
    twilio.plan(faults.answer(500), CREATE, method="POST", times=1)
    target(rows(1))

    bad = target(records("messages", [message(1) | spoiled]))
    good = target(rows(1))

    assert bad.outcomes == ["rejected", "unknown"]
    assert good.outcomes == ["unknown"]
    assert twilio.held == []


@pytest.mark.parametrize("how", ["denied", "opted out", "refused"])
def test_an_unknown_key_is_not_forgotten_for_a_second_try_that_is_refused(target, twilio, how):
    twilio.plan(faults.answer(500), CREATE, method="POST", times=1)
    target(rows(1))
    settings = {"denied": {"deny_recipients": [number(1)]}, "refused": {"from": "+15005550007"}}
    if how == "opted out":
        twilio.opt_out(number(1))
    resend = {"unsure": "resend", "settle": 0}

    again = target(rows(1), **resend, **settings.get(how, {}))
    twilio.opt_in(number(1))
    held = target(rows(1))

    assert again.outcomes[0] in {"suppressed", "rejected"}
    assert again.exit_code == 1
    assert held.outcomes == ["unknown"]
    assert twilio.held == []


def test_a_message_is_found_among_many(target, twilio, monkeypatch):
    monkeypatch.setattr("target_twilio.client.PAGE", 5)
    twilio.plan(faults.answer(500), CREATE, method="POST", times=1, accepted=True)

    told = target(rows(*range(14)))

    assert told.outcomes == ["unknown", *["sent"] * 13, "sent"]
    assert told.exit_code == 0
    # What is older is not asked for.
    assert sum(one.method == "GET" for one in twilio.requests) <= 1 + 4


def test_unknown_rows_are_no_failures_in_a_row(target, twilio):
    twilio.plan(faults.answer(500), CREATE, method="POST", times=5)

    told = target(rows(*range(8)), max_failures=2)

    assert told.outcomes == ["unknown"] * 5 + ["sent"] * 3


# --- What was surely not sent --------------------------------------------------------------------


def test_too_many_requests_are_made_again(target, twilio):
    twilio.plan(faults.throttle(0.01), CREATE, method="POST", times=3)

    told = target(rows(1, 2))

    assert (told.exit_code, told.outcomes) == (0, ["sent", "sent"])
    assert recipients(twilio) == [number(1), number(2)]


def test_a_host_that_can_not_be_reached_ends_the_run(target):
    told = target(rows(1), base_url="http://127.0.0.1:9")

    assert told.exit_code == 1
    assert "can't be reached" in told.log
    assert target.lines() == []


def test_a_host_that_goes_away_leaves_nothing_unknown(target, twilio):
    begun = threading.Event()
    twilio.plan(faults.throttle(0.2), CREATE, method="POST", when=lambda _: begun.set() or True)
    thread = threading.Thread(target=lambda: (begun.wait(30), twilio.stop()))
    thread.start()
    told = target(rows(1, 2))
    thread.join()

    assert told.exit_code == 1
    assert "can't be reached" in told.log
    assert (told.results, told.states) == ([], [])
    ledger = Ledger.open(target.ledger, twilio.account_sid)
    assert ledger.unsettled() == []
    ledger.close()


def test_a_schedule_that_twilio_does_not_keep_stops_the_run(target, twilio):
    service = next(iter(twilio.services))
    due = (twilio.now + timedelta(days=1)).isoformat()
    sent = json.dumps({"sid": "SM" + "0" * 32, "status": "queued"})
    twilio.plan(faults.answer(201, body=sent), CREATE, method="POST")

    told = target(
        records("messages", [message(1, send_at=due), message(2, send_at=due)]),
        messaging_service_sid=service,
    )

    assert (told.exit_code, told.outcomes) == (1, ["sent"])
    assert "was to be scheduled, and Twilio says that it is queued" in told.log


@pytest.mark.parametrize("status", [401, 403])
def test_credentials_that_are_refused_stop_the_run_before_the_next_row(target, twilio, status):
    plan = twilio.plan(faults.answer(status, 20003, "No"), CREATE, method="POST", skip=1)

    told = target([*rows(1), *rows(2, 3)])
    hits = plan.hits
    twilio.clear_plans()
    again = target([*rows(1), *rows(2, 3)])

    assert (told.exit_code, hits) == (1, 1)
    assert (
        f"Twilio refused to sign in, or to let these credentials do this (HTTP {status}" in told.log
    )
    assert told.outcomes == ["sent"]
    assert told.states == [{"bookmarks": {"messages": 1}}]
    assert again.outcomes == ["duplicate", "sent", "sent"]


def test_wrong_credentials_end_the_run_before_its_first_row(target):
    told = target(rows(1), auth_token="mistyped-token-value")

    assert told.exit_code == 1
    assert "Twilio refused to sign in" in told.log
    assert "mistyped-token-value" not in told.log
    assert target.writes == []


def test_test_credentials_send_nothing_and_that_works(target, twilio):
    given = {"auth_token": twilio.test_auth[1], "from": "+15005550006"}

    told = target(rows(1), **given)

    assert told.outcomes == ["sent"]
    assert "The credentials may not read messages" in told.log
    assert twilio.held == []


# --- Guards --------------------------------------------------------------------------------------


def test_max_rows_counts_what_would_be_sent(target):
    target(rows(1))
    mixed = [
        *records("messages", [message(1), message(2), message(3) | {"to": "x"}]),
        *records("reminders", [message(4), message(5)]),
    ]

    told = target(mixed, max_rows=2, streams={"reminders": "messages"})
    again = target(mixed, max_rows=2, streams={"reminders": "messages"})

    assert told.exit_code == 1
    assert told.outcomes == ["duplicate", "sent", "rejected", "sent"]
    assert "max_rows: 2 rows are sent, and more would come" in told.log
    assert told.states == [{"bookmarks": {"messages": 3}}]
    assert again.outcomes == ["duplicate", "duplicate", "rejected", "duplicate", "sent"]


def test_a_dry_run_tells_that_there_are_too_many(target):
    told = target(rows(1, 2, 3), max_rows=2, send=False)

    assert (told.exit_code, told.outcomes) == (1, ["would_send", "would_send"])


@pytest.mark.parametrize("send", [True, False])
def test_only_who_is_allowed_and_not_denied_gets_a_message(target, twilio, send):
    whatsapp = next(one for one in twilio.senders if one.startswith("whatsapp:"))
    given = [
        message(1) | {"to": "+1 (555) 000-0001"},
        message(2),
        message(3) | {"to": f"whatsapp:{number(3)}", "from": whatsapp},
        message(4),
        message(5) | {"to": "+493012345678"},
    ]

    told = target(
        records("messages", given),
        send=send,
        allow_recipients=["1555*", "+49 30 1"],
        deny_recipients=["whatsapp:+15550000001", "1-555-0000003"],
    )

    sent = "sent" if send else "would_send"
    assert (told.exit_code, told.outcomes) == (
        0,
        ["suppressed", sent, "suppressed", sent, "suppressed"],
    )
    assert recipients(twilio) == [number(2), number(4)] * send


def test_an_empty_list_allows_nobody(target):
    told = target(rows(1, 2), allow_recipients=[])

    assert (told.exit_code, told.outcomes) == (0, ["suppressed", "suppressed"])
    assert target.writes == []


def window(start, end):
    """A window by the hours from now on."""
    now = datetime.now(UTC)
    bounds = [f"{now + timedelta(hours=one):%H:%M}" for one in (start, end)]
    return {"start": bounds[0], "end": bounds[1], "time_zone": "Etc/UTC"}


def test_outside_of_the_window_the_run_stops(target):
    closed, opened = window(2, 3), window(-1, 1)

    told = target(rows(1), send_window=closed)
    dry = target(rows(1), send_window=closed, send=False)
    again = target(rows(1), send_window=opened)

    assert (told.exit_code, told.outcomes, told.states) == (1, [], [])
    assert "send_window: it is not the time to send" in told.log
    assert dry.outcomes == ["would_send"]
    assert (again.exit_code, again.outcomes) == (0, ["sent"])


def test_schedules_are_held_to_the_window_by_their_own_time(target, twilio):
    service = next(iter(twilio.services))
    within = (twilio.now + timedelta(hours=26, minutes=30)).isoformat()
    without = (twilio.now + timedelta(hours=24)).isoformat()
    given = [message(1, send_at=within), message(2, send_at=without)]

    told = target(
        records("messages", given), send_window=window(2, 3), messaging_service_sid=service
    )

    assert told.outcomes == ["scheduled", "rejected"]
    assert "send_at: it is outside of send_window" in told.results[1]["message"]


@pytest.mark.parametrize("send", [True, False])
def test_rows_that_fail_in_a_row_end_the_run(target, send):
    bad = [message(place) | {"to": "x"} for place in range(3)]
    given = [bad[0], bad[1], message(5), *bad, message(6)]

    told = target(records("messages", given), max_failures=3, send=send)

    assert told.exit_code == 1
    assert told.outcomes == ["rejected"] * 2 + ["sent" if send else "would_send"] + ["rejected"] * 3
    assert "max_failures: 3 rows in a row were rejected" in told.log


def test_on_error_stop_ends_the_run_at_the_first(target):
    told = target(
        [*rows(1), *records("messages", [message(2) | {"to": "x"}, message(3)])], on_error="stop"
    )

    assert (told.exit_code, told.outcomes) == (1, ["sent", "rejected"])
    assert told.states == [{"bookmarks": {"messages": 1}}]


def test_the_rate_is_kept(target, twilio):
    target(rows(*range(6)), rate=25)

    begun = [one.started for one in twilio.requests if one.method == "POST"]
    assert begun[-1] - begun[0] >= 5 / 25 * 0.95


# --- The ledger ----------------------------------------------------------------------------------


def test_a_second_run_is_refused_by_any_name_of_the_file(target, twilio, tmp_path):
    target(rows(1))
    link = tmp_path / "link.db"
    link.symlink_to(target.ledger)
    ledger = Ledger.open(target.ledger, twilio.account_sid)
    try:
        told = [target(rows(2), ledger_path=str(path)) for path in (target.ledger, link)]
        hard = tmp_path / "hard.db"
        os.link(target.ledger, hard)
        told.append(target(rows(2), ledger_path=str(hard)))
        hard.unlink()
    finally:
        ledger.close()
    after = target(rows(2), ledger_path=str(link))

    assert [one.exit_code for one in told] == [1, 1, 1]
    assert all("ledger_path" in one.log and "Traceback" not in one.log for one in told)
    assert "another run has it" in told[0].log
    assert "another run has it" in told[1].log
    assert after.outcomes == ["sent"]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"what is this, a text of some length?" * 99, "no ledger"),
        (b"SQLite format 3\0" + b"\xff" * 4080, ""),
    ],
)
def test_a_file_that_is_no_ledger_is_left_alone(target, content, sentence):
    target.ledger.write_bytes(content)

    told = target(rows(1))

    assert told.exit_code == 1
    assert "ledger_path" in told.log
    assert sentence in told.log
    assert "Traceback" not in told.log
    assert target.ledger.read_bytes() == content
    assert target.writes == []


def test_another_database_is_left_alone(target):
    with sqlite3.connect(target.ledger) as other:
        other.execute("CREATE TABLE people (name)")
    other.close()

    told = target(rows(1))

    assert (told.exit_code, target.writes) == (1, [])
    assert "is another database" in told.log


def test_a_ledger_is_of_one_account(target):
    Ledger.open(target.ledger, "AC" + "0" * 32).close()

    told = target(rows(1))

    assert told.exit_code == 1
    assert "the ledger is of another account, AC000" in told.log
    assert target.writes == []


def test_a_ledger_that_can_not_be_written_stops_before_anything_leaves(target, monkeypatch):
    put = Ledger.put

    def full(self, *entries):
        self._cursor.execute("PRAGMA max_page_count = 1")
        put(self, *(replace(one, stream="x" * 100_000) for one in entries))

    monkeypatch.setattr(Ledger, "put", full)
    told = target(rows(1))

    assert told.exit_code == 1
    assert "can't be written or read" in told.log
    assert target.writes == []
    assert told.states == []


def test_others_can_not_read_the_ledger(target):
    target(rows(1))

    assert target.ledger.stat().st_mode & 0o077 == 0


# --- What is told --------------------------------------------------------------------------------


def everything(target, told):
    ledger = sqlite3.connect(target.ledger)
    dump = "\n".join(ledger.iterdump())
    ledger.close()
    files = b"".join(path.read_bytes() for path in target.folder.glob("ledger.db*"))
    return (
        told.log
        + json.dumps(told.results)
        + json.dumps(told.states)
        + dump
        + files.decode("latin-1")
    )


PRIVATE = "Your diagnosis is in"


@pytest.mark.parametrize("level", ["INFO", "DEBUG"])
def test_no_secret_no_number_and_no_text_is_told(target, twilio, monkeypatch, level):
    monkeypatch.setenv("LOGLEVEL", level)
    own = number(77)
    given = [
        message(1) | {"to": own, "body": PRIVATE},
        message(2) | {"to": own, "body": PRIVATE, "sendat": 1},
        message(3) | {"to": own, "body": PRIVATE, "from": "+15005550007"},
        message(4) | {"to": own, "body": PRIVATE + " x" * 900},
        message(5) | {"to": "whatsapp:" + own, "body": PRIVATE},
        message(6) | {"to": own, "body": PRIVATE, "_note": f"for {own}", "_said": PRIVATE},
        message(7) | {"to": own[2:], "body": PRIVATE},
        {"id": own, "to": own, "body": PRIVATE},
        {"id": f"{own[1:]}-2026", "to": own, "body": PRIVATE},
    ]
    twilio.plan(faults.answer(500), CREATE, method="POST", skip=2, times=1)
    twilio.plan(faults.answer(400, 21614, f"{own} is none"), CREATE, method="POST", skip=3, times=1)

    told = target(records("messages", given))
    text = everything(target, told)

    assert len(told.results) >= len(given)
    for secret in (*twilio.secrets, own, own[1:], own[2:], PRIVATE):
        assert secret not in text
    assert re.search(r'"id": "hidden:[0-9a-f]{32}"', json.dumps(told.results))


def test_what_maps_say_of_rows_is_not_told(target, monkeypatch):
    monkeypatch.setenv("LOGLEVEL", "DEBUG")
    own = number(79)
    maps = {"messages": {"__filter__": "to", "body": "body + ' ' + to"}}

    told = target(
        [
            schema(
                "messages", id={"type": "integer"}, to={"type": "string"}, body={"type": "string"}
            ),
            *records("messages", [message(1, to=own)])[1:],
        ],
        stream_maps=maps,
    )

    assert told.outcomes == ["sent"]
    assert own not in told.log


def test_odd_rows_in_the_list_of_messages_keep_nobody_from_sending(target, twilio):
    twilio.plan(
        faults.rewrite(lambda page: page | {"messages": [{"sid": 5}]}), CREATE, method="GET"
    )

    told = target(rows(1))

    assert (told.exit_code, told.outcomes) == (0, ["sent"])
    assert told.results[0]["estimated_price"] is None


def test_a_new_ledger_is_told(target):
    first, second = target(rows(1)), target(rows(1))

    assert "ledger.db is a new ledger. It does not know what was sent before" in first.log
    assert "is new" not in second.log


def test_what_breaks_a_line_is_not_told(target):
    own = number(78)
    broken = json.dumps({"type": "RECORD", "stream": "messages", "record": message(1, to=own)})[:-2]

    told = target([*rows(1), broken])

    assert told.exit_code == 1
    assert own not in told.log


def test_an_error_nobody_thought_of_quotes_nothing(target, monkeypatch):
    def fail(_self, row):
        raise RuntimeError(row.values["to"])

    monkeypatch.setattr("target_twilio.run.Run.take", fail)
    monkeypatch.setenv("LOGLEVEL", "DEBUG")

    told = target(rows(1))

    assert told.exit_code == 1
    assert "Unexpected RuntimeError. LOGLEVEL=DEBUG tells where" in told.log
    assert number(1) not in told.log


def test_results_are_added_behind_a_line_that_was_cut(target):
    path = target.folder / "cut.jsonl"
    path.write_text('{"stream": "mess')

    target(rows(1), results_path=str(path))

    first, second = path.read_text().splitlines()
    assert first == '{"stream": "mess'
    assert json.loads(second)["outcome"] == "sent"


@pytest.mark.skipif(not FULL.exists(), reason="needs a device that is always full")
def test_results_that_can_not_be_written_stop_the_run(target, twilio, monkeypatch):
    monkeypatch.setattr("target_twilio.settings._unusable", lambda _: None)

    told = target(rows(1, 2, 3), results_path=str(FULL))

    assert told.exit_code == 1
    assert "results_path: /dev/full: it can't be written (No space left on device)" in told.log
    assert recipients(twilio) == [number(1)]


@pytest.mark.usefixtures("measured")
def test_counts_are_metrics_too(target):
    told = target(records("messages", [message(1), message(1), message(2) | {"to": "x"}]))

    counts = re.findall(r'"value":(\d+),"tags":{"outcome":"(\w+)"', told.log)
    assert counts == [("1", "duplicate"), ("1", "rejected"), ("1", "sent")]
    assert "Rows: 1 duplicate, 1 rejected, 1 sent" in told.log
