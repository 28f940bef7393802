"""What can happen: accounts, volumes, settings, readings of the API, changes and trouble."""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003 - msgspec reads the annotations
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import msgspec
from hypothesis import strategies as st

from sandbox import Faults, Readings, faults

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.accounts import Status
    from sandbox.faults import Effect

STREAMS: Final[Mapping[str, str]] = {
    "accounts": "/Accounts.json",
    "calls": "/Calls.json",
    "call_feedback": "/Feedback.json",
    "call_recordings": "/Recordings.json",
    "conferences": "/Conferences.json",
    "recordings": "/Recordings.json",
    "notifications": "/Notifications.json",
    "messages": "/Messages.json",
    "message_media": "/Media.json",
    "alerts": "/v1/Alerts",
    "monitor_events": "/v1/Events",
    "usage_records_daily": "/Usage/Records/Daily.json",
    "insights_call_summaries": "/v1/Voice/Summaries",
    "applications": "/Applications.json",
    "usage_triggers": "/Usage/Triggers.json",
}
"""Streams to read, each with what its path contains: each form of paging and of filter is there."""

MOMENTS: Final = (
    "2026-11-20T12:00:00Z",
    "2026-03-01T00:00:00Z",
    "2026-01-01T00:00:01Z",
    "2024-02-29T23:59:59Z",
    "2025-10-26T01:30:00Z",
    "2026-07-31T23:00:00Z",
    "2026-05-01T00:10:00Z",
)
"""When the first run begins; edges of days, months and years among them."""

READINGS: Final[tuple[tuple[Any, ...], ...]] = (
    ("exclusive", "inclusive", "day"),
    ("inclusive", "exclusive"),
    ("second", "day"),
    (False, True),
)
"""What each field of `Readings` can be."""

PASSING: Final[Mapping[str, Callable[[], Effect]]] = {
    "500": lambda: faults.answer(500, 20500, "Internal error"),
    "503": lambda: faults.answer(503, 20503, "Service unavailable"),
    "429": faults.throttle,
    "429 with advice": lambda: faults.throttle(0.01),
    "reset": faults.reset,
    "truncated": lambda: faults.truncate(0.7),
    "HTML": faults.html,
    "HTML as 200": lambda: faults.html(200),
    "empty": faults.empty,
    "timeout": lambda: faults.delay(1.5),
    "slow body": lambda: faults.slow(0.05),
    "wrong content type": lambda: faults.content_type("text/html"),
    "not an object": lambda: faults.answer(200, body="[1, 2]"),
    "other shape": lambda: faults.answer(200, body='{"message": "please wait"}'),
    "expired token": faults.expired_token,
    "stray 401": lambda: faults.answer(401, 20003, "Authenticate"),
    "stray 403": lambda: faults.answer(403, 20403, "Forbidden"),
    "byte order mark": faults.byte_order_mark,
    "nulls among the rows": faults.null_rows,
}
"""Trouble that passes: a run must get over it by itself."""

MISSHAPEN: Final = frozenset({"HTML as 200", "not an object", "other shape"})
"""Whole answers that are no page: they pass only if no request is answered so twice."""

LASTING: Final[Mapping[str, Callable[[], Effect]]] = {
    "500": lambda: faults.answer(500, 20500, "Internal error"),
    "reset": faults.reset,
    "truncated": lambda: faults.truncate(0.7),
    "HTML as 200": lambda: faults.html(200),
    "other shape": lambda: faults.answer(200, body='{"message": "please wait"}'),
    "bad request": lambda: faults.answer(400, 20001, "Invalid value"),
    "foreign link": lambda: faults.next_link("https://api.twilio.com.example.com/next"),
    "foreign redirect": lambda: faults.redirect("https://twilio.example.com/"),
    "page repeats": faults.repeat,
    "refused": lambda: faults.answer(403, 20003, "Permission denied"),
}
"""Trouble that stays: a run must tell, and hold its bookmarks."""

CLOSED: Final[Mapping[str, tuple[Status, bool]]] = {
    "active": ("active", True),
    "closed": ("closed", False),
    "closed, but readable": ("closed", True),
    "suspended": ("suspended", False),
    "suspended, but readable": ("suspended", True),
}
"""What can become of an account: its status, and whether it answers."""

ONLY_NEXT_PAGES: Final = frozenset({"expired token"})
"""Trouble that can only be met behind the first page of a list."""


@dataclass(frozen=True)
class Trouble:
    """Trouble with a stream.

    Attributes:
        kind: Its name.
        stream: The stream whose endpoint is troubled.
        lasting: Whether it stays for the whole run.
        skip: Requests to spare first.
        times: Requests to hit, unless it lasts.
    """

    kind: str
    stream: str
    lasting: bool = False
    skip: int = 0
    times: int = 1

    @property
    def passes(self) -> bool:
        """Whether a run gets over it by itself, if no other trouble is like it."""
        return not self.lasting and (self.kind not in MISSHAPEN or self.times == 1)

    @property
    def effect(self) -> Effect:
        """What becomes of the requests."""
        return (LASTING if self.lasting else PASSING)[self.kind]()


