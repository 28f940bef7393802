"""What clients write: messages, their end, what is thought of them, and consents."""

from __future__ import annotations

import base64
import json
import signal
import socket
import subprocess
import sys
from datetime import datetime, timedelta
from urllib.parse import urlencode, urlsplit

import pytest
import requests

from sandbox import Faults, Sandbox, faults
from sandbox.segments import count_segments
from tests.project.sandbox.client import CALLS, MESSAGES, Client

MESSAGE = "/2010-04-01/Accounts/{AccountSid}/Messages/%s.json"
FEEDBACK = "/2010-04-01/Accounts/{AccountSid}/Messages/%s/Feedback.json"
MEDIA = "/2010-04-01/Accounts/{AccountSid}/Messages/%s/Media.json"
CONSENTS = "/v1/Consents/Bulk"
USAGE = "/2010-04-01/Accounts/{AccountSid}/Usage/Records/Today.json"
SOMEBODY = "+447700900123"
NOW = "2026-11-20T12:00:00Z"
FINAL = {"delivered", "undelivered", "failed"}


class Writer(Client):
    """A client that also writes."""

    def ask_to(self, method, path, form=None, host="api", account=None):
        place = path.replace("{AccountSid}", account or self.twilio.account_sid)
        return self.session.request(
            method, f"{self.twilio.base_url}/{host}{place}", data=form, allow_redirects=False
        )

    def create(self, **form):
        """Create a message, to somebody and from the first number unless told otherwise."""
        usual = {"To": SOMEBODY, "From": self.twilio.senders[0], "Body": "Your table is ready"}
        given = {name: value for name, value in (usual | form).items() if value is not None}
        return self.ask_to("POST", MESSAGES, given)

    def create_by_service(self, **form):
        return self.create(From=None, MessagingServiceSid=service_of(self.twilio), **form)

    def schedule(self, moment, **form):
        return self.create_by_service(ScheduleType="fixed", SendAt=moment, **form)

    def consent(self, *items):
        form = [("Items", one if isinstance(one, str) else json.dumps(one)) for one in items]
        return self.ask_to("POST", CONSENTS, form, host="accounts")


@pytest.fixture
def twilio(schemas):
    volumes = {"messages": 20, "calls": 0}
    with Sandbox(schemas=schemas, volumes=volumes, now=NOW, frozen=True) as sandbox:
        yield sandbox


@pytest.fixture
def writer(twilio):
    return Writer(twilio)


def service_of(twilio):
    return next(iter(twilio.services))


def template_of(twilio):
    return twilio.truth("content", "/v2/Content")[0]["sid"]


def later(**time):
    moment = datetime.fromisoformat(NOW) + timedelta(**time)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def refusal(answer):
    body = answer.json()
    assert body["status"] == answer.status_code
    assert body["more_info"].endswith(f"/{body['code']}")
    assert body["message"]
    return answer.status_code, body["code"]


def test_a_message_by_a_number_is_queued_and_settles(twilio, writer):
    answer = writer.create()
    row = answer.json()
    assert answer.status_code == 201
    assert row["status"] == "queued"
    assert (row["from"], row["to"]) == (twilio.senders[0], SOMEBODY)
    assert (row["num_segments"], row["date_sent"], row["price"]) == ("1", None, None)
    assert writer.get("api", MESSAGE % row["sid"]).json() == row

    twilio.advance(timedelta(days=3))
    settled = writer.get("api", MESSAGE % row["sid"]).json()
    assert settled["status"] in FINAL
    assert settled["date_created"] == row["date_created"]
    assert settled["date_sent"]


def test_a_message_by_a_service_has_its_sender_once_it_is_sent(twilio, writer):
    row = writer.create_by_service().json()
    assert (row["status"], row["from"], row["num_segments"]) == ("accepted", None, "0")
    twilio.advance(timedelta(days=3))
    settled = writer.get("api", MESSAGE % row["sid"]).json()
    assert settled["from"] in twilio.services[service_of(twilio)]
    assert settled["num_segments"] == "1"


