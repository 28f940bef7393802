"""A tap in the process: of a few streams, with a clock that stands, and nobody to ask."""

from __future__ import annotations

import copy
import json
import logging
from datetime import UTC, datetime
from functools import cache
from types import SimpleNamespace

from msgspec import Raw

from tap_twilio.engine.fetcher import Fetcher
from tap_twilio.engine.planner import Planner
from tap_twilio.engine.requests import Fetched
from tap_twilio.resource.resource import Node
from tap_twilio.streams import STREAMS
from tap_twilio.streams.accounts import Accounts
from tap_twilio.tap import TapTwilio

NOW = datetime(2026, 11, 20, 12, 34, 56, tzinfo=UTC)
ACCOUNT = "AC" + "0" * 32
# The process keeps these out of all logs from then on: nothing else may look like them.
TOKEN = "the-token-of-unit-tests"
OWN_TOKEN = "the-token-of-a-subaccount"
PII_KEY = "the-pii-key-of-unit-tests"
SUBACCOUNT = "AC" + "1" * 32
WHOSE = {"account_sid": ACCOUNT}
MARK = "2026-11-10T08:00:00Z"
MOMENT = datetime.fromisoformat(MARK)


class Twilio:
    """Gives answers in turn, as a transport: bodies, or what is raised; notes what is asked."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.asked = []

    def get(self, url, params, *, endpoint, auth, limiter):
        self.asked.append(
            SimpleNamespace(url=url, params=dict(params), endpoint=endpoint, auth=auth)
        )
        self.limiter = limiter
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, bytes) else json.dumps(answer).encode()


BY_NAME = {stream.name: stream for stream in STREAMS}


def utc(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


class PlainTap(TapTwilio):
    """A tap of the streams in ``classes``, which keeps what it writes."""

    classes = ()
    plugin_version = "0.1.0"

    def moment(self):
        return NOW

    def discover_streams(self):
        return [stream(self) for stream in self.classes]

    def _setup_signal_handlers(self):
        """Leave signals to the tests' runner."""


def make_tap(*selected, unselected=(), state=None, clock=None, **config):
    """Make a tap.

    Streams are given by their name, or by their class; those above them are there besides,
    unselected. ``clock`` is what time it is at Twilio.
    """
    chosen = [BY_NAME.get(one, one) for one in selected]
    classes = [*chosen, *(BY_NAME.get(one, one) for one in unselected), Accounts]
    for stream in classes:
        parent = stream.parent_stream_type
        if parent is not None and parent not in classes:
            classes.append(parent)
    kind = type("Tap", (PlainTap,), {"classes": tuple(dict.fromkeys(classes))})
    messages = []
    writer = SimpleNamespace(
        write_message=lambda message: messages.append(copy.deepcopy(message.to_dict()))
    )
    tap = kind(
        config={"account_sid": ACCOUNT, "auth_token": TOKEN, "retry_delay": 0.001} | config,
        state=copy.deepcopy(state or {}),
        setup_mapper=False,
        message_writer=writer,
    )
    for stream in tap.streams.values():
        stream.selected_by_default = type(stream) in chosen
    tap.run.clock.twilios = clock
    tap.run.transport = Twilio()
    tap.messages = messages
    return tap


def make_stream(*selected, **options):
    """Make a tap as ``make_tap`` does; give its first stream."""
    first = BY_NAME.get(selected[0], selected[0])
    return make_tap(*selected, **options).streams[first.name]


def tap_of(stream):
    """Give the tap that a stream is of."""
    return stream._tap  # noqa: SLF001


@cache
def resource_of(name):
    """Give what a stream declares, in a tap without further settings; not to be changed."""
    return make_stream(name).resource


def nodes_of(tap):
    """Give the nodes of a tap's tree by name; what is selected from then on is not in it."""
    root = tap.sync.root
    return {node.name: node for node in (root, *root.descendants)}


class Engine:
    """The parts of a tap's engine; ``node`` is that of its first stream."""

    def __init__(self, tap, first):
        self.tap, self.run, self.skips = tap, tap.run, tap.run.skips
        self.transport, self.settings = tap.run.transport, tap.run.settings
        self.nodes = nodes_of(tap)
        self.node = self.nodes[first]
        self.bookmarks, self.reader = tap.sync.bookmarks, tap.sync.reader
        self.planner = Planner(self.settings, self.bookmarks, self.skips)
        self.fetcher = Fetcher(self.run, self.planner)

    def decoder(self, node=None):
        return self.reader.decoder(node or self.node)


def make_engine(*selected, **options):
    """Make a tap as ``make_tap`` does; give what reads it."""
    first = BY_NAME.get(selected[0], selected[0])
    return Engine(make_tap(*selected, **options), first.name)


def refuse(engine, *names, account=ACCOUNT):
    """Leave streams out for an account, as Twilio refused them."""
    for name in names:
        engine.skips.skip(Node(resource_of(name)), account, "refused")


def fetched(request, rows, *, link=None, size=100, **options):
    """Give a page as a worker brings it: rows as JSON, and the link after them."""
    raw = Raw(json.dumps(rows).encode())
    following = request.after(link, None)
    return Fetched(request, raw, length=size, following=following, **options)


def state_of(**bookmarks):
    """Write a state.

    For each stream a bookmark, or, by account, a bookmark or all that is held for the account.
    """
    streams = {}
    for name, given in bookmarks.items():
        each = given if isinstance(given, dict) else {ACCOUNT: given}
        streams[name] = {
            "partitions": [
                {"context": {"account_sid": account}} | _held(name, held)
                for account, held in each.items()
            ]
        }
    return {"bookmarks": streams}


def _held(name, held):
    if isinstance(held, dict):
        return held
    # Below a stream that is read by windows, bookmarks are of its key.
    stream = BY_NAME[name]
    while stream.window is None and stream.parent_stream_type is not None:
        stream = stream.parent_stream_type
    key = stream.replication_key if stream.window is not None else "date_updated"
    return {"replication_key": key, "replication_key_value": held}


def bookmarks_of(tap):
    """Read the bookmarks of a tap's state, by stream and account."""
    return {
        (name, partition["context"]["account_sid"]): partition["replication_key_value"]
        for name, held in tap.state.get("bookmarks", {}).items()
        for partition in held.get("partitions", [])
        if "replication_key_value" in partition
    }


def states(tap):
    """Give the states that a tap wrote."""
    return [message["value"] for message in tap.messages if message["type"] == "STATE"]


def warnings_of(caplog):
    """Give what was logged as a warning or worse."""
    return [one.getMessage() for one in caplog.records if one.levelno >= logging.WARNING]
