"""Rows become messages: what is sent, and what is not."""

from __future__ import annotations

import gzip
import itertools
import json
import re
from datetime import timedelta

import pytest

from harness import config_for, utc_now
from harness.target import TargetRunner, number, records, schema
from sandbox import Sandbox

CREATE = "/Messages.json"


@pytest.fixture(scope="module")
def twilio():
    """A simulated Twilio to write to; each test has people of its own."""
    options = {"volumes": {"calls": 0, "messages": 300}, "subaccounts": 0, "days": 10}
    with Sandbox(seed=5, now=utc_now(), **options) as twilio:
        yield twilio


@pytest.fixture
def target(twilio, tmp_path):
    twilio.requests.reset()
    yield TargetRunner(tmp_path, twilio)
    twilio.clear_plans()


TESTS = itertools.count(1)


@pytest.fixture
def to():
    """Gives numbers that no other test writes to."""
    own = next(TESTS) * 1000
    return lambda place=0: number(own + place)


def held(twilio, *numbers):
    """The messages that Twilio holds for these numbers."""
    return [one for one in twilio.held if one["parameters"].get("To", "").endswith(numbers)]


def message(place, to, **more):
    return {"id": place, "to": to, "body": f"Hello {place}", **more}


@pytest.fixture
def service(twilio):
    return next(iter(twilio.services))


def later(twilio, **ahead):
    return (twilio.now + timedelta(**ahead)).strftime("%Y-%m-%dT%H:%M:%SZ")


# --- Dry runs ------------------------------------------------------------------------------------


def test_nothing_leaves_the_machine_in_a_dry_run(target, twilio, to):
    sid = "SM" + "0" * 32
    every = [
        *records("messages", [message(0, to()), message(1, to(1), body="x" * 300)]),
        *records("message_cancellations", [{"id": 1, "sid": sid}]),
        *records("message_redactions", [{"id": 1, "sid": sid}]),
        *records("message_deletions", [{"id": 1, "sid": sid}]),
        *records("message_feedback", [{"id": 1, "sid": sid, "outcome": "confirmed"}]),
        *records("consents", [consent(1, to())]),
    ]

    told = target(every, send=None, ledger_path=None, allow_deletions=True)

    assert told.exit_code == 0
    assert told.outcomes == [
        "would_send",
        "would_send",
        "would_cancel",
        "would_redact",
        "would_delete",
        "would_record",
        "would_record",
    ]
    assert [(one.method, one.path[-14:]) for one in twilio.requests] == [("GET", CREATE)]
    assert not target.ledger.exists()
    # The next run is to be given the same rows.
    assert told.states == []


def test_segments_and_prices_are_told_ahead(target, to):
    rows = [message(0, to()), message(1, to(1), body="é" * 160), message(2, to(2), body="ж" * 71)]
    rows.append(message(3, "whatsapp:" + to(3)))

    told = target(records("messages", rows), send=False, **{"from": None})
    assert told.outcomes == ["rejected"] * 4
    told = target(records("messages", rows), send=False)

    assert [line["segments"] for line in told.results] == [1, 1, 2, None]
    assert [line["estimated_price"] for line in told.results] == ["0.0075", "0.0075", "0.015", None]
    assert "Messages: 4 segments, about 0.03 USD, and 1 messages of no known price" in told.log


def test_a_dry_run_knows_what_was_sent_and_leaves_the_ledger_alone(target, to):
    target(records("messages", [message(0, to())]))
    ledger = target.ledger.read_bytes()

    told = target(records("messages", [message(0, to()), message(1, to(1))]), send=False)
    again = target(records("messages", [message(1, to(1)), message(1, to(1))]), send=False)

    assert told.outcomes == ["duplicate", "would_send"]
    assert again.outcomes == ["would_send", "duplicate"]
    assert target.ledger.read_bytes() == ledger


# --- Messages ------------------------------------------------------------------------------------