def test_outcomes_differ_and_depend_on_the_seed(schemas):
    def statuses():
        with Sandbox(schemas=schemas, now=NOW, frozen=True, volumes={"messages": 0}) as twilio:
            writer = Writer(twilio)
            for _ in range(120):
                writer.create()
            twilio.advance(timedelta(days=3))
            return [one["status"] for one in twilio.held]

    first = statuses()
    assert set(first) == FINAL
    assert first == statuses()


def test_usage_counts_what_was_sent(twilio, writer):
    def counted():
        rows = [writer.rows("api", USAGE, {"Category": one}) for one in ("sms", "mms")]
        return sum(int(row["count"]) for (row,) in rows)

    before = counted()
    writer.create()
    writer.schedule(later(days=2))
    twilio.advance(timedelta(hours=1))

    assert counted() - before == 1


def test_a_schedule_comes_due_by_the_clock(twilio, writer):
    row = writer.schedule(later(hours=1)).json()
    assert (row["status"], row["date_sent"], row["from"]) == ("scheduled", None, None)
    twilio.advance(timedelta(minutes=59))
    assert writer.get("api", MESSAGE % row["sid"]).json()["status"] == "scheduled"
    twilio.advance(timedelta(minutes=2))
    row = writer.get("api", MESSAGE % row["sid"]).json()
    assert row["status"] != "scheduled"
    assert "13:00:0" in row["date_sent"]
    assert twilio.held[0]["send_at"] == later(hours=1)


def test_without_a_service_a_schedule_is_dropped_silently(twilio, writer):
    row = writer.create(ScheduleType="fixed", SendAt="never").json()
    assert row["status"] == "queued"
    twilio.advance(timedelta(seconds=5))
    assert writer.get("api", MESSAGE % row["sid"]).json()["date_sent"]


def test_everything_asked_for_is_held(twilio, writer):
    asked = {
        "Body": "Grüße",
        "MediaUrl": ["https://example.com/a.png", "https://example.com/b.vcf"],
        "StatusCallback": "https://example.com/callback",
        "ApplicationSid": "AP" + "0" * 32,
        "ProvideFeedback": "true",
        "Attempt": "2",
        "ValidityPeriod": "36000",
        "ForceDelivery": "false",
        "ContentRetention": "retain",
        "AddressRetention": "retain",
        "SmartEncoded": "true",
        "PersistentAction": ["geo:1,2", "geo:3,4"],
        "TrafficType": "free",
        "ShortenUrls": "true",
        "SendAsMms": "true",
        "RiskCheck": "disable",
        "MaxPrice": "1",
    }
    row = writer.create_by_service(FallbackFrom=twilio.senders[0], **asked).json()
    (held,) = twilio.held
    assert asked.items() <= held["parameters"].items()
    assert (held["sid"], held["status"], held["created"]) == (row["sid"], "accepted", NOW)
    assert requests.get(f"{twilio.base_url}/_sandbox/held", timeout=5).json() == [held]


def test_media_are_listed_below_their_message(writer):
    media = ["https://example.com/a.png", "https://example.com/b.jpg"]
    row = writer.create(Body=None, MediaUrl=media).json()
    assert (row["sid"][:2], row["num_media"]) == ("MM", "2")
    rows = writer.rows("api", MEDIA % row["sid"])
    assert {one["content_type"] for one in rows} == {"image/png", "image/jpeg"}
    assert {one["parent_sid"] for one in rows} == {row["sid"]}
    path = (MEDIA % row["sid"]).removesuffix(".json") + f"/{rows[0]['sid']}.json"
    assert writer.get("api", path).json() == rows[0]


def test_variables_fill_a_template(twilio, writer):
    template = {
        "sid": "HX" + "a" * 32,
        "date_created": NOW,
        "variables": {"1": "you", "2": "soon"},
        "types": {"twilio/text": {"body": "{{1}}: see you {{2}}"}},
    }
    twilio.add("content", "/v2/Content", template)
    variables = json.dumps({"2": "at nine"})
    answer = writer.create(Body="dropped", ContentSid=template["sid"], ContentVariables=variables)
    assert answer.json()["body"] == "you: see you at nine"


@pytest.mark.parametrize("channel", ["whatsapp", "rcs"])
def test_channels_have_senders_of_their_own(twilio, writer, channel):
    own = [one for one in twilio.senders if one.startswith(f"{channel}:")]
    to = f"{channel}:{SOMEBODY}"
    assert writer.create(To=to, From=own[0]).status_code == 201
    row = writer.create_by_service(To=to).json()
    twilio.advance(timedelta(days=3))
    assert writer.get("api", MESSAGE % row["sid"]).json()["from"] in own


