"""What a run is given besides its settings: a catalog and a state, checked before anything is read.

A state of singer-io's tap-twilio, which has one bookmark a stream for all accounts, is understood.
"""

from __future__ import annotations

import io
import json
from datetime import timedelta
from typing import IO, TYPE_CHECKING, Any

from tap_twilio.errors import TapError
from tap_twilio.settings import did_you_mean, now_utc
from tap_twilio.windows import iso, parse_moment

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

CLOCKS_DIFFER = timedelta(days=1)
"""How far in the future a bookmark may lie: what wrote it may have had a clock of its own."""

FORM = '{"bookmarks": {"calls": {"partitions": […]}}}'


def read(name: str, file: IO[str]) -> IO[str]:
    """Read an input file.

    Args:
        name: ``state`` or ``catalog``.
        file: The file.

    Returns:
        Its text.

    Raises:
        TapError: It isn't what it should be.
    """
    try:
        text = file.read()
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        msg = f"--{name}: the file is not JSON ({error})"
        raise TapError(msg) from None
    if not isinstance(content, dict):
        msg = f"--{name}: the file holds no JSON object"
        raise TapError(msg)
    if name == "catalog":
        _check_catalog(content)
    return io.StringIO(text)


def _check_catalog(catalog: dict[str, Any]) -> None:
    streams = catalog.get("streams")
    if not isinstance(streams, list) or not all(
        isinstance(entry, dict) and isinstance(entry.get("tap_stream_id"), str) for entry in streams
    ):
        msg = (
            "--catalog: it has no list 'streams', each with a tap_stream_id; --discover writes one "
            "that has"
        )
        raise TapError(msg)
    for entry in streams:
        name = entry["tap_stream_id"]
        for part, good in (
            ("schema", _is_schema(entry.get("schema"))),
            ("metadata", all(map(_is_metadata, _list(entry.get("metadata", []))))),
        ):
            if not good:
                msg = f"--catalog: the {part} of {name} is none; --discover writes it anew"
                raise TapError(msg)


def _is_schema(schema: object) -> bool:
    if schema is None:
        return True
    properties = schema.get("properties", {}) if isinstance(schema, dict) else None
    return isinstance(properties, dict) and all(
        isinstance(field, dict) for field in properties.values()
    )


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else [None]


def _is_metadata(entry: object) -> bool:
    return (
        isinstance(entry, dict)
        and isinstance(entry.get("breadcrumb"), list)
        and isinstance(entry.get("metadata"), dict)
    )


def differences(schema: Mapping[str, Any], own: Mapping[str, Any]) -> Iterator[str]:
    """Tell where a catalog's schema of a stream differs from the stream's own.

    Args:
        schema: The stream's schema in the catalog.
        own: The stream's schema.

    Yields:
        A sentence for each property that is gone, or of another type.
    """
    known = own["properties"]
    for name, field in sorted(schema.get("properties", {}).items()):
        if name not in known:
            yield f"the catalog has {name!r}, which the stream has not (any more)"
        elif _type_of(field) != _type_of(known[name]):
            yield f"the catalog gives {name!r} another type; it stays {known[name].get('type')}"


def _type_of(field: Mapping[str, Any]) -> tuple[set[str], object]:
    kinds = field.get("type", [])
    return {kinds} if isinstance(kinds, str) else set(kinds), field.get("format")


def understand(state: dict[str, Any], streams: Mapping[str, str | None], now: datetime) -> Notes:
    """Check a state, and bring it into this tap's form.

    Args:
        state: What is in the file; changed in place.
        streams: All streams by name, each with the field that its bookmark is of.
        now: The moment of the run.

    Returns:
        What to tell about bookmarks that are not used as they stand.

    Raises:
        TapError: It is no state.
    """
    bookmarks = state.get("bookmarks", {})
    strangers = set(state) - {"bookmarks", "currently_syncing"}
    if not isinstance(bookmarks, dict) or strangers:
        msg = f"--state: this is no state of this tap; it looks like {FORM}. "
        msg += (
            "Give what is in the 'value' of a STATE message, not the message"
            if "value" in strangers
            else "Run without it to begin anew"
        )
        raise TapError(msg)
    notes: Notes = []
    for name in list(bookmarks):
        if name not in streams:
            notes.append(f"there is no stream {name!r}; {did_you_mean(name, list(streams))}")
            bookmark = bookmarks.pop(name)
            if not isinstance(bookmark, (dict, str)):
                raise _malformed(name, bookmark)
            continue
        if isinstance(bookmarks[name], str):
            notes.append(_adopt(name, bookmarks, streams[name]))
            if name not in bookmarks:
                continue
        for holder in _holders(name, bookmarks[name]):
            _check_bookmark(name, holder, now)
    return notes


def check_state(state: dict[str, Any]) -> None:
    """Look whether a state is one of this tap, whatever its streams.

    Args:
        state: The state; changed in place.

    Raises:
        TapError: It isn't.
    """
    bookmarks = state.get("bookmarks")
    names = dict.fromkeys(bookmarks) if isinstance(bookmarks, dict) else {}
    understand(state, names, now_utc())


Notes = list[str]


def _malformed(name: str, bookmark: object) -> TapError:
    return TapError(
        f"--state: the bookmark {bookmark!r} of {name} has the wrong form; the state looks like "
        f"{FORM}. Run without it to begin anew"
    )


def _adopt(name: str, bookmarks: dict[str, Any], key: str | None) -> str:
    """Take over another tap's one bookmark of a stream, for every account."""
    value = bookmarks.pop(name)
    if key is None:
        return f"{name} is read whole: another tap's bookmark of it is not used"
    bookmarks[name] = {"replication_key": key, "replication_key_value": value}
    return (
        f"{name}: another tap's bookmark {value} holds for every account; rows that it left out "
        "before are not made up for. To read them, leave the state away"
    )


def _holders(name: str, bookmark: object) -> Iterator[dict[str, Any]]:
    """Give a stream's own bookmark and those of its partitions."""
    partitions = bookmark.get("partitions", []) if isinstance(bookmark, dict) else None
    if not isinstance(bookmark, dict) or not isinstance(partitions, list):
        raise _malformed(name, bookmark)
    for holder in (bookmark, *partitions):
        if not isinstance(holder, dict):
            raise _malformed(name, holder)
        yield holder
        if holder is not bookmark and "context" not in holder:
            raise _malformed(name, holder)


def _check_bookmark(name: str, holder: dict[str, Any], now: datetime) -> None:
    value = holder.get("replication_key_value")
    if value is None:
        # What was never read has no bookmark.
        holder.pop("replication_key", None)
        holder.pop("replication_key_value", None)
        return
    try:
        if not isinstance(value, str) or not value[:4].isdigit():
            raise ValueError  # noqa: TRY301 - told below
        moment = parse_moment(value, now)
    except ValueError:
        msg = f"--state: the bookmark {value!r} of {name} is not a date or date-time"
        raise TapError(msg) from None
    if moment > now + CLOCKS_DIFFER:
        msg = (
            f"--state: the bookmark {iso(moment)} of {name} is in the future: nothing would be "
            "read until then. Set it to when the last run began, or run without it"
        )
        raise TapError(msg)
