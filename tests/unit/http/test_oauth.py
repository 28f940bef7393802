"""Tokens of OAuth apps: one fetch for all, another before the end, another for a refused one."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from types import SimpleNamespace

import msgspec
import pytest

from tap_twilio.http.errors import SignInError, ThrottledError, TransientError, UnreachableError
from tap_twilio.http.oauth import DOUBT, LONGEST, Token, TokenRefusedError, Tokens
from tap_twilio.http.redaction import redactor
from tap_twilio.http.signatures import App

APP = App("OQ1", "the secret of the app", "https://oauth.twilio.com/v2/token")


class Host:
    """Gives tokens, by a clock that tests move."""

    def __init__(self):
        self.now, self.asked, self.numbers = 1000.0, [], count(1)
        self.status, self.body, self.error = 200, {"expires_in": 3600, "token_type": "Bearer"}, None
        self.tokens = Tokens(self, lambda: self.now)

    def __call__(self, app):
        self.asked.append(app)
        if self.error is not None:
            raise self.error
        body = {"access_token": f"token-number-{next(self.numbers)}"} | self.body
        return self.status, {}, msgspec.json.encode(body)

    def text(self, app=APP):
        return carried(self.tokens.of(app))


def carried(token):
    request = SimpleNamespace(headers={})
    token(request)
    return request.headers["Authorization"]


@pytest.fixture
def host():
    return Host()


def test_a_token_is_asked_for_once(host):
    assert [host.text() for _ in range(3)] == ["Bearer token-number-1"] * 3
    assert host.asked == [APP]


def test_each_account_has_its_own(host):
    other = APP.on_behalf_of("AC2")

    assert [host.text(), host.text(other), host.text()] == [
        "Bearer token-number-1",
        "Bearer token-number-2",
        "Bearer token-number-1",
    ]
    assert [app.account_sid for app in host.asked] == [None, "AC2"]


@pytest.mark.parametrize(
    ("expires_in", "used"),
    [
        (60, 48),
        (3600, 3540),
        ("900", 840),
        (LONGEST, LONGEST - 60),
        (1e300, LONGEST - 60),
        (None, 48),
        (-5, 48),
        ("soon", 48),
        pytest.param(10**400, 48, id="too large"),
    ],
)
def test_another_is_fetched_before_it_ends(host, expires_in, used):
    host.body = {"expires_in": expires_in}
    host.text()

    host.now += used - 0.1
    assert host.text() == "Bearer token-number-1"
    host.now += 0.2
    assert host.text() == "Bearer token-number-2"


def test_its_time_counts_from_the_question(host):
    def late(app):
        host.now += 50
        return host(app)

    host.body = {"expires_in": 60}
    tokens = Tokens(late, lambda: host.now)

    assert [carried(tokens.of(APP)) for _ in range(2)] == [
        f"Bearer token-number-{number}" for number in (1, 2)
    ]


def test_workers_wait_for_one_fetch_and_share_what_it_brings():
    begun, may_end = threading.Event(), threading.Event()
    asked = []

    def slow(app):
        asked.append(app)
        begun.set()
        assert may_end.wait(10)
        return 200, {}, b'{"access_token": "shared-token", "expires_in": 60}'

    tokens = Tokens(slow)
    with ThreadPoolExecutor(8) as pool:
        found = [pool.submit(tokens.of, APP) for _ in range(8)]
        assert begun.wait(10)
        may_end.set()
        assert len({one.result() for one in found}) == 1
    assert len(asked) == 1


def test_they_share_its_failure_too_and_the_next_one_tries_again(host):
    begun, waiting = threading.Event(), threading.Event()

    def failing(_):
        begun.set()
        assert waiting.wait(10)
        msg = "no route"
        raise UnreachableError(msg)

    tokens = Tokens(failing)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(tokens.of, APP)
        assert begun.wait(10)
        second = pool.submit(tokens.of, APP)
        waiting.set()
        for one in (first, second):
            with pytest.raises(UnreachableError):
                one.result()
    host.error = UnreachableError("no route")
    with pytest.raises(UnreachableError):
        host.text()
    host.error = None
    assert host.text() == "Bearer token-number-1"


def test_a_refused_token_is_replaced_once_for_all_who_used_it(host):
    token = host.tokens.of(APP)

    others = [host.tokens.instead_of(token, APP) for _ in range(3)]

    assert [carried(one) for one in others] == ["Bearer token-number-2"] * 3
    assert len(host.asked) == 2


def test_the_one_that_replaced_it_is_believed_in_for_a_while(host):
    another = host.tokens.instead_of(host.tokens.of(APP), APP)

    assert host.tokens.instead_of(another, APP) is None
    host.now += DOUBT + 1
    assert carried(host.tokens.instead_of(another, APP)) == "Bearer token-number-3"


@pytest.mark.parametrize("status", [400, 401, 403, 404])
def test_a_refusal_is_told_apart_from_trouble(host, status):
    host.status, host.body = status, {"error": "invalid_client"}

    with pytest.raises(TokenRefusedError, match=rf"invalid_client \(HTTP {status}\)"):
        host.text()


@pytest.mark.parametrize(("status", "kind"), [(429, ThrottledError), (503, TransientError)])
def test_trouble_may_pass(host, status, kind):
    host.status = status

    with pytest.raises(kind):
        host.text()


def test_an_app_that_had_tokens_and_gets_no_more_fails_the_run(host):
    token = host.tokens.of(APP)
    host.status = 401

    with pytest.raises(SignInError, match="no more tokens to OQ1"):
        host.tokens.instead_of(token, APP)
    host.now += 4000
    with pytest.raises(SignInError, match="no more tokens"):
        host.text()


@pytest.mark.parametrize(
    "body",
    [
        b"<html>",
        b"[]",
        b"{}",
        b'{"access_token": 5}',
        b'{"access_token": ""}',
        b'{"access_token": "a\\r\\nX: 1"}',
    ],
)
def test_an_answer_without_a_token_is_asked_for_again(body):
    with pytest.raises(TransientError, match="has no token"):
        Tokens(lambda _: (200, {}, body)).of(APP)


def test_no_secret_is_shown(host):
    host.text()

    assert redactor.clean("<token-number-1>") == "<********>"
    assert "token-number" not in repr(host.tokens.of(APP))
    assert APP.password not in repr(APP)
    assert Token("Bearer x", 1.0) != Token("Bearer x", 1.0)