def test_whatsapp_drops_free_text_to_those_who_have_not_written(twilio, writer):
    to = f"whatsapp:{SOMEBODY}"
    free = writer.create_by_service(To=to).json()["sid"]
    approved = writer.create_by_service(To=to, ContentSid=template_of(twilio)).json()["sid"]
    twilio.advance(timedelta(days=3))
    row = writer.get("api", MESSAGE % free).json()
    assert (row["status"], row["error_code"]) == ("undelivered", 63016)
    assert writer.get("api", MESSAGE % approved).json()["error_code"] != 63016


@pytest.mark.parametrize(
    ("code", "form"),
    [
        (21604, {"To": None}),
        (21211, {"To": "+1234"}),
        (21211, {"To": "somebody"}),
        (21211, {"To": "sms:+447700900123"}),
        (21211, {"To": "+15005550001"}),
        (21265, {"To": "12345"}),
        (21266, {"To": "{sender}"}),
        (21408, {"To": "+15005550003"}),
        (21408, {"To": "+9955512345"}),
        (21610, {"To": "+15005550004"}),
        (21612, {"To": "+15005550002"}),
        (21612, {"To": "+14155551234", "From": "ACME"}),
        (21614, {"To": "+15005550009"}),
        (21614, {"To": "+4420700900"}),
        (21603, {"From": None}),
        (21212, {"From": "no!number"}),
        (21212, {"From": "+15005550001"}),
        (21606, {"From": "+15005550007"}),
        (21606, {"From": "+14155550099"}),
        (21611, {"From": "+15005550008"}),
        (21611, {"From": "{full}"}),
        (21659, {"From": "+14155559999"}),
        (21659, {"From": "55555"}),
        (21910, {"To": "whatsapp:+447700900123"}),
        (63007, {"To": "whatsapp:+447700900123", "From": "whatsapp:+14155559999"}),
        (21705, {"From": None, "MessagingServiceSid": "MG" + "0" * 32}),
        (21703, {"From": None, "MessagingServiceSid": "{empty}"}),
        (21606, {"From": "{full}", "MessagingServiceSid": "{other}"}),
        (21602, {"Body": ""}),
        (21619, {"Body": None}),
        (21617, {"Body": "x" * 1601}),
        (21620, {"MediaUrl": "file:///etc/passwd"}),
        (21623, {"MediaUrl": ["https://example.com/a.png"] * 11}),
        (21654, {"ContentVariables": "{}"}),
        (21655, {"ContentSid": "HX" + "0" * 32}),
        (21656, {"ContentSid": "{template}", "ContentVariables": "no JSON"}),
        (21656, {"ContentSid": "{template}", "ContentVariables": "[]"}),
        (21656, {"ContentSid": "{template}", "ContentVariables": '{"1": ""}'}),
        (21656, {"ContentSid": "{template}", "ContentVariables": '{"1": null}'}),
        (21656, {"ContentSid": "{template}", "ContentVariables": '{"1": "two\\nlines"}'}),
        (21656, {"ContentSid": "{template}", "ContentVariables": json.dumps({"a" * 17: "x"})}),
        (21656, {"ContentSid": "{template}", "ContentVariables": json.dumps({"1": "x" * 256})}),
        (
            21656,
            {
                "ContentSid": "{template}",
                "ContentVariables": json.dumps(dict.fromkeys(map(str, range(101)), "x")),
            },
        ),
        (21609, {"StatusCallback": "https://under_score.example.com"}),
        (90007, {"ValidityPeriod": "0"}),
        (90007, {"ValidityPeriod": "36001"}),
        (90007, {"ValidityPeriod": "soon"}),
        (20001, {"ContentRetention": "forget"}),
        (20001, {"ShortenUrls": "perhaps"}),
        (20001, {"Attempt": "one"}),
        (20001, {"ApplicationSid": "none"}),
    ],
)  # fmt: skip
def test_what_is_refused(twilio, writer, code, form):
    senders, services = twilio.senders, twilio.services
    twilio.add("messaging", "/v1/Services", {"sid": "MG" + "e" * 32, "date_created": NOW})
    mute = {"phone_number": "+14155550099", "capabilities": {"sms": False}, "date_created": NOW}
    twilio.add("api", "/2010-04-01/Accounts/{AccountSid}/IncomingPhoneNumbers.json", mute)
    twilio.rules.forbidden.add("+995")
    twilio.rules.landlines.add("+4420700900")
    twilio.rules.full_queues.add(senders[1])
    names = {
        "sender": senders[0],
        "full": senders[1],
        "other": next(sid for sid, pool in services.items() if senders[1] not in pool),
        "empty": "MG" + "e" * 32,
        "template": template_of(twilio),
    }
    given = {
        name: names.get(value.strip("{}"), value) if isinstance(value, str) else value
        for name, value in form.items()
    }
    assert refusal(writer.create(**given)) == (400, code)
    assert not twilio.held


