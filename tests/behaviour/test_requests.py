"""Addresses, links, signatures and pages: what a request is made of."""

from __future__ import annotations

import json
import logging
import sys
import threading
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from requests.auth import HTTPBasicAuth

from tap_twilio.config.credentials import Credentials
from tap_twilio.config.hosts import EDGES, Hosts
from tap_twilio.config.settings import Settings
from tap_twilio.engine.run import Run
from tap_twilio.http.errors import (
    LONGEST_PAUSE,
    AbsentError,
    LinkError,
    RefusedError,
    ResponseError,
    RetentionError,
    ThrottledError,
    TransientError,
    from_response,
)
from tap_twilio.http.pagination import CutError, ShapeError, decode, read
from tap_twilio.http.redaction import MASK, Redactor


@pytest.mark.parametrize(
    ("hosts", "url"),
    [
        (Hosts(), "https://api.twilio.com"),
        (Hosts(region="us1"), "https://api.ashburn.us1.twilio.com"),
        (Hosts(region="ie1"), "https://api.dublin.ie1.twilio.com"),
        (Hosts(region="au1", edge="singapore"), "https://api.singapore.au1.twilio.com"),
        (Hosts(edge="tokyo"), "https://api.tokyo.us1.twilio.com"),
        (Hosts(base_url="http://127.0.0.1:1/"), "http://127.0.0.1:1/api"),
    ],
)
def test_hosts(hosts, url):
    assert hosts.url("api") == url


def test_no_host_has_a_region_without_an_edge():
    for region in EDGES:
        assert len(Hosts(region=region).url("api").split(".")) == 5


@pytest.mark.parametrize(
    ("link", "url"),
    [
        (
            "/2010-04-01/X.json?Page=1&A%3E=b",
            "https://api.dublin.ie1.twilio.com/2010-04-01/X.json?Page=1&A%3E=b",
        ),
        ("https://api.twilio.com/v1/X?P=1", "https://api.dublin.ie1.twilio.com/v1/X?P=1"),
        ("https://api.dublin.ie1.twilio.com/v1/X", "https://api.dublin.ie1.twilio.com/v1/X"),
    ],
)
def test_links_are_followed_on_the_configured_host(link, url):
    assert Hosts(region="ie1").follow("api", link) == url


@pytest.mark.parametrize(
    "link",
    [
        "https://evil.example.com/v1/X",
        "https://api.twilio.com.evil.example/v1/X",
        "https://eviltwilio.com/v1/X",
        "https://monitor.twilio.com/v1/X",
        "http://api.twilio.com/v1/X",
        "https://api.twilio.com:8443/v1/X",
        "//evil.example.com/x",
        "ftp://api.twilio.com/x",
        "https://user@evil.example.com/https://api.twilio.com/",
        "x",
    ],
)
def test_links_elsewhere_are_errors(link):
    with pytest.raises(LinkError):
        Hosts().follow("api", link)


def test_who_signs():
    main, own = HTTPBasicAuth("AC1", "t"), HTTPBasicAuth("AC2", "u")
    credentials = Credentials("AC1", main)

    assert credentials.sign("api", None) is main
    assert credentials.sign("api", "AC2") is main
    assert credentials.sign("monitor", "AC1") is main
    assert credentials.sign("monitor", "AC2") is None
    credentials.learn("AC2", "u")
    credentials.learn("AC1", "other")
    assert credentials.sign("monitor", "AC2") == own
    assert credentials.sign("monitor", "AC1") is main


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (401, b'{"code":20003,"message":"Authenticate"}', RefusedError),
        (403, b"<html>", RefusedError),
        (404, b'{"code":20404}', AbsentError),
        (429, b"", ThrottledError),
        (400, b'{"code":20004,"message":"outside of retention window"}', RetentionError),
        (500, b"oops", TransientError),
        (503, b"{", TransientError),
        (408, b"", TransientError),
        (301, b"", ResponseError),
        (400, b'{"code":20001,"message":"Invalid date"}', ResponseError),
    ],
)
def test_answers_are_told_apart(status, body, kind):
    assert type(from_response("/X.json", status, body, {})) is kind


