"""The redactor: nothing that is secret is logged, wherever it stands and in whatever form."""

from __future__ import annotations

import logging
import sys
from base64 import b64encode

import pytest
from requests.auth import HTTPBasicAuth

from tap_twilio.http.redaction import MASK, SHORTEST, Redactor, is_news, is_wanted, printable


def record_of(message, *args, level=logging.INFO, exc_info=None):
    return logging.LogRecord("x", level, "f", 1, message, args, exc_info)


def logged(redactor, *what, **options):
    record = record_of(*what, **options)
    assert redactor.filter(record)
    return logging.Formatter().format(record)


@pytest.fixture
def redactor():
    redactor = Redactor()
    redactor.add("s3cret/to ken")
    return redactor


@pytest.mark.parametrize(
    "form", ["s3cret/to ken", "s3cret%2Fto%20ken", "s3cret%2Fto+ken"], ids=["bare", "path", "query"]
)
def test_no_character_of_a_secret_is_left_in_any_of_its_forms(redactor, form):
    assert redactor.clean(f"a {form}, b{form}{form}c") == f"a {MASK}, b{MASK}{MASK}c"


def test_a_secret_that_holds_another_is_masked_as_a_whole():
    redactor = Redactor()
    for secret in ("secret", "secret-of-two", "a-secret"):
        redactor.add(secret)

    assert redactor.clean("secret-of-two a-secret secret") == f"{MASK} {MASK} {MASK}"


def test_a_secret_that_is_of_no_more_use_is_forgotten_in_all_its_forms():
    redactor = Redactor()
    for secret in ("kept+secret", "gone+secret"):
        redactor.add(secret)

    redactor.discard("gone+secret")

    assert redactor.clean("gone+secret gone%2Bsecret") == "gone+secret gone%2Bsecret"
    assert redactor.clean("kept+secret kept%2Bsecret") == "******** ********"


def test_what_is_too_short_or_no_text_is_no_secret():
    redactor = Redactor()
    for value in ("", "x" * (SHORTEST - 1), None, 1234567, b"1234567"):
        redactor.add(value)

    assert redactor.clean("xxxxx None 1234567") == "xxxxx None 1234567"
    redactor.add("x" * SHORTEST)
    assert redactor.clean("x" * SHORTEST) == MASK


def test_a_secret_that_no_url_can_hold_is_masked_all_the_same():
    redactor = Redactor()
    redactor.add("se\ud83dcret")

    assert redactor.clean("a se\ud83dcret") == f"a {MASK}"


def test_credentials_are_masked_as_requests_carry_them():
    redactor = Redactor()
    redactor.add_signature(HTTPBasicAuth("AC123", "pass-word"))
    header = b64encode(b"AC123:pass-word").decode()

    assert redactor.clean(f"AC123 pass-word Basic {header}") == f"AC123 {MASK} Basic {MASK}"


def test_credentials_that_are_no_text_are_masked():
    redactor = Redactor()
    redactor.add_signature(HTTPBasicAuth("AC123", "half \ud83d"))
    header = b64encode(b"AC123:half ?").decode()

    assert redactor.clean(f"Basic {header}") == f"Basic {MASK}"


def test_messages_are_one_line_that_no_terminal_obeys():
    assert printable("plain é") == "plain é"
    assert printable("a\nb\x1b[31mé") == "a\\nb\\x1b[31mé"


def test_the_arguments_of_a_message_are_masked(redactor):
    assert logged(redactor, "got %s and %d", "s3cret/to ken", 5) == f"got {MASK} and 5"


def test_a_message_without_secrets_stays_as_it_is(redactor):
    record = record_of("got %s", "nothing")
    redactor.filter(record)

    assert (record.msg, record.args) == ("got %s", ("nothing",))


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("https://api.twilio.com/a?To=%2B1500 x", "https://api.twilio.com/a?… x"),
        ("/2010-04-01/Calls.json?To=1", "/2010-04-01/Calls.json?…"),
        ("('/v1/Alerts?To=1')", "('/v1/Alerts?…')"),
        ("what? no address", "what? no address"),
    ],
)
def test_queries_of_addresses_are_left_out_unless_for_debugging(redactor, address, shown):
    assert logged(redactor, address) == shown
    assert logged(redactor, address, level=logging.DEBUG) == address
    assert logged(redactor, address, level=logging.DEBUG + 1) == shown


def test_tracebacks_are_masked_and_set_in(redactor):
    try:
        raise ValueError("with s3cret/to ken\nINFO another")  # noqa: EM101, TRY003, TRY301
    except ValueError:
        text = logged(redactor, "failed", exc_info=sys.exc_info())

    first, *rest = text.split("\n")
    assert first == "failed"
    assert rest[-2:] == [f"  ValueError: with {MASK}", "  INFO another"]
    assert rest[0].startswith("Traceback")
    assert all(line.startswith("  ") for line in rest[1:])


def test_every_handler_is_guarded_once(redactor, monkeypatch):
    root = logging.RootLogger(logging.INFO)
    manager = logging.Manager(root)
    other = manager.getLogger("other")
    monkeypatch.setattr(logging.Logger, "manager", manager)
    monkeypatch.setattr(logging, "root", root)
    monkeypatch.setattr(
        logging, "getLogger", lambda name=None: manager.getLogger(name) if name else root
    )
    root.addHandler(logging.NullHandler())
    other.addHandler(logging.NullHandler())

    redactor.guard()
    redactor.guard()

    for handler in (*root.handlers, *other.handlers):
        assert handler.filters == [redactor]


def test_what_the_sdk_says_too_often_is_no_news():
    assert not is_news(record_of("Skipping deselected stream '%s'.", "calls"))
    assert not is_news(record_of("Skipping parse of env var settings..."))
    assert is_news(record_of("Beginning sync"))


def test_what_has_the_form_of_a_token_is_masked_whoever_gave_it():
    token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJBQzEifQ.c2lnbmF0dXJl-_"

    told = Redactor().clean(f"Authorization: Bearer {token}, not eyJ.or.eyJhbGciOiJIUzI1NiJ9")

    assert told == "Authorization: Bearer ********, not eyJ.or.eyJhbGciOiJIUzI1NiJ9"


def test_metrics_are_logged_where_they_are_asked_for():
    logger = logging.getLogger("some.metrics")
    point = logging.LogRecord("some.metrics", logging.INFO, "", 0, "METRIC: %s", ("{}",), None)
    logger.setLevel(logging.INFO)

    assert not is_wanted(point)
    logger.setLevel(logging.DEBUG)
    assert is_wanted(point)
    logger.setLevel(logging.INFO)
    logger.addHandler(logging.NullHandler())
    assert is_wanted(point)