@pytest.mark.parametrize(
    ("code", "moment"),
    [
        (35111, None),
        (35114, "tomorrow"),
        (35114, "2026-11-21T12:00:00"),
        (35114, "2026-13-21T12:00:00Z"),
        (35115, later(seconds=300)),
        (35115, later(days=-1)),
        (35117, later(days=35, seconds=1)),
    ],
)
def test_schedules_that_are_refused(twilio, writer, code, moment):
    assert refusal(writer.schedule(moment)) == (400, code)
    assert not twilio.held


def test_schedules_at_their_bounds(twilio, writer):
    assert writer.schedule(later(seconds=301)).json()["status"] == "scheduled"
    assert writer.schedule(later(days=35)).json()["status"] == "scheduled"
    twilio.rules.earliest = 900
    assert refusal(writer.schedule(later(seconds=900))) == (400, 35115)
    kind = writer.create_by_service(ScheduleType="optimized", SendAt=later(hours=1))
    assert refusal(kind) == (400, 35126)


def test_an_account_has_so_many_scheduled_messages(twilio, writer):
    twilio.rules.most_scheduled = 2
    sids = [writer.schedule(later(hours=one)).json()["sid"] for one in (1, 2)]
    assert refusal(writer.schedule(later(hours=3))) == (400, 35125)
    writer.ask_to("POST", MESSAGE % sids[1], {"Status": "canceled"})
    assert writer.schedule(later(hours=4)).status_code == 201
    assert refusal(writer.schedule(later(hours=3))) == (400, 35125)
    twilio.advance(timedelta(hours=3))
    assert writer.schedule(later(hours=5)).status_code == 201
    assert refusal(writer.schedule(later(hours=5))) == (400, 35125)


def test_trial_accounts_write_to_verified_numbers(twilio, writer):
    twilio.rules.is_trial = True
    assert refusal(writer.create()) == (400, 21608)
    path = "/2010-04-01/Accounts/{AccountSid}/OutgoingCallerIds.json"
    twilio.add("api", path, {"sid": "PNx", "phone_number": SOMEBODY, "date_created": NOW})
    assert writer.create().status_code == 201


def test_those_who_have_unsubscribed_get_nothing(twilio, writer):
    twilio.opt_out(SOMEBODY)
    assert refusal(writer.create()) == (400, 21610)
    assert refusal(writer.create_by_service()) == (400, 21610)
    twilio.opt_in(SOMEBODY)
    twilio.opt_out(SOMEBODY, service_of(twilio))
    assert writer.create().status_code == 201
    assert refusal(writer.create_by_service()) == (400, 21610)


def test_to_unsubscribe_cancels_nothing_that_is_scheduled(twilio, writer):
    sid = writer.schedule(later(hours=1)).json()["sid"]
    twilio.opt_out(SOMEBODY)
    twilio.advance(timedelta(days=3))
    assert writer.get("api", MESSAGE % sid).json()["status"] in FINAL


def test_credentials_that_may_not_write(twilio):
    wrong = Writer(twilio, (twilio.account_sid, "wrong")).create()
    assert refusal(wrong) == (401, 20003)
    child = twilio.accounts[1]
    assert refusal(Writer(twilio, (child.sid, child.auth_token)).create()) == (401, 20003)
    key = twilio.restricted_key
    denied = Writer(twilio, (key.sid, key.secret)).consent({})
    assert refusal(denied) == (403, 70051)
    twilio.set_status(twilio.account_sid, "suspended")
    assert refusal(Writer(twilio).create()) == (403, 20403)
    assert not twilio.held


