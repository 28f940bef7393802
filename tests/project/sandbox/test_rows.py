"""What the rows say, how they hang together, and how they change."""

from __future__ import annotations

from datetime import timedelta

import pytest

from sandbox import Sandbox
from tests.project.sandbox.client import ACCOUNT, CALLS, CONFERENCES, MESSAGES, RECORDINGS, Client

MEDIA = f"{ACCOUNT}/Messages/{{MessageSid}}/Media.json"
FEEDBACK = f"{ACCOUNT}/Calls/{{CallSid}}/Feedback.json"
DAILY = f"{ACCOUNT}/Usage/Records/Daily.json"


def test_volumes_are_exact(shared):
    assert len(shared.truth("api", CALLS)) == 400
    sent = [
        row for row in shared.truth("api", MESSAGES) if row["status"] not in ("scheduled", "queued")
    ]
    assert len(sent) == 400


def test_recordings_of_an_account_without_conferences(schemas):
    volumes = {"calls": 6, "recordings": 4, "conferences": 1}
    twilio = Sandbox(schemas=schemas, seed=5, days=20, subaccounts=1, volumes=volumes)
    sids = [account.sid for account in twilio.accounts]

    conferences = [len(twilio.truth("api", CONFERENCES, account_sid=sid)) for sid in sids]

    assert sorted(conferences) == [0, 1]
    assert all(twilio.truth("api", RECORDINGS, account_sid=sid) for sid in sids)


def test_same_seed_same_rows_and_another_seed_others(schemas):
    first, second, third = (Sandbox(schemas=schemas, seed=seed) for seed in (5, 5, 6))
    for endpoint in first.catalogue.endpoints:
        if not endpoint.placeholders:
            place = (endpoint.host, endpoint.path)
            assert first.truth(*place) == second.truth(*place)
    assert first.truth("api", CALLS) != third.truth("api", CALLS)
    assert first.secrets == second.secrets


def test_rows_newest_first_and_sids_unique(shared):
    rows = shared.truth("api", CALLS)
    assert len({row["sid"] for row in rows}) == len(rows)
    assert {len(row["sid"]) for row in rows} == {34}
    assert {row["sid"][:2] for row in shared.truth("api", MESSAGES)} == {"SM", "MM"}


def test_numbers_stand_as_strings_on_the_2010_api(shared):
    call = next(row for row in shared.truth("api", CALLS) if row["price"])
    assert call["price"].startswith("-0.")
    assert call["duration"].isdigit()
    assert call["annotation"] is None
    assert call["start_time"].endswith("+0000")


def test_every_call_has_the_recordings_that_name_it(shared, client):
    recordings = shared.truth("api", RECORDINGS)
    below = shared.truth("api", f"{ACCOUNT}/Calls/{{CallSid}}/Recordings.json")
    assert sorted(row["sid"] for row in below) == sorted(row["sid"] for row in recordings)
    assert all(row["call_sid"] == row.path_values["CallSid"] for row in below)
    sid = recordings[3]["call_sid"]
    (shown,) = client.rows("api", f"{ACCOUNT}/Calls/{sid}/Recordings.json")
    assert shown.items() <= recordings[3].items()


def test_every_message_has_as_many_media_as_it_says(shared):
    media = shared.truth("api", MEDIA)
    for message in shared.truth("api", MESSAGES):
        mine = [row for row in media if row["parent_sid"] == message["sid"]]
        assert len(mine) == int(message["num_media"])
    assert media


def test_some_calls_have_feedback_and_the_others_answer_404(shared, client):
    given = {row["sid"] for row in shared.truth("api", FEEDBACK)}
    calls = [row["sid"] for row in shared.truth("api", CALLS)]
    assert 0 < len(given) < len(calls)
    for sid in calls[:20]:
        answer = client.get("api", FEEDBACK.replace("{CallSid}", sid))
        assert answer.status_code == (200 if sid in given else 404)
        assert answer.json().get("sid" if sid in given else "code") in (sid, 20404)


def test_participants_only_while_the_conference_lasts(schemas):
    with Sandbox(schemas=schemas, volumes={"calls": 20000, "conferences": 4000}) as twilio:
        rows = {row["status"]: row["sid"] for row in twilio.truth("api", CONFERENCES)}
        path = f"{ACCOUNT}/Conferences/{{ConferenceSid}}/Participants.json"
        counts = {
            status: len(twilio.truth("api", path, ConferenceSid=sid))
            for status, sid in rows.items()
        }
        assert counts["completed"] == 0
        assert counts["in-progress"] == 3


def test_unknown_parents_and_rows_are_not_found(client):
    for path in (f"{ACCOUNT}/Calls/CA{'0' * 32}/Recordings.json", f"{ACCOUNT}/Calls/CA0.json"):
        answer = client.get("api", path)
        assert (answer.status_code, answer.json()["code"]) == (404, 20404)


def test_a_row_by_its_sid(client, shared):
    for host, path in (("api", CALLS), ("api", MESSAGES)):
        row = shared.truth(host, path)[5]
        place = path.removesuffix(".json") + f"/{row['sid']}" + (".json" if host == "api" else "")
        assert client.get(host, place).json() == row


def test_calls_come_and_go_on(fresh):
    before = {row["sid"]: row for row in fresh.truth("api", CALLS)}
    fresh.advance(timedelta(days=1))
    after = {row["sid"]: row for row in fresh.truth("api", CALLS)}
    assert set(before) < set(after)
    old = [sid for sid, row in before.items() if row["price"]]
    assert all(before[sid] == after[sid] for sid in old)
    assert not {row["status"] for sid, row in after.items() if sid in before} & {
        "queued",
        "ringing",
    }