def test_rows_become_messages_with_all_their_parameters(target, twilio, to, service):
    row = {
        "id": 1,
        "to": to(),
        "body": "Hi",
        "media_url": ["https://example.com/a.png", "https://example.com/b.png"],
        "messaging_service_sid": service,
        "status_callback": "https://example.com/back",
        "validity_period": 600,
        "smart_encoded": True,
        "risk_check": "disable",
        "content_retention": "retain",
        "_campaign": "spring",
    }

    told = target(records("messages", [row]))

    (sent,) = held(twilio, to())
    assert sent["parameters"] == {
        "To": to(),
        "Body": "Hi",
        "MediaUrl": ["https://example.com/a.png", "https://example.com/b.png"],
        "MessagingServiceSid": service,
        "StatusCallback": "https://example.com/back",
        "ValidityPeriod": "600",
        "SmartEncoded": "true",
        "RiskCheck": "disable",
        "ContentRetention": "retain",
    }
    (line,) = told.results
    assert (told.exit_code, line["outcome"], line["sid"]) == (0, "sent", sent["sid"])
    assert (line["key"], line["_campaign"]) == ({"id": 1}, "spring")
    assert told.states == [{"bookmarks": {"messages": 1}}]


def test_a_row_may_be_of_any_channel(target, twilio, to):
    whatsapp = next(one for one in twilio.senders if one.startswith("whatsapp:"))
    row = message(1, f"whatsapp:{to()}", **{"from": whatsapp})

    told = target(records("messages", [row]))

    assert told.outcomes == ["sent"]
    assert [one["parameters"]["From"] for one in held(twilio, to())] == [whatsapp]


def test_templates_carry_their_variables(target, twilio, to):
    template = twilio.truth("content", "/v2/Content")[0]["sid"]
    row = {"id": 1, "to": to(), "content_sid": template, "content_variables": {"1": "Ann", "2": 3}}

    told = target(records("messages", [row]))

    assert told.outcomes == ["sent"]
    (sent,) = held(twilio, to())
    assert json.loads(sent["parameters"]["ContentVariables"]) == {"1": "Ann", "2": "3"}


def test_a_rows_own_sender_takes_the_place_of_the_default(target, twilio, to, service):
    own = twilio.services[service][0]
    rows = [
        message(0, to(0)),
        message(1, to(1), messaging_service_sid=service),
        message(2, to(2), messaging_service_sid=service, **{"from": own}),
        message(3, to(3), **{"from": None, "messaging_service_sid": ""}),
    ]

    target(records("messages", rows))

    senders = [
        {name: one["parameters"].get(name) for name in ("From", "MessagingServiceSid")}
        for place in range(4)
        for one in held(twilio, to(place))
    ]
    default = {"From": twilio.senders[0], "MessagingServiceSid": None}
    assert senders == [
        default,
        {"From": None, "MessagingServiceSid": service},
        {"From": own, "MessagingServiceSid": service},
        default,
    ]


def test_schedules_are_set_by_the_target(target, twilio, to, service):
    due = twilio.now + timedelta(days=2)
    zoned = due.astimezone().isoformat()

    told = target(
        records("messages", [message(1, to(), send_at=zoned)]), messaging_service_sid=service
    )

    assert told.outcomes == ["scheduled"]
    (sent,) = held(twilio, to())
    assert sent["status"] == "scheduled"
    assert sent["parameters"]["ScheduleType"] == "fixed"
    assert sent["parameters"]["SendAt"] == due.strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.mark.parametrize(
    "case",
    [
        ({"send_at": None}, 35111),
        ({"send_at": ""}, 35111),
        ({"send_at": "2026-12-24T08:00:00"}, 35114),
        ({"send_at": "tomorrow"}, 35114),
        ({"send_at": "ahead 4 minutes"}, 35115),
        ({"send_at": "ahead -1 minutes"}, 35115),
        ({"send_at": "ahead 51000 minutes"}, 35117),
        ({"send_at": "ahead 60 minutes", "schedule_type": "other"}, 35126),
        ({"schedule_type": "fixed"}, 35111),
    ],
)
def test_schedules_that_make_no_sense_are_never_sent_at_once(target, twilio, to, service, case):
    given, code = case
    ahead = re.fullmatch(r"ahead (\S+) minutes", str(given.get("send_at")))
    if ahead:
        given = given | {"send_at": later(twilio, minutes=int(ahead[1]))}

    told = target(records("messages", [message(1, to(), **given)]), messaging_service_sid=service)

    assert [(one["outcome"], one["code"]) for one in told.results] == [("rejected", code)]
    assert held(twilio, to()) == []
    assert target.writes == []