def test_test_credentials_try_without_a_trace(twilio):
    writer = Writer(twilio, twilio.test_auth)
    answer = writer.create(From="+15005550006")
    assert (answer.status_code, answer.json()["status"]) == (201, "queued")
    assert refusal(writer.create()) == (400, 21606)
    assert refusal(writer.create(From="+15005550006", To="+15005550001")) == (400, 21211)
    assert refusal(Writer(twilio).create(From="+15005550006")) == (400, 21659)
    deletion = writer.ask_to("DELETE", MESSAGE % answer.json()["sid"])
    assert refusal(deletion) == (403, 20008)
    assert not twilio.held


def test_subaccounts_write_for_themselves(twilio):
    child = twilio.accounts[1]
    row = Writer(twilio).ask_to(
        "POST", MESSAGES, {"To": SOMEBODY, "From": twilio.senders[0], "Body": "x"}, "api", child.sid
    ).json()  # fmt: skip
    assert row["account_sid"] == twilio.held[0]["account_sid"] == child.sid
    own = Writer(twilio, (child.sid, child.auth_token))
    assert own.get("api", MESSAGE % row["sid"], child.sid).json() == row
    assert Writer(twilio).get("api", MESSAGE % row["sid"]).status_code == 404


def test_only_what_is_scheduled_is_canceled(twilio, writer):
    scheduled, sent = writer.schedule(later(hours=1)).json(), writer.create().json()
    answer = writer.ask_to("POST", MESSAGE % scheduled["sid"], {"Status": "canceled"})
    assert (answer.status_code, answer.json()["status"]) == (200, "canceled")
    for sid in (scheduled["sid"], sent["sid"]):
        again = writer.ask_to("POST", MESSAGE % sid, {"Status": "canceled"})
        assert refusal(again) == (409, 30409)
    twilio.advance(timedelta(days=3))
    row = writer.get("api", MESSAGE % scheduled["sid"]).json()
    assert (row["status"], row["date_sent"], row["price"]) == ("canceled", None, None)


def test_texts_are_redacted(twilio, writer):
    sid = writer.create().json()["sid"]
    twilio.advance(timedelta(days=3))
    for _ in range(2):
        answer = writer.ask_to("POST", MESSAGE % sid, {"Body": ""})
        assert (answer.status_code, answer.json()["body"]) == (200, "")
    assert twilio.held[0]["body"] == ""


@pytest.mark.parametrize("form", [{"Body": "other"}, {"Status": "sent"}, {}, {"To": SOMEBODY}])
def test_updates_that_are_refused(twilio, writer, form):
    sid = writer.create().json()["sid"]
    assert refusal(writer.ask_to("POST", MESSAGE % sid, form)) == (400, 20001)
    assert twilio.held[0]["body"] == "Your table is ready"


def test_messages_are_deleted_at_their_end_and_once(twilio, writer):
    row = writer.create(MediaUrl="https://example.com/a.png").json()
    assert refusal(writer.ask_to("DELETE", MESSAGE % row["sid"])) == (409, 20009)
    twilio.advance(timedelta(days=3))
    answer = writer.ask_to("DELETE", MESSAGE % row["sid"])
    assert (answer.status_code, answer.content) == (204, b"")
    assert refusal(writer.ask_to("DELETE", MESSAGE % row["sid"])) == (404, 20404)
    assert writer.get("api", MESSAGE % row["sid"]).status_code == 404
    assert writer.get("api", MEDIA % row["sid"]).status_code == 404
    assert row["sid"] not in {one["sid"] for one in writer.rows("api", MESSAGES)}
    assert [one["status"] for one in twilio.held] == ["deleted"]


