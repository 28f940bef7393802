"""Trouble: at random at a given rate, or planned for the requests that match.

An effect turns the reply that a request would have had into the one that it gets. One that puts
another in its place keeps a request that writes from being carried out, unless the plan says that
it is carried out all the same: then only its answer is lost.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from sandbox import errors
from sandbox.api import Reply, Request
from sandbox.errors import TwilioError
from sandbox.identifiers import mix

if TYPE_CHECKING:
    from random import Random

Effect = Callable[[Reply, Request], Reply]

_HTML: Final = "<html><head><title>502 Bad Gateway</title></head><body>Bad Gateway</body></html>"


@dataclass(frozen=True)
class Instead:
    """An effect that puts another reply in the place of any."""

    reply: Reply

    def __call__(self, _reply: Reply, _request: Request) -> Reply:
        """Give it."""
        return self.reply


class Trouble(NamedTuple):
    """What strikes one request.

    Attributes:
        effect: What becomes of its answer.
        is_accepted: Whether it is carried out though its answer is another.
    """

    effect: Effect
    is_accepted: bool

    @property
    def prevents(self) -> bool:
        """Tell whether the request is not carried out."""
        return isinstance(self.effect, Instead) and not self.is_accepted


@dataclass(frozen=True)
class Faults:
    """Trouble that comes by itself.

    Attributes:
        max_concurrency: Requests that an account may have in flight; more are answered 429.
        retry_after: Seconds that those answers advise to wait, if they advise anything.
        rate_429: The share of requests answered 429 whatever is in flight.
        rate_5xx: The share answered 500 or 503.
        rate_reset: The share whose connection breaks before an answer.
        rate_truncated: The share whose connection breaks within the body.
        rate_html: The share answered 502 by a page of HTML.
        rate_empty: The share answered 200 with nothing.
        rate_redirect: The share sent elsewhere.
        rate_held: The share answered only after `held` seconds.
        held: Those seconds.
        accepted: Of requests that write and are not answered as they should be, the share that is
            carried out all the same. Those answered 429 never are, those held always.
        methods: The methods that all this is about.
    """

    max_concurrency: int | None = None
    retry_after: float | None = None
    rate_429: float = 0.0
    rate_5xx: float = 0.0
    rate_reset: float = 0.0
    rate_truncated: float = 0.0
    rate_html: float = 0.0
    rate_empty: float = 0.0
    rate_redirect: float = 0.0
    rate_held: float = 0.0
    held: float = 60.0
    accepted: float = 0.5
    methods: tuple[str, ...] = ("GET", "POST", "DELETE")

    def draw(self, dice: Random, method: str) -> Trouble | None:
        """Choose what becomes of a request."""
        if method not in self.methods:
            return None
        throw = dice.random() - self.rate_429
        if throw < 0:
            return Trouble(throttle(self.retry_after), is_accepted=False)
        for rate, effect in _EFFECTS.items():
            throw -= getattr(self, rate)
            if throw < 0:
                # Readers' dice fall as if there were no writers.
                accepted = method != "GET" and dice.random() < self.accepted
                return Trouble(effect(self, dice), accepted)
        return None


_SIDES: Final = 1 << 64
"""Numbers that `mix` may give."""


@dataclass
class Fault:
    """Trouble planned for the requests that match.

    Attributes:
        effect: What becomes of them.
        path: What their path contains; the host label counts as its start.
        query: Parameters that they carry, each with its value.
        account: The SID of the account whose rows they read.
        skip: How many that match are spared first.
        times: How many are hit then; None for all.
        method: Their method; None for all.
        when: What else must be true of them.
        share: How many of those that match are hit, by dice that depend on the seed.
        is_accepted: Whether they are carried out though their answer is another.
        hits: How many have been.
    """

    effect: Effect
    path: str = ""
    query: Mapping[str, str] = field(default_factory=dict)
    account: str | None = None
    skip: int = 0
    times: int | None = None
    method: str | None = None
    when: Callable[[Request], object] | None = None
    share: float = 1.0
    is_accepted: bool = False
    seed: int = 0
    hits: int = field(default=0, init=False)
    _seen: int = field(default=0, init=False, repr=False)

    def strikes(self, request: Request, query: Mapping[str, str], account: str | None) -> bool:
        """Tell whether a request is hit, and count it."""
        if not self._concerns(request, query, account):
            return False
        self._seen += 1
        if self._seen <= self.skip or (self.times is not None and self.hits >= self.times):
            return False
        if mix(self.seed, self._seen) >= self.share * _SIDES:
            return False
        self.hits += 1
        return True

    def _concerns(self, request: Request, query: Mapping[str, str], account: str | None) -> bool:
        if self.path not in f"{request.host}{request.path}":
            return False
        if self.account not in (None, account) or self.method not in (None, request.method):
            return False
        if any(query.get(name) != value for name, value in self.query.items()):
            return False
        return self.when is None or bool(self.when(request))


def error_reply(error: TwilioError, headers: tuple[tuple[str, str], ...] = ()) -> Reply:
    """Turn an error into an answer."""
    if error.status == HTTPStatus.UNAUTHORIZED:
        headers = (*headers, ("WWW-Authenticate", 'Basic realm="Twilio API"'))
    return Reply(error.status, json.dumps(error.body()).encode(), headers)


def answer(  # noqa: PLR0913 - an HTTP answer has so many parts
    status: int,
    code: int | None = None,
    message: str = "Planned by the sandbox",
    *,
    headers: Mapping[str, str] | None = None,
    body: str | None = None,
    content_type: str = "application/json; charset=utf-8",
) -> Effect:
    """Answer something else.

    Args:
        status: The HTTP status.
        code: Twilio's code; by default the status itself after 20.
        message: Twilio's message.
        headers: More headers.
        body: The body, if it is not to be Twilio's usual one.
        content_type: What the body claims to be.

    Returns:
        The effect.
    """
    usual = error_reply(TwilioError(status, code or 20000 + status, message))
    given = usual.body if body is None else body.encode()
    extra = tuple((headers or {}).items())
    return Instead(
        replace(usual, body=given, headers=usual.headers + extra, content_type=content_type)
    )


def throttle(retry_after: float | None = None) -> Effect:
    """Answer 429, with or without `Retry-After`."""
    advice = () if retry_after is None else (("Retry-After", f"{retry_after:g}"),)
    return Instead(error_reply(errors.too_many_requests(), advice))


def html(status: int = 502) -> Effect:
    """Answer a proxy's page of HTML."""
    return answer(status, body=_HTML, content_type="text/html")