def test_an_error_says_what_twilio_said():
    body = b'{"code":20404,"message":"The requested resource was not found","status":404}'
    headers = {"Twilio-Request-Id": "RQ1", "Retry-After": "2"}

    error = from_response("/2010-04-01/X.json", 404, body, headers)

    assert str(error) == (
        "/2010-04-01/X.json: The requested resource was not found "
        "(HTTP 404, Twilio error 20404, request RQ1)"
    )
    assert error.retry_after == 2
    problem = b'{"type":"x","title":"t","status":400,"code":7,"detail":"Bad thing"}'
    assert "Bad thing" in str(from_response("/X", 400, problem, {}))


SENT = "Wed, 21 Oct 2026 07:28:00 GMT"


@pytest.mark.parametrize(
    ("advice", "seconds"),
    [
        ("2", 2),
        (" 0.5 ", 0.5),
        ("301", LONGEST_PAUSE),
        ("86400", LONGEST_PAUSE),
        # By the clock of who says so, not by ours.
        ("Wed, 21 Oct 2026 07:28:30 GMT", 30),
        ("Wednesday, 21-Oct-26 07:28:30 GMT", 30),
        ("Wed, 21 Oct 2026 09:28:30 +0200", 30),
        ("Wed, 21 Oct 2026 08:28:00 GMT", LONGEST_PAUSE),
        ("Wed, 21 Oct 2026 07:27:00 GMT", None),
        ("Wed, 21 Oct 2037 07:28:00 GMT", None),
        ("Wed, 31 Feb 2026 07:28:00 GMT", None),
        ("0", None),
        ("-1", None),
        ("86401", None),
        ("9" * 400, None),
        ("1e2", None),
        ("inf", None),
        ("-inf", None),
        ("nan", None),
        ("0x10", None),
        ("5, 5", None),
        ("\N{SUPERSCRIPT TWO}", None),
        ("\N{ARABIC-INDIC DIGIT TWO}", None),
        ("soon", None),
        ("", None),
    ],
)
def test_pauses_are_understood_and_bounded(advice, seconds):
    error = from_response("/X", 429, b"", {"Retry-After": advice, "Date": SENT})

    assert error.retry_after == seconds


@pytest.mark.parametrize("sent", [None, "", "yesterday"])
def test_a_pause_up_to_a_moment_needs_no_date(sent):
    until = format_datetime(datetime.now(UTC) + timedelta(seconds=100), usegmt=True)
    headers = {"Retry-After": until} | ({} if sent is None else {"Date": sent})

    assert from_response("/X", 429, b"", headers).retry_after == pytest.approx(100, abs=5)


@pytest.mark.parametrize(
    ("form", "payload", "key", "count", "link"),
    [
        ("uri", {"calls": [{}, {}], "next_page_uri": "/n"}, "calls", 2, "/n"),
        ("uri", {"media_list": [{}], "next_page_uri": None, "page": 0}, "media", 1, None),
        ("uri", {"calls": [], "next_page_uri": ""}, "calls", 0, None),
        ("meta", {"meta": {"key": "alerts", "next_page_url": "u"}, "alerts": [{}]}, None, 1, "u"),
        ("uri", {"calls": None, "next_page_uri": "/n"}, "calls", 0, "/n"),
        ("meta", {"meta": {}, "data": [{}]}, "data", 1, None),
        ("meta", {"meta": {"key": None}, "data": [{}]}, "data", 1, None),
        ("meta", {"meta": {"key": "alerts"}, "data": [{}]}, "data", 1, None),
        ("meta", {"meta": {"key": "meta"}, "data": [{}]}, "data", 1, None),
        ("meta", {"meta": {"key": ["data"]}, "items": [{}]}, "data", 1, None),
        ("meta", {"meta": {"key": "a"}, "a": [{}, {}], "data": [{}]}, "data", 2, None),
        ("meta", {"meta": {"key": "a"}, "a": None, "data": [{}]}, "data", 1, None),
        ("meta", {"meta": {"key": "a", "next_page_url": "u"}, "a": None}, "data", 0, "u"),
        ("uri", {"calls": None, "others": [{}]}, "calls", 0, None),
        ("token", {"meta": {"nextToken": None}, "items": [{}]}, "data", 1, None),
        ("none", {"countries": None}, "countries", 0, None),
        ("none", {"countries": [{}, {}]}, "countries", 2, None),
        ("none", {"balance": "1"}, None, 1, None),
    ],
)
def test_pages(form, payload, key, count, link):
    listing = read(form, json.dumps(payload).encode(), key)

    assert len(decode(listing.rows)) == count
    assert listing.link == link