def test_messages_that_nobody_wrote_are_canceled_redacted_and_deleted(twilio, writer):
    rows = twilio.truth("api", MESSAGES)
    settled = next(one["sid"] for one in rows if one["status"] == "delivered" and one["body"])
    assert writer.ask_to("POST", MESSAGE % settled, {"Body": ""}).json()["body"] == ""
    assert writer.get("api", MESSAGE % settled).json()["body"] == ""
    assert writer.ask_to("DELETE", MESSAGE % settled).status_code == 204
    assert writer.get("api", MESSAGE % settled).status_code == 404
    service = service_of(twilio)
    scheduled = {"sid": "SMx", "status": "scheduled", "messaging_service_sid": service}
    twilio.add("api", MESSAGES, scheduled)
    answer = writer.ask_to("POST", MESSAGE % "SMx", {"Status": "canceled"})
    assert answer.json()["status"] == "canceled"


def test_feedback(twilio, writer):
    sid = writer.create().json()["sid"]
    answer = writer.ask_to("POST", FEEDBACK % sid, {"Outcome": "unconfirmed"})
    assert (answer.status_code, answer.json()["outcome"]) == (201, "unconfirmed")
    assert [(one["message_sid"], one["outcome"]) for one in twilio.feedback] == [
        (sid, "unconfirmed")
    ]
    assert refusal(writer.ask_to("POST", FEEDBACK % sid, {"Outcome": "?"})) == (400, 20001)
    assert refusal(writer.ask_to("POST", FEEDBACK % "SMnone")) == (404, 20404)
    assert writer.get("api", FEEDBACK % sid).status_code == 404


def consent_of(number, twilio, **fields):
    return {
        "contact_id": number,
        "correlation_id": f"{int(number):032x}",
        "sender_id": service_of(twilio),
        "status": "opt-out",
        "source": "website",
        **fields,
    }


def test_consents_are_kept_item_by_item(twilio, writer):
    bad = consent_of("+447700900999", twilio, status="maybe", date_of_consent="once")
    answer = writer.consent(consent_of(SOMEBODY, twilio, date_of_consent=NOW), bad, "no JSON")
    assert answer.status_code == 201
    good, wrong, unreadable = answer.json()["items"]
    assert (good["error_code"], good["error_messages"]) == (0, [])
    assert good["correlation_id"] == f"{int(SOMEBODY):032x}"
    assert wrong["error_code"]
    assert len(wrong["error_messages"]) == 2
    assert unreadable["error_code"]
    assert [one["contact_id"] for one in twilio.consents] == [SOMEBODY]
    assert refusal(writer.create_by_service()) == (400, 21610)

    writer.consent(consent_of(SOMEBODY, twilio, status="opt-in"))
    assert [one["status"] for one in twilio.consents] == ["opt-in"]
    assert writer.create_by_service().status_code == 201


@pytest.mark.parametrize("count", [0, 26])
def test_so_many_consents_a_request(twilio, writer, count):
    items = [consent_of(f"+4477009{one:05}", twilio) for one in range(count)]
    assert refusal(writer.consent(*items)) == (400, 20001)
    assert not twilio.consents


@pytest.mark.parametrize(
    ("method", "host", "path"),
    [
        ("POST", "api", CALLS),
        ("PUT", "api", MESSAGES),
        ("DELETE", "api", MESSAGES),
        ("DELETE", "api", FEEDBACK % "SMx"),
        ("PATCH", "api", MESSAGE % "SMx"),
        ("POST", "api", MEDIA % "SMx"),
        ("POST", "monitor", "/v1/Alerts"),
        ("GET", "accounts", CONSENTS),
    ],
)
def test_nothing_else_is_written(twilio, writer, method, host, path):
    status = 404 if method == "GET" else 405
    assert writer.ask_to(method, path, {"To": SOMEBODY}, host).status_code == status
    assert not twilio.held


def test_lists_show_what_was_written_among_the_rest(twilio, writer):
    own = [writer.create(To=f"+44770090{one:04}").json()["sid"] for one in range(30)]
    twilio.advance(timedelta(seconds=10))
    rows = writer.rows("api", MESSAGES, {"PageSize": 7})
    assert rows == twilio.truth("api", MESSAGES)
    assert set(own) < {one["sid"] for one in rows}
    assert len(rows) == len({one["sid"] for one in rows}) == 50
    moments = [
        datetime.strptime(one["date_sent"] or one["date_created"], "%a, %d %b %Y %H:%M:%S %z")
        for one in rows
    ]
    assert moments == sorted(moments, reverse=True)