def empty(status: int = 200) -> Effect:
    """Answer without a body."""
    return answer(status, body="")


def redirect(location: str, status: int = 302) -> Effect:
    """Send the client elsewhere."""
    return answer(status, body="", headers={"Location": location})


def expired_token() -> Effect:
    """Refuse a page token that was good a moment ago."""
    return answer(400, 20001, "Invalid PageToken")


def content_type(kind: str) -> Effect:
    """Give the right body under a wrong name."""
    return lambda reply, _: replace(reply, content_type=kind)


def rewrite(change: Callable[[Any], Any]) -> Effect:
    """Change the decoded body."""

    def effect(reply: Reply, _: Request) -> Reply:
        if reply.status != HTTPStatus.OK:
            return reply
        return replace(reply, body=json.dumps(change(json.loads(reply.body))).encode())

    return effect


def byte_order_mark() -> Effect:
    """Begin the body with a mark that JSON must not begin with."""
    return lambda reply, _: replace(reply, body=b"\xef\xbb\xbf" + reply.body)


def null_rows() -> Effect:
    """Put a null before each row of each array."""
    return rewrite(
        lambda page: {
            name: [one for row in value for one in (None, row)]
            if isinstance(value, list)
            else value
            for name, value in page.items()
        }
    )


def next_link(url: str) -> Effect:
    """Let the page's link to the next one point somewhere else."""
    return rewrite(lambda page: _relink(page, url))


def repeat() -> Effect:
    """Let the page's link to the next one point at the page itself."""
    return rewrite(lambda page: _relink(page, page.get("uri") or page.get("meta", {}).get("url")))


def delay(seconds: float) -> Effect:
    """Begin the answer late."""
    return lambda reply, _: replace(reply, delay=seconds)


def slow(seconds: float, pieces: int = 10) -> Effect:
    """Send the body in pieces, over so many seconds in all."""
    return lambda reply, _: replace(reply, pieces=pieces, pause=seconds / pieces)


def reset() -> Effect:
    """Break the connection before anything is answered."""
    return Instead(Reply(0, b"", cut=-1))


def truncate(keep: float = 0.5) -> Effect:
    """Break the connection within the body."""
    return lambda reply, _: replace(reply, cut=int(len(reply.body) * keep))


def _relink(page: dict[str, Any], url: str | None) -> dict[str, Any]:
    if "meta" in page:
        page["meta"]["next_page_url"] = url
    else:
        page["next_page_uri"] = url
    return page


_EFFECTS: Final[Mapping[str, Callable[[Faults, Random], Effect]]] = {
    "rate_5xx": lambda _, dice: answer(dice.choice((500, 503))),
    "rate_reset": lambda *_: reset(),
    "rate_truncated": lambda *_: truncate(),
    "rate_html": lambda *_: html(),
    "rate_empty": lambda *_: empty(),
    "rate_redirect": lambda *_: redirect("https://example.com/"),
    "rate_held": lambda faults, _: delay(faults.held),
}