def test_a_schedule_without_a_messaging_service_is_refused(target, twilio, to):
    row = message(1, to(), send_at=later(twilio, hours=2))

    told = target(records("messages", [row]))

    assert [(one["outcome"], one["code"]) for one in told.results] == [("rejected", 35118)]
    assert "Twilio would send at once" in told.results[0]["message"]
    assert target.writes == []


def test_a_schedule_that_has_passed_since_is_still_a_duplicate(target, twilio, to, service):
    rows = [message(1, to(), send_at=later(twilio, minutes=6))]
    target(records("messages", rows), messaging_service_sid=service)
    twilio.advance(timedelta(hours=1))

    told = target(records("messages", rows), messaging_service_sid=service)

    assert (told.exit_code, told.outcomes) == (0, ["duplicate"])


BAD = {
    "no recipient": ({"to": None}, 21604),
    "an empty recipient": ({"to": ""}, 21604),
    "a number without a country": ({"to": "5551234567"}, 21211),
    "a number as a number": ({"to": 15551234567}, 21211),
    "no text": ({"body": None}, 21619),
    "a text that is too long": ({"body": "x" * 1601}, 21617),
    "a text that is none": ({"body": 5}, 21617),
    "too many media": ({"media_url": ["https://example.com/a.png"] * 11}, 21623),
    "a medium that is no URL": ({"media_url": "a.png"}, 21620),
    "a callback that is no URL": ({"status_callback": "here"}, 21609),
    "a template that is none": ({"body": None, "content_sid": "HX1"}, 21655),
    "a variable without text": (
        {"body": None, "content_sid": "HX" + "0" * 32, "content_variables": {"1": ""}},
        21656,
    ),
    "variables that are no object": (
        {"body": None, "content_sid": "HX" + "0" * 32, "content_variables": "[1]"},
        21656,
    ),
    "variables without a template": ({"content_variables": {"1": "x"}}, 21654),
    "a template and a text": ({"content_sid": "HX" + "0" * 32}, None),
    "a validity of no time": ({"validity_period": 0}, 90007),
    "a validity of too much time": ({"validity_period": 36001}, 90007),
    "a flag that is none": ({"smart_encoded": "maybe"}, None),
    "a service that is none": ({"messaging_service_sid": "MG1"}, 21705),
    "an unknown field": ({"sendat": "2026-12-24T08:00:00Z"}, None),
    "a field of old": ({"max_price": "0.1"}, None),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_row_is_told_by_its_code_and_the_run_goes_on(target, to, case):
    change, code = BAD[case]

    told = target(records("messages", [message(1, to()) | change, message(2, to(2))]))

    assert told.exit_code == 1
    assert told.outcomes == ["rejected", "sent"]
    first = told.results[0]
    assert first["code"] == code
    assert first["message"].startswith((*(f"{name}:" for name in change), "body:"))
    assert told.states == [{"bookmarks": {"messages": 2}}]
    assert target.writes == ["POST"]


REFUSED = {
    21211: {"to": "+15005550001"},
    21612: {"to": "+15005550002"},
    21408: {"to": "+15005550003"},
    21614: {"to": "+15005550009"},
    21212: {"from": "+15005550001"},
    21606: {"from": "+15005550007"},
    21659: {"from": "+4930123456"},
    21910: {"from": "whatsapp:+14155550000"},
    21705: {"messaging_service_sid": "MG" + "0" * 32},
    21655: {"body": None, "content_sid": "HX" + "0" * 32},
}


@pytest.mark.parametrize("code", REFUSED)
def test_what_twilio_refuses_is_told_in_our_words(target, to, code):
    rows = [message(1, to()) | REFUSED[code], message(2, to(2))]

    told = target(records("messages", rows))

    assert told.exit_code == 1
    assert told.outcomes == ["rejected", "sent"]
    assert told.results[0]["code"] == code
    assert told.results[0]["message"]
    assert re.search(rf"1 rejected with code {code}: \w+", told.log)


def test_a_full_queue_is_tried_again_and_then_told(target, twilio, to, monkeypatch):
    monkeypatch.setattr("target_twilio.run.FIRST_PAUSE", 0.01)
    twilio.rules.full_queues.add(twilio.senders[1])
    try:
        told = target(records("messages", [message(1, to())]), **{"from": twilio.senders[1]})
    finally:
        twilio.rules.full_queues.clear()

    assert [(one["outcome"], one["code"]) for one in told.results] == [("rejected", 21611)]
    assert target.writes == ["POST"] * 4


def test_who_has_opted_out_is_suppressed_and_that_is_no_failure(target, twilio, to):
    twilio.opt_out(to())

    told = target(records("messages", [message(1, to())]))
    twilio.opt_in(to())
    again = target(records("messages", [message(1, to())]))

    assert (told.exit_code, told.outcomes) == (0, ["suppressed"])
    assert told.results[0]["code"] == 21610
    assert (again.exit_code, again.outcomes) == (0, ["sent"])


# --- Keys ----------------------------------------------------------------------------------------


def test_a_key_is_sent_once(target, twilio, to):
    rows = [message(1, to()), message(1, to())]

    first = target(records("messages", rows))
    second = target(records("messages", rows))

    assert first.outcomes == ["sent", "duplicate"]
    assert second.outcomes == ["duplicate", "duplicate"]
    assert {line["sid"] for line in [*first.results, *second.results]} == {
        held(twilio, to())[0]["sid"]
    }
    assert len(held(twilio, to())) == 1


def test_a_key_with_other_content_is_not_sent_either(target, twilio, to):
    target(records("messages", [message(1, to())]))

    told = target(
        records("messages", [message(1, to(), body="Other"), message(1, to(), body=None)])
    )

    assert (told.exit_code, told.outcomes) == (0, ["changed", "changed"])
    assert told.results[0]["sid"] == held(twilio, to())[0]["sid"]
    assert len(held(twilio, to())) == 1


def test_another_default_sender_changes_no_row(target, twilio, to):
    target(records("messages", [message(1, to())]))

    told = target(records("messages", [message(1, to())]), **{"from": twilio.senders[1]})

    assert told.outcomes == ["duplicate"]


def test_keys_are_equal_as_numbers_are(target, to):
    rows = [
        message(1, to()),
        message(1, to()) | {"id": 1.0},
        message("1", to(1)),
        message(1, to(2)) | {"id": True},
    ]

    told = target(records("messages", rows))

    assert told.outcomes == ["sent", "duplicate", "sent", "sent"]


def test_key_fields_need_not_be_parameters_and_streams_differ(target, to):
    rows = [{"user": 1, "day": "2026-11-01", "to": to(), "body": "x"}]
    first = target(records("messages", rows, keys=["user", "day"]))
    second = target(records("messages", rows, keys=["day", "user"]))
    third = target(
        records("reminders", rows, keys=["day", "user"]), streams={"reminders": "messages"}
    )

    assert (first.outcomes, second.outcomes, third.outcomes) == (["sent"], ["duplicate"], ["sent"])


def test_numbers_stay_numbers_in_the_results(target, to):
    row = message(1, to()) | {"id": 1.5, "_score": 2.0, "_weight": 0.1}

    (line,) = target(records("messages", [row])).results

    assert (line["key"], line["_score"], line["_weight"]) == ({"id": 1.5}, 2, 0.1)


def test_a_rejected_row_is_tried_again_only_if_it_comes_again(target, to):
    bad = message(1, to(), **{"from": "+15005550007"})
    target(records("messages", [bad]))

    nothing = target(records("messages", []))
    mended = target(records("messages", [message(1, to())]))

    assert (nothing.exit_code, nothing.results) == (0, [])
    assert mended.outcomes == ["sent"]


def test_a_null_key_is_refused(target, to):
    told = target(records("messages", [message(None, to()), message(None, to(1))]))

    assert told.outcomes == ["rejected", "rejected"]
    assert "id: a key field is null" in told.results[0]["message"]
    assert target.writes == []


def test_a_key_that_is_missing_ends_the_run(target, to):
    told = target(records("messages", [{"to": to(), "body": "x"}]))

    assert told.exit_code == 1
    assert "missing one or more key_properties" in told.log
    assert "Traceback" not in told.log
    assert target.writes == []


# --- Streams -------------------------------------------------------------------------------------


def test_a_stream_without_an_action_is_refused(target, to):
    told = target(records("contacts", [message(1, to())]))

    assert told.exit_code == 1
    assert "streams: nothing says what rows of 'contacts' have done" in told.log
    assert target.writes == []


def test_a_stream_without_a_key_is_refused(target, to):
    told = target([*records("messages", [message(1, to())], keys=[])])

    assert told.exit_code == 1
    assert "messages: the stream has no key" in told.log
    assert target.writes == []


def test_stream_maps_make_messages_of_contacts(target, twilio, to):
    contacts = [
        {"id": 1, "phone": to(), "name": "Ann", "wants": True},
        {"id": 2, "phone": to(1), "name": "Bob", "wants": False},
    ]
    maps = {
        "contacts": {
            "__alias__": "messages",
            "__filter__": "wants",
            "__key_properties__": ["id"],
            "__else__": None,
            "id": "id",
            "to": "phone",
            "body": "'Hello ' + name",
        }
    }
    properties = {
        "id": {"type": "integer"},
        "phone": {"type": "string"},
        "name": {"type": "string"},
        "wants": {"type": "boolean"},
    }
    messages = [schema("contacts", **properties), *records("contacts", contacts)[1:]]

    told = target(messages, stream_maps=maps)

    assert told.outcomes == ["sent"]
    assert [one["body"] for one in held(twilio, to(), to(1))] == ["Hello Ann"]


def test_a_map_that_fails_names_itself_and_not_the_row(target, to):
    maps = {"contacts": {"__alias__": "messages", "body": "1 + name"}}
    rows = [{"id": 1, "to": to(), "name": "Ann Very Private"}]
    properties = {"id": {"type": "integer"}, "to": {"type": "string"}, "name": {"type": "string"}}

    told = target(
        [schema("contacts", **properties), *records("contacts", rows)[1:]], stream_maps=maps
    )

    assert told.exit_code == 1
    assert "stream_maps: they fail for a record" in told.log
    assert "Private" not in told.log


def test_batches_are_read_line_by_line(target, twilio, to, tmp_path):
    plain, packed = tmp_path / "a.jsonl", tmp_path / "b.jsonl.gz"
    plain.write_text("".join(json.dumps(message(one, to(one))) + "\n" for one in range(3)))
    with gzip.open(packed, "wt") as file:
        file.writelines(json.dumps(message(one, to(one))) + "\n" for one in range(3, 5))
    batches = [
        {
            "type": "BATCH",
            "stream": "messages",
            "encoding": {"format": "jsonl", "compression": compression},
            "manifest": [f"file://{path}"],
        }
        for path, compression in ((plain, "none"), (packed, "gzip"))
    ]

    told = target([schema("messages"), *batches, {"type": "STATE", "value": {"a": 1}}])

    assert told.outcomes == ["sent"] * 5
    assert len(held(twilio, *map(to, range(5)))) == 5
    assert told.states == [{"a": 1}]


def test_a_batch_that_is_gone_is_one_sentence(target, tmp_path):
    batch = {
        "type": "BATCH",
        "stream": "messages",
        "encoding": {"format": "jsonl", "compression": "none"},
        "manifest": [f"file://{tmp_path}/gone.jsonl"],
    }

    told = target([schema("messages"), batch])

    assert told.exit_code == 1
    assert "gone.jsonl, which can't be read" in told.log
    assert "Traceback" not in told.log


def test_versions_are_ignored(target, to):
    version = {"type": "ACTIVATE_VERSION", "stream": "messages", "version": 5}

    told = target([*records("messages", [message(1, to())]), version])

    assert (told.exit_code, told.outcomes) == (0, ["sent"])


def test_rows_that_break_their_schema_are_judged_by_what_they_say(target, to):
    strict = schema("messages", id={"type": "string"}, to={"type": "integer"})

    told = target([strict, *records("messages", [message(1, to())])[1:]])

    assert (told.exit_code, told.outcomes) == (0, ["sent"])


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("{", "Line 2 of the input can't be read: it is no JSON object"),
        ('{"type": "NEWS"}', "Line 2 of the input can't be read: its type is none of Singer's"),
        ('{"type": "RECORD", "stream": "messages"}', "A message lacks record"),
        ('{"stream": "messages"}', "A message lacks type"),
        (
            '{"type": "RECORD", "stream": "messages", "record": [1]}',
            "Line 2 of the input can't be read: its record is no object",
        ),
        ('{"type": "RECORD", "stream": "other", "record": {}}', "before a corresponding schema"),
    ],
)
def test_a_line_that_is_no_message_is_one_sentence(target, line, sentence):
    told = target([schema("messages"), line])

    assert told.exit_code == 1
    assert sentence in told.log
    assert "Traceback" not in told.log