def test_lists_are_filtered_by_recipient_sender_and_day(twilio, writer):
    number, other = twilio.senders[:2]
    sids = [writer.create(From=one).json()["sid"] for one in (number, other, number)]
    waiting = writer.schedule(later(days=2)).json()["sid"]
    writer.create(To="+447700900555")

    def listed(**query):
        return {one["sid"] for one in writer.rows("api", MESSAGES, query)}

    assert listed(To=SOMEBODY) == {*sids, waiting}
    assert listed(To=SOMEBODY, From=other) == {sids[1]}
    assert listed(To=SOMEBODY, DateSent="2026-11-20") == set()
    twilio.advance(timedelta(seconds=10))
    assert listed(To=SOMEBODY, DateSent="2026-11-20") == set(sids)
    twilio.advance(timedelta(days=2))
    assert listed(**{"To": SOMEBODY, "DateSent>": "2026-11-22"}) == {waiting}
    computed = next(one for one in twilio.truth("api", MESSAGES) if one["sid"] not in sids)
    assert computed["sid"] in listed(To=computed["to"])


def test_what_is_not_retained_is_not_shown(writer):
    row = writer.create(ContentRetention="discard", AddressRetention="obfuscate").json()
    assert row["body"] == ""
    assert row["to"] == f"{SOMEBODY[:-4]}XXXX"


def test_written_rows_are_edited_like_any(twilio, writer):
    sid = writer.create().json()["sid"]
    twilio.patch(sid, status="failed", error_code=30007)
    row = writer.get("api", MESSAGE % sid).json()
    assert (row["status"], row["error_code"]) == ("failed", 30007)
    twilio.delete(sid)
    assert writer.get("api", MESSAGE % sid).status_code == 404


def test_messages_are_dated_as_answers_are(schemas):
    with Sandbox(schemas=schemas, now=NOW) as twilio:
        answer = Writer(twilio).create()
    assert answer.json()["date_created"][:25] == answer.headers["Date"][:25]


@pytest.mark.parametrize(
    ("text", "segments"),
    [
        ("a" * 160, 1), ("a" * 161, 2), ("a" * 306, 2), ("a" * 307, 3), ("€" * 80, 1),
        ("€" * 81, 2), ("a" * 152 + "€" + "a" * 10, 2), ("я" * 70, 1), ("я" * 71, 2),
        ("я" * 135, 3), ("👋" * 35, 1), ("👋" * 36, 2), ("👋" * 67, 3), ("", 1),
    ],
)  # fmt: skip
def test_texts_are_billed_in_segments(text, segments):
    assert count_segments(text) == segments


UNTAKEN = {
    "429": faults.throttle(),
    "500": faults.answer(500),
    "redirect": faults.redirect("https://example.com/"),
    "html": faults.html(200),
    "empty": faults.empty(201),
    "reset": faults.reset(),
}


def answer_or_none(ask):
    try:
        return ask().status_code
    except requests.ConnectionError:
        return None


@pytest.mark.parametrize("accepted", [False, True])
@pytest.mark.parametrize("name", UNTAKEN)
def test_answers_are_lost_before_or_after_acceptance(twilio, writer, name, accepted):
    plan = twilio.plan(UNTAKEN[name], "/Messages.json", method="POST", times=1, accepted=accepted)
    lost = answer_or_none(writer.create)
    assert lost == {"429": 429, "500": 500, "redirect": 302, "html": 200, "empty": 201}.get(name)
    assert (plan.hits, len(twilio.held)) == (1, int(accepted))
    assert writer.create().status_code == 201
    assert len(twilio.held) == 1 + accepted


def test_an_answer_that_is_changed_or_held_back_is_of_what_was_written(twilio, writer):
    twilio.plan(faults.delay(30), "/Messages.json", method="POST", times=1)
    place = f"{twilio.base_url}/api{MESSAGES}".replace("{AccountSid}", twilio.account_sid)
    form = {"To": SOMEBODY, "From": twilio.senders[0], "Body": "x"}
    with pytest.raises(requests.ReadTimeout):
        requests.post(place, form, auth=twilio.auth, timeout=0.3)
    twilio.plan(faults.truncate(), "/Messages.json", method="POST", times=1)
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        writer.create()
    assert len(twilio.held) == 2