@dataclass(frozen=True)
class Round:
    """One run of the tap, and the time before it.

    Attributes:
        after: Seconds since the run before.
        ahead: Seconds by which the clock of the tap's machine is ahead of the server's.
        end_days: How many days before its beginning its range ends; none for up to now.
        arrivals: Seconds by which the server's clock jumps on, by the number of the request.
        troubles: Trouble planned for it.
        faults: Trouble at random.
        lookback_days: The setting.
        page_size: The setting.
        concurrency: The setting ``max_concurrent_requests``.
        closed: What becomes of the last subaccount: one of :data:`CLOSED`.
    """

    after: int = 3600
    ahead: int = 0
    end_days: int | None = None
    arrivals: tuple[tuple[int, int], ...] = ()
    troubles: tuple[Trouble, ...] = ()
    faults: Faults = Faults()  # noqa: RUF009 - it is frozen
    lookback_days: int | None = None
    page_size: int | None = None
    concurrency: int = 4
    closed: str = "active"


@dataclass(frozen=True)
class Scenario:
    """A world, and the runs that read it.

    Attributes:
        seed: What the rows depend on.
        now: When the first run begins.
        days: How far back rows reach.
        subaccounts: How many there are.
        volumes: Rows of the main account by stream.
        readings: How the server reads what Twilio's documentation leaves open.
        streams: The streams that are selected.
        start_days: How many days before ``now`` reading begins; none for all.
        rounds: The runs; a last one without trouble follows them.
    """

    seed: int = 1
    now: str = MOMENTS[0]
    days: int = 20
    subaccounts: int = 1
    volumes: Mapping[str, int] = field(default_factory=lambda: {"calls": 100, "messages": 100})
    readings: Readings = Readings()  # noqa: RUF009 - it is frozen
    streams: tuple[str, ...] = ("calls", "messages")
    start_days: int | None = None
    rounds: tuple[Round, ...] = ()

    def to_json(self) -> str:
        """Write it down, for the command that plays it again."""
        return msgspec.json.encode(self).decode()

    @classmethod
    def from_json(cls, text: str) -> Scenario:
        """Read what `to_json` wrote.

        Raises:
            msgspec.DecodeError: It is none.
        """
        return msgspec.json.decode(text, type=cls)


def _faults() -> st.SearchStrategy[Faults]:
    rate = st.sampled_from((0.0, 0.0, 0.02, 0.05))
    return st.builds(
        Faults,
        max_concurrency=st.sampled_from((None, None, 1, 3)),
        retry_after=st.sampled_from((None, 0.01)),
        rate_429=rate,
        rate_5xx=rate,
        rate_reset=rate,
        rate_truncated=rate,
        rate_html=rate,
        rate_empty=rate,
    )


@st.composite
def _troubles(draw: st.DrawFn, streams: tuple[str, ...]) -> Trouble:
    lasting = draw(st.sampled_from((False, False, True)))
    return Trouble(
        kind=draw(st.sampled_from(sorted(LASTING if lasting else PASSING))),
        stream=draw(st.sampled_from(streams)),
        lasting=lasting,
        skip=draw(st.integers(0, 12)),
        times=draw(st.integers(1, 3)),
    )


@st.composite
def _rounds(draw: st.DrawFn, streams: tuple[str, ...]) -> Round:
    return Round(
        after=draw(st.sampled_from((60, 3600, 5 * 3600, 86_400, 2 * 86_400, 6 * 86_400))),
        ahead=draw(st.sampled_from((0, 0, 0, 600, 5 * 3600, -600, -5 * 3600))),
        end_days=draw(st.sampled_from((None, None, None, 1, 5))),
        arrivals=tuple(
            draw(st.lists(st.tuples(st.integers(1, 40), st.integers(1, 7200)), max_size=3))
        ),
        troubles=tuple(draw(st.lists(_troubles(streams), max_size=2))),
        faults=draw(st.one_of(st.just(Faults()), _faults())),
        lookback_days=draw(st.sampled_from((None, None, None, 4, 20))),
        page_size=draw(st.sampled_from((None, 7, 20, 50))),
        concurrency=draw(st.sampled_from((1, 2, 4, 16))),
        closed=draw(st.sampled_from(("active", "active", "active", *CLOSED))),
    )


@st.composite
def scenarios(draw: st.DrawFn) -> Scenario:
    """Make scenarios: small ones first, as they are what a failure is shrunk to."""
    streams = tuple(sorted(draw(st.sets(st.sampled_from(sorted(STREAMS)), min_size=1, max_size=5))))
    count = st.sampled_from((0, 3, 40, 150))
    return Scenario(
        seed=draw(st.integers(1, 10_000)),
        now=draw(st.sampled_from(MOMENTS)),
        days=draw(st.sampled_from((20, 4, 45, 90))),
        subaccounts=draw(st.integers(0, 2)),
        volumes={name: draw(count) for name in ("calls", "messages", "alerts")},
        readings=Readings(*(draw(st.sampled_from(choice)) for choice in READINGS)),
        streams=streams,
        start_days=draw(st.sampled_from((None, None, 2, 10, 100))),
        rounds=tuple(draw(st.lists(_rounds(streams), min_size=1, max_size=3))),
    )