# --- Messages that there are ---------------------------------------------------------------------


def test_scheduled_messages_are_canceled_and_others_are_told(target, twilio, to, service):
    due = later(twilio, days=1)
    first = target(
        records("messages", [message(1, to(), send_at=due), message(2, to(1))]),
        messaging_service_sid=service,
    )
    sids = [line["sid"] for line in first.results]

    told = target(records("message_cancellations", [{"sid": sid} for sid in sids], keys=["sid"]))

    assert [(one["outcome"], one["code"]) for one in told.results] == [
        ("canceled", None),
        ("rejected", 30409),
    ]
    assert [one["status"] == "canceled" for one in held(twilio, to(), to(1))] == [True, False]


def final(twilio):
    """Messages that have reached their last status."""
    rows = twilio.truth("api", "/2010-04-01/Accounts/{AccountSid}/Messages.json")
    return [row["sid"] for row in rows if row["status"] == "delivered" and row["body"]]


def test_texts_are_redacted(target, twilio):
    sid = final(twilio)[0]

    told = target(records("message_redactions", [{"sid": sid}], keys=["sid"]))
    again = target(records("message_redactions", [{"sid": sid}], keys=["sid"]))

    assert (told.outcomes, again.outcomes) == (["redacted"], ["duplicate"])
    rows = twilio.truth("api", "/2010-04-01/Accounts/{AccountSid}/Messages.json")
    assert [row["body"] for row in rows if row["sid"] == sid] == [""]


