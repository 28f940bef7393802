from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from target_twilio.actions import ACTIONS, understand
from target_twilio.fields import MisfitError
from target_twilio.messages import Defaults, check_schedule

SERVICE = "MG" + "0" * 32
NOW = datetime(2026, 11, 20, 12, 0, 0, tzinfo=UTC)


USUAL = Defaults("+15550100")


def params(stream="messages", defaults=USUAL, **row):
    """What a request carries, by Twilio's names."""
    usual = {"to": "+15550000001", "body": "Hi"} if stream == "messages" else {}
    found = {}
    for name, value in understand(ACTIONS[stream], usual | row, defaults).params:
        found.setdefault(name, []).append(value)
    return {name: one[0] if len(one) == 1 else one for name, one in found.items()}


@pytest.mark.parametrize(
    ("field", "value", "parameter", "carried"),
    [
        ("to", "whatsapp:+1 555 000 0001", "To", "whatsapp:+15550000001"),
        ("from", "+1 555 0199", "From", "+15550199"),
        ("from", "Brand", "From", "Brand"),
        ("from", "12345", "From", "12345"),
        ("media_url", "https://example.com/a", "MediaUrl", "https://example.com/a"),
        (
            "media_url",
            ["https://a.b/1", "https://a.b/2"],
            "MediaUrl",
            ["https://a.b/1", "https://a.b/2"],
        ),
        ("validity_period", 60, "ValidityPeriod", "60"),
        ("validity_period", Decimal("60.0"), "ValidityPeriod", "60"),
        ("validity_period", "060", "ValidityPeriod", "60"),
        ("smart_encoded", True, "SmartEncoded", "true"),
        ("smart_encoded", "False", "SmartEncoded", "false"),
        ("shorten_urls", "false", "ShortenUrls", "false"),
        ("content_retention", "Discard", "ContentRetention", "discard"),
        ("persistent_action", ["geo:1,2"], "PersistentAction", "geo:1,2"),
        ("body", "ünï😀", "Body", "ünï😀"),
    ],
)
def test_fields_become_parameters(field, value, parameter, carried):
    assert params(**{field: value})[parameter] == carried


@pytest.mark.parametrize(
    "row",
    [
        {"body": "\ud800"},
        {"body": ["Hi"]},
        {"media_url": "ftp://example.com/a"},
        {"media_url": "https://exam ple.com/a"},
        {"media_url": "https://["},
        {"media_url": [1]},
        {"media_url": [], "body": None},
        {"validity_period": 1.5},
        {"validity_period": True},
        {"validity_period": float("nan")},
        {"validity_period": "many"},
        {"attempt": 0},
        {"smart_encoded": 1},
        {"content_retention": "forget"},
        {"application_sid": "AP"},
        {"shorten_urls": True},
        {"fallback_from": "+15550101"},
        {"content_variables": "{"},
        {
            "body": None,
            "content_sid": "HX" + "0" * 32,
            "content_variables": {str(n): "x" for n in range(101)},
        },
        {"body": None, "content_sid": "HX" + "0" * 32, "content_variables": {"n" * 17: "x"}},
        {"body": None, "content_sid": "HX" + "0" * 32, "content_variables": {"n": "x" * 256}},
        {"body": None, "content_sid": "HX" + "0" * 32, "content_variables": {"n": ["x"]}},
        {"body": None, "content_sid": "HX" + "0" * 32, "content_variables": {"n": None}},
    ],
    ids=lambda row: "-".join(f"{name}={str(one)[:20]!r}" for name, one in row.items()),
)
def test_what_makes_no_sense_is_told_without_what_it_says(row):
    with pytest.raises(MisfitError) as raised:
        params(**row)

    reason = str(raised.value)
    assert reason.startswith(tuple(f"{name}:" for name in row))
    said = [one for one in row.values() if isinstance(one, str) and len(one) > len("AP")]
    assert not [one for one in said if one in reason]


def test_variables_may_be_text_or_an_object():
    template = {"body": None, "content_sid": "HX" + "0" * 32}

    given = [{"1": "Ann", "2": 3, "3": Decimal("1.50")}, '{"1": "Ann", "2": 3, "3": 1.50}']

    for one in given:
        carried = params(**template, content_variables=one)["ContentVariables"]
        assert json.loads(carried) == {"1": "Ann", "2": "3", "3": "1.50"}


@pytest.mark.parametrize(
    "value",
    [
        "2026-12-24T08:00:00Z",
        "2026-12-24T09:00:00+01:00",
        "2026-12-24 08:00:00.000Z",
        " 20261224T080000Z ",
        datetime(2026, 12, 24, 9, tzinfo=timezone(timedelta(hours=1))),
    ],
)
def test_moments_are_written_in_utc(value):
    found = params(defaults=Defaults(service=SERVICE), send_at=value)

    assert found["SendAt"] == "2026-12-24T08:00:00Z"
    assert found["ScheduleType"] == "fixed"
    assert found["MessagingServiceSid"] == SERVICE


