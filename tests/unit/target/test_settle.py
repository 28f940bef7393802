from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from target_twilio.client import Listed
from target_twilio.keys import Digests
from target_twilio.ledger import Entry
from target_twilio.settle import TRIAL, match, recipient_of, sender_of, shows, text_of

DIGESTS = Digests(b"salt")
AT = datetime(2026, 11, 20, 12, 0, 0, tzinfo=UTC)
SERVICE = "MG" + "0" * 32


def entry(place=1, to="+15550000001", text="Hi", sender="+15559990000", service=None):
    return Entry(
        id=str(place).encode(),
        stream="messages",
        key={"id": place},
        action="messages",
        content=b"",
        outcome="unknown",
        at=AT,
        recipient=recipient_of(to, DIGESTS),
        text=text and text_of(text, DIGESTS),
        sender=sender and sender_of(sender, DIGESTS),
        service=service and sender_of(service, DIGESTS),
    )


def listed(sid="SM1", seconds=1, **more):
    fields = {
        "to": "+15550000001",
        "sender": "+15559990000",
        "body": "Hi",
        "direction": "outbound-api",
        "date_created": format_datetime(AT + timedelta(seconds=seconds)),
    }
    return Listed(sid=sid, **(fields | more))


def found(entries, messages, known=()):
    matched = match(entries, messages, DIGESTS, set(known).__contains__)
    return {id_.decode(): message.sid for id_, message in matched.items()}


def test_a_message_that_is_listed_was_sent():
    assert found([entry()], [listed()]) == {"1": "SM1"}


def test_one_that_is_not_listed_is_not_told():
    assert found([entry()], []) == {}


@pytest.mark.parametrize(
    "other",
    [
        {"to": "+15550000002"},
        {"body": "Hi!"},
        {"sender": "+15559990001"},
        {"sender": None},
        {"direction": "inbound"},
        {"direction": None},
        {"body": None},
        {"to": None},
        {"seconds": -60},
    ],
)
def test_other_messages_settle_nothing(other):
    assert found([entry()], [listed(**other)]) == {}


@pytest.mark.parametrize(
    "same",
    [
        {"to": "+1 555 000 0001"},
        {"body": " Hi\n"},
        {"body": TRIAL + "Hi"},
        {"seconds": 0},
        {"seconds": -1},
        {"seconds": 86400},
        {"date_created": None},
    ],
)
def test_messages_that_differ_in_nothing_that_counts_do(same):
    assert found([entry()], [listed(**same)]) == {"1": "SM1"}


def test_messages_of_other_keys_are_left_out():
    assert found([entry()], [listed()], known=["SM1"]) == {}
    assert found([entry()], [listed(), listed("SM2")], known=["SM1"]) == {"1": "SM2"}


def test_two_candidates_settle_nothing():
    assert found([entry()], [listed(), listed("SM2")]) == {}


def test_keys_that_say_the_same_to_the_same_person_stay_unknown():
    twins = [entry(1), entry(2, sender="+15559990001"), entry(3, text="Other")]
    messages = [listed(), listed("SM2", sender="+15559990001"), listed("SM3", body="Other")]

    assert found(twins, messages) == {"3": "SM3"}


@pytest.mark.parametrize(
    ("sender", "service", "message", "settles"),
    [
        (None, SERVICE, {"messaging_service_sid": SERVICE, "sender": None}, True),
        (None, SERVICE, {"messaging_service_sid": SERVICE}, True),
        (None, SERVICE, {"messaging_service_sid": None}, False),
        (None, SERVICE, {"messaging_service_sid": "MG" + "1" * 32}, False),
        ("+15559990000", SERVICE, {"messaging_service_sid": SERVICE}, True),
        ("+15559990000", SERVICE, {"messaging_service_sid": SERVICE, "sender": "+1555"}, False),
        ("+15559990000", None, {"messaging_service_sid": SERVICE}, True),
        ("Brand", None, {"sender": "Brand"}, True),
        (None, None, {}, False),
    ],
)
def test_senders_are_compared_as_far_as_they_are_known(sender, service, message, settles):
    key = entry(sender=sender, service=service)

    assert bool(found([key], [listed(**message)])) is settles


def test_what_can_not_be_compared_is_not():
    assert found([entry(text=None)], [listed(body="")]) == {}


@pytest.mark.parametrize(
    ("wanted", "message", "expected"),
    [
        ({"Status": "canceled"}, {"status": "canceled"}, True),
        ({"Status": "canceled"}, {"status": "scheduled"}, False),
        ({"Body": ""}, {"body": ""}, True),
        ({"Body": ""}, {"body": "Hi"}, False),
        ({"Body": ""}, {"body": None}, False),
        ({}, {}, False),
    ],
)
def test_a_message_shows_what_became_of_it(wanted, message, expected):
    assert shows(listed(**message), wanted) is expected