def test_messages_are_deleted_and_what_is_gone_is_deleted_too(target, twilio):
    sid = final(twilio)[1]
    rows = [{"id": 1, "sid": sid}, {"id": 2, "sid": sid}]

    told = target(records("message_deletions", rows), allow_deletions=True)

    assert (told.exit_code, told.outcomes) == (0, ["deleted", "deleted"])
    assert sid not in final(twilio)
    assert target.writes == ["DELETE", "DELETE"]


def test_deletions_need_their_switch(target, twilio, to):
    sid = final(twilio)[2]
    rows = records("message_deletions", [{"id": 1, "sid": sid}])

    by_name = target([*rows, *records("messages", [message(1, to())])])
    by_setting = target(
        records("messages", [message(1, to())]), streams={"forget": "message_deletions"}
    )

    assert by_name.exit_code == by_setting.exit_code == 1
    assert "set allow_deletions to true" in by_name.log
    assert "streams.forget: rows of message_deletions delete for good" in by_setting.log
    assert target.writes == []


def test_feedback_is_recorded_and_may_change(target, twilio, to):
    first = target(records("messages", [message(1, to(), provide_feedback=True)]))
    sid = first.results[0]["sid"]
    rows = [{"sid": sid, "outcome": one} for one in ("unconfirmed", "unconfirmed", "confirmed")]

    told = target(records("message_feedback", rows, keys=["sid"]))

    assert told.outcomes == ["recorded", "duplicate", "recorded"]
    said = [one for one in twilio.feedback if one["message_sid"] == sid]
    assert [one["outcome"] for one in said] == ["unconfirmed", "confirmed"]


