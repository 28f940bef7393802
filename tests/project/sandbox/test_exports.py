"""Exported days, and the other host where their files lie."""

from __future__ import annotations

import gzip
import json
from datetime import timedelta

import pytest
import requests

from sandbox import Sandbox
from sandbox.paths import MESSAGES

DAYS = "/bulkexports/v1/Exports/Messages/Days"
ROWS = [{"sid": "SM1"}, {"sid": "SM2"}]


@pytest.fixture
def twilio():
    with Sandbox(subaccounts=0, days=10, frozen=True, volumes={"messages": 60}) as twilio:
        yield twilio


def get(twilio, path):
    return requests.get(
        f"{twilio.base_url}{path}", auth=twilio.auth, allow_redirects=False, timeout=30
    )


def address_of(twilio, day):
    answer = get(twilio, f"{DAYS}/{day}")
    assert answer.status_code == 307
    address = answer.json()["redirect_to"]
    assert answer.headers["Location"] == address
    return address


def test_a_day_leads_to_a_file_on_another_host(twilio):
    twilio.export("Messages", "2020-07-26", ROWS, name="old")

    (day,) = get(twilio, DAYS).json()["days"]
    address = address_of(twilio, "2020-07-26")
    file = requests.get(address, timeout=30)

    assert (day["day"], day["friendly_name"]) == ("2020-07-26", "old")
    assert not address.startswith(twilio.base_url)
    assert day["size"] == len(file.content)
    assert [json.loads(line) for line in gzip.decompress(file.content).splitlines()] == ROWS


def test_days_that_made_themselves_hold_what_lists_have(twilio):
    days = get(twilio, DAYS).json()["days"]

    rows = [row for day in days for row in twilio.exported("Messages", day["day"])]
    listed = {row["sid"]: row for row in twilio.truth("api", MESSAGES)}
    assert rows
    for row in rows:
        assert row["error_code"] == (listed[row["sid"]]["error_code"] or 0)
        assert row["date_created"].startswith(row["start"])
        assert row.keys() < listed[row["sid"]].keys() | {"flags", "start"}
    assert get(twilio, f"{DAYS}/1999-01-01").status_code == 404


@pytest.mark.parametrize("headers", [{"Authorization": "Basic QUM6dA=="}, {"Cookie": "a=b"}])
def test_the_other_host_refuses_credentials(twilio, headers):
    twilio.export("Messages", "2020-07-26", ROWS)

    refused = requests.get(address_of(twilio, "2020-07-26"), headers=headers, timeout=30)

    assert refused.status_code == 400


def test_an_address_is_good_for_a_while_as_it_is(twilio):
    twilio.export("Messages", "2020-07-26", ROWS)
    address = address_of(twilio, "2020-07-26")

    assert requests.get(address[:-1] + "x", timeout=30).status_code == 403
    assert requests.get(address, timeout=30).status_code == 200
    twilio.advance(timedelta(hours=1))
    assert requests.get(address, timeout=30).status_code == 403


def test_a_file_is_there_for_a_week_and_the_newest_is_given(twilio):
    twilio.storage.life = 30 * 86400
    twilio.export("Messages", "2020-07-26", ROWS[:1])
    first = address_of(twilio, "2020-07-26")
    twilio.advance(timedelta(days=4))
    twilio.export("Messages", "2020-07-26", ROWS)

    assert len(get(twilio, DAYS).json()["days"]) == 2
    newest = requests.get(address_of(twilio, "2020-07-26"), timeout=30)
    assert len(gzip.decompress(newest.content).splitlines()) == 2
    twilio.advance(timedelta(days=4))
    assert len(get(twilio, DAYS).json()["days"]) == 1
    twilio.advance(timedelta(days=4))
    assert get(twilio, DAYS).json()["days"] == []
    assert get(twilio, f"{DAYS}/2020-07-26").status_code == 404
    assert requests.get(first, timeout=30).status_code == 404


def test_a_listed_day_may_have_no_file(twilio):
    twilio.export("Messages", "2020-07-26", has_file=False)

    assert len(get(twilio, DAYS).json()["days"]) == 1
    assert get(twilio, f"{DAYS}/2020-07-26").status_code == 404


JOBS = "/bulkexports/v1/Exports/Messages/Jobs"


def order(twilio, first, last, **fields):
    form = {"StartDay": first, "EndDay": last, "FriendlyName": "a", **fields}
    return requests.post(f"{twilio.base_url}{JOBS}", form, auth=twilio.auth, timeout=30)


def ago(twilio, days):
    return (twilio.now - timedelta(days=days)).date().isoformat()


def test_the_days_of_an_order_are_done_one_by_one(twilio):
    empty, failing, full = (ago(twilio, days) for days in (40, 39, 8))
    twilio.exports.failing.add(failing)

    def statuses():
        """What became of the three days, and what is listed."""
        (job,) = [one for one in get(twilio, JOBS).json()["jobs"] if one["job_sid"] == sid]
        found = {day: one["status"] for one in job["details"] for day in one["days"]}
        days = [one["day"] for one in get(twilio, DAYS).json()["days"]]
        return [found[day] for day in (empty, failing, full)], days

    sid = order(twilio, empty, full).json()["job_sid"]
    assert statuses() == (["Submitted"] * 3, [])
    twilio.advance(timedelta(hours=1, minutes=1))
    assert statuses() == (["CompletedEmptyRecords", "Running", "Running"], [])
    twilio.advance(timedelta(hours=1))
    outcome, days = statuses()
    assert outcome == ["CompletedEmptyRecords", "Failed", "Completed"]
    assert days[-1] == full
    assert twilio.exports.content("Messages", full, twilio.accounts[0])
    twilio.advance(timedelta(days=7))
    assert get(twilio, JOBS).json()["jobs"] == []


def test_an_order_that_may_not_be_is_refused(twilio):
    assert order(twilio, ago(twilio, 3), ago(twilio, 1)).status_code == 400
    assert order(twilio, ago(twilio, 3), ago(twilio, 4)).status_code == 400
    assert order(twilio, "2020-02-31", ago(twilio, 4)).status_code == 400
    assert order(twilio, ago(twilio, 3), ago(twilio, 3), FriendlyName="").status_code == 400
    assert order(twilio, ago(twilio, 400), ago(twilio, 35)).status_code == 201
    assert order(twilio, ago(twilio, 3), ago(twilio, 3)).status_code == 400
    twilio.advance(timedelta(days=1))
    assert order(twilio, ago(twilio, 3), ago(twilio, 3)).status_code == 201
    assert len(twilio.exports.jobs) == 2
