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