@pytest.mark.parametrize(
    "stream", ["message_cancellations", "message_redactions", "message_feedback"]
)
def test_a_message_that_is_not_there_is_told(target, stream):
    row = {"sid": "SM" + "0" * 32} | ({"outcome": "confirmed"} if "feedback" in stream else {})

    told = target(records(stream, [row, row | {"sid": "nothing"}], keys=["sid"]))

    assert [one["outcome"] for one in told.results] == ["rejected", "rejected"]
    assert [one["code"] for one in told.results] == [20404, None]


def consent(place, to, **more):
    return {
        "id": place,
        "contact_id": to,
        "sender_id": "+14155550007",
        "status": "opt-out",
        "source": "website",
        "date_of_consent": "2026-11-01T10:00:00+01:00",
        **more,
    }


def test_consents_go_in_batches_and_before_what_comes_behind_them(target, twilio, to):
    rows = [consent(place, to(place)) for place in range(60)]

    told = target([*records("consents", rows), *records("messages", [message(1, to(59))])])

    assert told.outcomes == ["recorded"] * 60 + ["suppressed"]
    assert target.writes == ["POST"] * 4
    mine = [one for one in twilio.consents if one["contact_id"] in {*map(to, range(60))}]
    assert len(mine) == 60
    assert told.states[-1] == {"bookmarks": {"messages": 1}}