def test_messages_are_sent_then_settled_then_priced(schemas):
    twilio = Sandbox(schemas=schemas, volumes={"messages": 6_000}, days=1)
    newest = {row["sid"]: row for row in twilio.truth("api", MESSAGES)[:2000]}
    assert any(row["date_sent"] is None and row["status"] == "scheduled" for row in newest.values())
    assert any(row["price"] is None for row in newest.values())
    twilio.advance(timedelta(days=4))
    later = {row["sid"]: row for row in twilio.truth("api", MESSAGES) if row["sid"] in newest}
    assert set(later) == set(newest)
    assert all(row["price"] for row in later.values() if row["date_sent"])
    assert {row["status"] for row in later.values()} <= {
        "delivered", "read", "received", "failed", "undelivered",
    }  # fmt: skip


def test_usage_counts_the_calls_of_each_day(client, shared):
    day = "2026-11-10"
    query = {"StartDate": day, "EndDate": day, "Category": "calls", "IncludeSubaccounts": "false"}
    (row,) = client.rows("api", DAILY, query)
    calls = [one for one in shared.truth("api", CALLS) if "10 Nov 2026" in one["date_created"]]
    assert (row["start_date"], row["end_date"]) == (day, day)
    assert row["count"] == str(len(calls))
    (whole,) = client.rows("api", DAILY, query | {"IncludeSubaccounts": "true"})
    (default,) = client.rows("api", DAILY, {**query, "IncludeSubaccounts": ""})
    assert int(whole["count"]) == int(default["count"]) > int(row["count"])


def test_usage_periods(client):
    def spans(variant, **query):
        rows = client.rows(
            "api", f"{ACCOUNT}/Usage/Records{variant}.json", {"Category": "sms", **query}
        )
        return [(row["start_date"], row["end_date"]) for row in rows]

    assert spans("/Daily", StartDate="2026-11-18", EndDate="2026-11-19") == [
        ("2026-11-19", "2026-11-19"),
        ("2026-11-18", "2026-11-18"),
    ]
    assert spans("/Monthly", StartDate="2026-10-20") == [
        ("2026-11-01", "2026-11-20"),
        ("2026-10-01", "2026-10-31"),
    ]
    assert spans("/Yesterday") == [("2026-11-19", "2026-11-19")]
    assert spans("/LastMonth") == [("2026-10-01", "2026-10-31")]
    assert spans("", StartDate="-10days", EndDate="-1days") == [("2026-11-10", "2026-11-19")]


def test_usage_of_recent_days_is_revised_and_as_of_moves(fresh):
    client = Client(fresh)
    query = {"StartDate": "2026-11-10", "Category": "calls"}
    before = {row["start_date"]: row for row in client.rows("api", DAILY, query)}
    again = client.rows("api", DAILY, query)[0]
    assert again["as_of"] != before[again["start_date"]]["as_of"]
    fresh.advance(timedelta(days=3))
    after = {row["start_date"]: row for row in client.rows("api", DAILY, query)}
    assert before["2026-11-12"]["price"] == after["2026-11-12"]["price"]
    assert before["2026-11-19"]["price"] != after["2026-11-19"]["price"]


def test_rows_are_edited_by_hand(fresh):
    client = Client(fresh)
    first, second, third = (row["sid"] for row in fresh.truth("api", CALLS)[10:13])
    fresh.patch(first, price="7", surprise={"deep": [1]})
    fresh.delete(second)
    fresh.replace(third, {"sid": third, "date_created": None, "duration": "many"})
    fresh.patch(first, status="busy")
    rows = {row["sid"]: row for row in client.rows("api", CALLS, {"PageSize": 7})}
    assert len(rows) == 119
    assert (rows[first]["price"], rows[first]["status"]) == ("7", "busy")
    assert rows[first]["surprise"] == {"deep": [1]}
    assert second not in rows
    assert rows[third] == {"sid": third, "date_created": None, "duration": "many"}
    assert list(rows.values()) == fresh.truth("api", CALLS)
    with pytest.raises(KeyError):
        fresh.delete(second)


def test_a_recording_added_by_hand_is_its_calls_too(fresh):
    call = fresh.truth("api", CALLS)[0]["sid"]
    fresh.add("api", RECORDINGS, {"sid": "REhand", "call_sid": call, "date_created": None})
    path = f"{ACCOUNT}/Calls/{call}/Recordings.json"
    assert "REhand" in {row["sid"] for row in Client(fresh).rows("api", path)}


def test_more_media_once_a_message_says_so(fresh):
    plain = next(row["sid"] for row in fresh.truth("api", MESSAGES) if row["num_media"] == "0")
    fresh.patch(plain, num_media="2")
    assert len(fresh.truth("api", MEDIA, MessageSid=plain)) == 2


def test_every_endpoint_answers(shared, client):
    for endpoint in shared.catalogue.endpoints:
        if not endpoint.placeholders:
            answer = client.get(
                endpoint.host, endpoint.path, AccountSid=shared.account_sid, Channel="sms"
            )
            assert answer.status_code == 200, endpoint.path


def test_two_million_calls_cost_nothing_until_read(schemas):
    with Sandbox(schemas=schemas, volumes={"calls": 2_000_000}) as twilio:
        query = {"StartTime>": "2026-10-30", "StartTime<": "2026-10-30T00:10:00Z"}
        rows = Client(twilio).rows("api", CALLS, {**query, "PageSize": 1000})
        assert 20 < len(rows) < 500
