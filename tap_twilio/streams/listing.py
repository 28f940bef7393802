"""The streams as people choose them: by name, product or pattern, with what each costs."""

from __future__ import annotations

import math
from fnmatch import fnmatchcase
from itertools import groupby
from typing import TYPE_CHECKING, cast

from tap_twilio.config.checks import did_you_mean
from tap_twilio.http.errors import TapError
from tap_twilio.streams.accounts import Accounts

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tap_twilio.streams.base import TwilioStream

    Stream = type[TwilioStream]


def parent_of(stream: Stream) -> Stream | None:
    """Give the stream whose records each have such a list; none where accounts have it."""
    parent = cast("Stream | None", stream.parent_stream_type)
    return None if parent is Accounts else parent


def requests(stream: Stream, parent: str = "parent") -> str:
    """Tell what a stream costs.

    Args:
        parent: What to call a record of the parent.
    """
    lists = math.prod(len(v) for v in (*stream.fan_out.values(), *stream.path_values.values()))
    if stream.exported is not None:
        return "2 per day"
    if parent_of(stream) is not None:
        return f"{lists} per {parent}"
    _, endpoint = stream.load()
    if endpoint.data_key is None or endpoint.paging == "none":
        return f"{lists} per account"
    return "1 per page" if lists == 1 else f"1 per page of {lists} lists"


def chosen(patterns: str, streams: Sequence[Stream]) -> list[Stream]:
    """Choose streams, in their order.

    Args:
        patterns: Names of streams or products, with ``*`` for any letters, and commas between; one
            that begins with ``!`` leaves out what was chosen before it.

    Raises:
        TapError: There is nothing of a name.
    """
    names: set[str] = set()
    for part in filter(None, map(str.strip, patterns.split(","))):
        pattern = part.removeprefix("!")
        found = {
            stream.name
            for stream in streams
            if fnmatchcase(stream.name, pattern) or fnmatchcase(stream.product, pattern)
        }
        if not found:
            known = {name for stream in streams for name in (stream.name, stream.product)}
            hint = did_you_mean(pattern, [*known])
            msg = f"--select: there is no stream or product {pattern!r}; {hint}"
            raise TapError(msg)
        names = names - found if part.startswith("!") else names | found
    if not names:
        msg = "--select: it leaves no stream; for example calls,messages"
        raise TapError(msg)
    return [stream for stream in streams if stream.name in names]


def lines(streams: Iterable[Stream]) -> Iterator[str]:
    """List streams by product."""
    found = sorted(streams, key=_product)
    width = max(len(stream.name) for stream in found)
    for product, members in groupby(found, key=_product):
        yield product
        for stream in members:
            mark = "*" if stream.selected_by_default else " "
            mode = "incremental" if stream.window or stream.exported else "full"
            parent = parent_of(stream)
            cost = requests(stream, "" if parent is None else f"record of {parent.name}")
            yield f"{mark} {stream.name:{width}}  {mode:11}  {cost}"
    defaults = sum(stream.selected_by_default for stream in found)
    yield f"{len(found)} streams; {defaults} with * are defaults. The last column is requests."


def _product(stream: Stream) -> str:
    return stream.product