@pytest.mark.parametrize(
    ("form", "payload"),
    [
        ("uri", {}),
        ("uri", {"a": [], "b": []}),
        ("uri", {"calls": [1], "next_page_uri": None}),
        ("uri", {"calls": [], "next_page_uri": {}}),
        ("meta", {"data": []}),
        ("meta", {"meta": {"key": "alerts"}}),
        ("meta", {"meta": {"key": "alerts"}, "alerts": {}}),
        ("meta", {"meta": {"key": None}, "a": [{}], "b": [{}]}),
        ("uri", {"calls": [1, None]}),
        ("uri", {"countries": {}, "others": [{}], "next_page_uri": None}),
        ("none", {"states": [{}]}),
    ],
)
def test_pages_of_another_shape_are_errors(form, payload):
    with pytest.raises(ShapeError):
        read(form, json.dumps(payload).encode(), "countries")


@pytest.mark.parametrize(
    "body", [b"<html>", b"[]", b'"x"', b"null", b'{"calls":[]}}', b'{"calls":[,]}', b"[{", b"<p>{"]
)
def test_bodies_that_are_no_json_object_are_errors(body):
    with pytest.raises(ShapeError) as raised:
        read("uri", body, "calls")

    assert not isinstance(raised.value, CutError)


BODY = b'{"calls":[{"sid":"C}", "x": 12}, null], "t": true}'


@pytest.mark.parametrize("end", range(len(BODY)))
def test_bodies_that_break_off_are_told_apart(end):
    with pytest.raises(CutError):
        read("uri", BODY[:end], "calls")


def test_arrays_of_something_else_than_objects_are_errors():
    listing = read("uri", b'{"calls":[{"sid":"CA"},1]}', "calls")

    with pytest.raises(ShapeError):
        decode(listing.rows)


def test_secrets_are_masked_wherever_they_stand():
    redactor = Redactor()
    redactor.add("s3cret-token")
    redactor.add("")
    redactor.add(None)
    try:
        raise ValueError("with s3cret-token inside")  # noqa: EM101, TRY003, TRY301
    except ValueError:
        record = logging.LogRecord(
            "x", 10, "f", 1, "url %s", ("https://u:s3cret-token@h",), sys.exc_info()
        )

    redactor.filter(record)
    text = logging.Formatter().format(record)

    assert "s3cret-token" not in text
    assert MASK in text


# --- What workers share ------------------------------------------------------------------------


@pytest.fixture
def meanwhile():
    """Lets something grow in another thread for as long as something else looks at it."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)

    def both(grow, look):
        thread = threading.Thread(target=lambda: [grow(str(number)) for number in range(3000)])
        thread.start()
        while thread.is_alive():
            look()
        thread.join()

    yield both
    sys.setswitchinterval(usual)


@pytest.fixture
def shared():
    moment = datetime(2026, 11, 20, tzinfo=UTC)
    settings = Settings("AC1", HTTPBasicAuth("AC1", "t"), Hosts(), moment, None, None)
    return Run(settings)


def test_workers_may_begin_with_accounts_at_any_time(shared, meanwhile):
    meanwhile(shared.limiter, shared.silence)

    assert shared.silence() < 60


def test_workers_may_make_requests_at_any_time(shared, meanwhile):
    progress = shared.progress

    meanwhile(
        lambda name: progress.count_request(name, again=False),
        lambda: (progress.summary(), list(progress.points())),
    )

    assert progress.summary()[0].startswith("Read 0 records in 0:")
    assert progress.summary()[0].endswith(": 3,000 requests, 0 retries")


def test_secrets_may_come_at_any_time(meanwhile):
    redactor = Redactor()

    meanwhile(lambda number: redactor.add(f"secret-{number}"), lambda: redactor.clean("nothing"))

    assert redactor.clean("secret-2999") == MASK