def test_consents_are_upserted(target, twilio, to):
    rows = [consent(1, to()), consent(1, to()), consent(1, to(), status="opt-in")]

    told = target(records("consents", rows))

    assert told.outcomes == ["recorded", "duplicate", "recorded"]
    assert [one["status"] for one in twilio.consents if one["contact_id"] == to()] == ["opt-in"]


def test_a_consent_that_is_refused_leaves_the_others(target, to):
    rows = [consent(1, to()), consent(2, to(1), sender_id="nobody"), consent(3, "x")]

    told = target(records("consents", rows))

    assert sorted(told.outcomes) == ["recorded", "rejected", "rejected"]
    assert told.exit_code == 1


# --- What the tap reads of it --------------------------------------------------------------------


def test_the_tap_reads_back_what_was_written(target, twilio, to, run):
    told = target(records("messages", [message(place, to(place)) for place in range(20)]))
    sids = {line["sid"]: line["key"]["id"] for line in told.results}
    twilio.advance(timedelta(hours=2))

    output = run(config_for(twilio), streams=["messages"])

    read = {one["sid"]: one for one in output.records("messages")}
    assert {sid: read[sid]["body"] for sid in sids} == {
        sid: f"Hello {place}" for sid, place in sids.items()
    }
    assert {read[sid]["status"] for sid in sids} <= {"delivered", "undelivered", "failed", "sent"}