def test_trouble_strikes_by_what_a_request_says(twilio, writer):
    twilio.plan(faults.answer(503), when=lambda request: request.form.get("Body") == "struck")
    statuses = [writer.create(Body=one).status_code for one in ("struck", "spared", "struck")]
    assert statuses == [503, 201, 503]
    assert writer.get("api", MESSAGES).status_code == 200


def test_trouble_strikes_a_share_by_the_seed(schemas):
    def statuses():
        with Sandbox(schemas=schemas, seed=5) as twilio:
            twilio.plan(faults.answer(500), method="POST", share=0.3, accepted=True)
            writer = Writer(twilio)
            found = [writer.create().status_code for _ in range(60)]
            assert len(twilio.held) == 60
            return found

    first = statuses()
    assert 5 < first.count(500) < 35
    assert first == statuses()


def test_random_trouble_loses_answers_before_and_after(schemas):
    trouble = Faults(rate_5xx=0.3, rate_429=0.2, rate_redirect=0.1, methods=("POST",))
    with Sandbox(schemas=schemas, seed=5, faults=trouble) as twilio:
        writer = Writer(twilio)
        statuses = [writer.create().status_code for _ in range(150)]
        lost = sum(status in (302, 500, 503) for status in statuses)
        assert statuses.count(201) < len(twilio.held) < statuses.count(201) + lost
        assert statuses.count(429) > 10
        assert all(writer.get("api", CALLS).status_code == 200 for _ in range(20))
        twilio.faults = Faults(rate_5xx=1, accepted=1)
        before = len(twilio.held)
        writer.create()
        assert len(twilio.held) == before + 1


def test_a_request_that_breaks_off_asks_for_nothing(twilio, writer, caplog):
    head = "POST /api{} HTTP/1.1\r\nHost: twilio\r\nAuthorization: Basic {}\r\nContent-Length: {}"
    path = MESSAGES.replace("{AccountSid}", twilio.account_sid)
    proof = base64.b64encode(":".join(twilio.auth).encode()).decode()
    body = urlencode({"To": SOMEBODY, "From": twilio.senders[0], "Body": "x"})
    address = urlsplit(twilio.base_url)
    for sent in (len(body), len(body) - 1):
        whole = f"{head.format(path, proof, len(body))}\r\n\r\n{body[:sent]}"
        with socket.create_connection((address.hostname, address.port)) as connection:
            connection.sendall(whole.encode())
            connection.shutdown(socket.SHUT_WR)
            connection.recv(1)
    assert writer.get("api", MESSAGES).status_code == 200
    assert len(twilio.held) == 1
    assert not caplog.records


def test_methods_are_logged(twilio, writer):
    sid = writer.create().json()["sid"]
    writer.get("api", MESSAGE % sid)
    writer.ask_to("DELETE", MESSAGE % sid)
    assert [one.method for one in twilio.requests] == ["POST", "GET", "DELETE"]
    assert twilio.requests.methods == {"POST": 1, "GET": 1, "DELETE": 1}


def test_a_process_tells_what_it_holds(schemas):
    command = [sys.executable, "-m", "sandbox", "--port", "0", "--schemas", str(schemas)]
    command += ["--rate-reset", "1", "--accepted", "1", "--method", "POST"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        base = process.stdout.readline().split()[-1]
        auth = tuple(process.stdout.readline().split()[-2:])

        def tell(path):
            return requests.get(f"{base}/_sandbox/{path}", timeout=5).json()

        means = tell("means")
        form = {"To": SOMEBODY, "MessagingServiceSid": next(iter(means["services"])), "Body": "x"}
        place = f"{base}/api{MESSAGES}".replace("{AccountSid}", auth[0])
        with pytest.raises(requests.ConnectionError):
            requests.post(place, form, auth=auth, timeout=5)
        held = tell("held")
        listed = requests.get(place, {"To": SOMEBODY}, auth=auth, timeout=5).json()["messages"]
        counters = tell("requests")
        process.send_signal(signal.SIGTERM)
    assert [one["parameters"] for one in held] == [form]
    assert [one["sid"] for one in listed] == [held[0]["sid"]]
    assert counters["methods"] == {"GET": 1, "POST": 1}