@pytest.mark.parametrize(
    "value", [5, True, "2026-12-24", NOW.replace(tzinfo=None), [], "0001-01-01T00:00:00+14:00"]
)
def test_moments_without_a_zone_are_none(value):
    with pytest.raises(MisfitError, match=r"^send_at: "):
        params(defaults=Defaults(service=SERVICE), send_at=value)


@pytest.mark.parametrize(
    ("ahead", "code"),
    [
        ({"minutes": 5}, None),
        ({"minutes": 4, "seconds": 59}, 35115),
        ({"days": -1}, 35115),
        ({"days": 35}, None),
        ({"days": 35, "seconds": 1}, 35117),
    ],
)
def test_schedules_have_bounds(ahead, code):
    if code is None:
        check_schedule(NOW + timedelta(**ahead), NOW)
        return
    with pytest.raises(MisfitError) as raised:
        check_schedule(NOW + timedelta(**ahead), NOW)
    assert raised.value.code == code


@pytest.mark.parametrize(
    ("defaults", "row", "expected"),
    [
        (Defaults("+1555"), {}, ("+1555", None)),
        (Defaults(None, SERVICE), {}, (None, SERVICE)),
        (Defaults("+1555"), {"messaging_service_sid": SERVICE}, (None, SERVICE)),
        (Defaults(None, SERVICE), {"from": "Brand"}, ("Brand", None)),
        (Defaults(), {"from": "Brand", "messaging_service_sid": SERVICE}, ("Brand", SERVICE)),
    ],
)
def test_a_rows_sender_takes_the_place_of_both_defaults(defaults, row, expected):
    found = params(defaults=defaults, **row)

    assert (found.get("From"), found.get("MessagingServiceSid")) == expected


def test_no_sender_at_all_is_refused():
    with pytest.raises(MisfitError) as raised:
        params(defaults=Defaults())

    assert raised.value.code == 21603


def test_a_schedule_by_the_rows_own_number_is_refused_whatever_the_default():
    with pytest.raises(MisfitError) as raised:
        params(
            defaults=Defaults(service=SERVICE), send_at="2026-12-24T08:00:00Z", **{"from": "Brand"}
        )

    assert raised.value.code == 35118


def test_defaults_are_no_part_of_what_makes_a_row_another():
    row = {"to": "+15550000001", "body": "Hi"}
    drafts = [understand(ACTIONS["messages"], row, Defaults(one)) for one in ("+1555", "+1556")]

    assert drafts[0].own == drafts[1].own
    assert drafts[0].params != drafts[1].params


@pytest.mark.parametrize(
    ("row", "parts"),
    [
        ({"body": "x" * 161}, 2),
        ({"body": "x", "media_url": "https://a.b/c"}, None),
        ({"to": "whatsapp:+15550000001"}, None),
        ({"body": None, "content_sid": "HX" + "0" * 32}, None),
    ],
)
def test_only_sms_is_billed_by_segments(row, parts):
    usual = {"to": "+15550000001", "body": "Hi"}

    assert understand(ACTIONS["messages"], usual | row, Defaults("+1555")).segments == parts


SID = "SM" + "0" * 32


@pytest.mark.parametrize(
    ("stream", "row", "expected"),
    [
        ("message_cancellations", {"sid": SID}, {"Status": "canceled"}),
        ("message_redactions", {"sid": SID}, {"Body": ""}),
        ("message_deletions", {"sid": SID}, {}),
        ("message_feedback", {"sid": SID, "outcome": "Confirmed"}, {"Outcome": "confirmed"}),
    ],
)
def test_actions_on_messages_carry_what_makes_them_so(stream, row, expected):
    assert params(stream, **row) == expected


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("2026-11-01", "2026-11-01"),
        (date(2026, 11, 1), "2026-11-01"),
        ("2026-11-01T10:00:00+01:00", "2026-11-01T09:00:00Z"),
    ],
)
def test_consents_have_a_day_or_a_moment(value, written):
    row = {
        "contact_id": "+1 555 000 0001",
        "sender_id": SERVICE,
        "status": "opt-in",
        "source": "website",
        "date_of_consent": value,
    }

    assert params("consents", **row)["date_of_consent"] == written


@pytest.mark.parametrize(
    ("stream", "missing"),
    [
        ("messages", "to"),
        ("message_feedback", "outcome"),
        ("message_redactions", "sid"),
        ("consents", "contact_id"),
    ],
)
def test_what_an_action_needs_is_named(stream, missing):
    action = ACTIONS[stream]
    row = dict.fromkeys(action.required, SID) | {missing: ""}

    with pytest.raises(MisfitError, match=f"^{missing}: it is required"):
        understand(action, row, Defaults("+1555"))
