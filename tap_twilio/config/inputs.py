"""What a run is given besides its settings: a catalog and a state, checked before anything is read.

A state of singer-io's tap-twilio, which has one bookmark a stream for all accounts, is understood.
"""

from __future__ import annotations

import io
import json
import os
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from typing import IO, TYPE_CHECKING, Any

from tap_twilio.config.checks import did_you_mean, short, unique
from tap_twilio.config.settings import now_utc
from tap_twilio.http.errors import TapError
from tap_twilio.resource.windows import EPOCH, parse_moment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

CLOCKS_DIFFER = timedelta(days=1)
"""How far ahead a bookmark, or Twilio's clock, may be: clocks differ, but more is a mistake."""

FORM = '{"bookmarks": {"calls": {"partitions": […]}}}'

DEEPEST = 100
"""How deep lists and objects in a file may be nested."""

UNDATED_SINCE = "undated_since"
"""In the state of a run that ended early: how far back to search still for rows without a date."""

UNSETTLED_SINCE = "unsettled_since"
"""In the state: when the oldest row without a date was made that Twilio still changes. The next run
searches that far back again."""

SEARCHES = frozenset({UNDATED_SINCE, UNSETTLED_SINCE})

REFUSED = "refused"
"""In a stream's state: SIDs of the parents where it was refused. The next run asks there first."""

DIGESTS = "digests"
"""In a stream's state: by day, digests of the rows of a look-back that were written."""
DAYS_READ = "days_read"
"""In the state: the days whose files were read, as ranges."""

FILES_READ = "files_read"
"""In the state: what tells the files that were read from others, by day, while they are listed."""

OF_FILES = frozenset({DAYS_READ, FILES_READ})

OF_THE_SDK = frozenset(
    {"progress_markers", "replication_key_signpost", "starting_replication_value"}
)
"""Keys that the SDK has in a state while it runs; they mean nothing to this tap."""

LOGGING = ("LOGLEVEL", "SINGER_SDK_LOG_CONFIG")
"""Variables of the environment that say how to log, besides the program's own."""


@contextmanager
def setting_up_logging(prefix: str) -> Iterator[None]:
    """Name the variables that say how to log, where logging can't be set up so.

    Args:
        prefix: How the names of the program's own variables begin.

    Raises:
        TapError: It can't.
    """
    try:
        yield
    except Exception as error:
        names = " or ".join(
            name for name in (f"{prefix}LOGLEVEL", *LOGGING) if os.environ.get(name)
        )
        reason = " ".join(str(error).split())
        msg = f"{names or 'logging'}: logging can't be set up so ({reason})"
        raise TapError(msg) from error


def read(name: str, file: IO[str]) -> IO[str]:
    """Check a file's text, and give it without a byte order mark.

    Args:
        name: ``state`` or ``catalog``.

    Raises:
        TapError: It isn't what it should be.
    """
    where = f"--{name}"
    try:
        text = file.read()
    except ValueError as error:
        raise _no_json(where, error) from None
    text = text.removeprefix("\ufeff")
    content = _parsed(where, text, parse_constant=_refuse)
    if name == "catalog":
        _check_catalog(content)
    return io.StringIO(text)


def read_file(name: str, path: Path, *kinds: type, is_one_of: bool = False) -> Any:  # noqa: ANN401
    """Read an input file. NaN and infinities pass, for the setting that holds one to be named.

    Args:
        name: The option that names it.
        *kinds: Types that it may hold besides an object.
        is_one_of: Whether the option may be given several times, so that the path must be told.

    Raises:
        TapError: It can't be read, or isn't what it should be.
    """
    try:
        text = path.read_bytes()
    except OSError as error:
        msg = f"--{name}: {error}"
        raise TapError(msg) from None
    # PyAirbyte writes a key of its own twice into the states that it keeps.
    pairs = dict if name == "state" else unique
    where = f"--{name}: {path}" if is_one_of else f"--{name}"
    return _parsed(where, text, *kinds, object_pairs_hook=pairs)


def _parsed(
    where: str,
    text: str | bytes,
    *kinds: type,
    parse_constant: Callable[[str], Any] = float,
    object_pairs_hook: Callable[[list[tuple[str, Any]]], dict[str, Any]] = unique,
) -> Any:  # noqa: ANN401
    try:
        content = json.loads(
            text, parse_constant=parse_constant, object_pairs_hook=object_pairs_hook
        )
    except (ValueError, RecursionError) as error:
        raise _no_json(where, error) from None
    if not isinstance(content, (dict, *kinds)):
        msg = f"{where}: the file holds no JSON object"
        raise TapError(msg)
    level: list[Any] = [content]
    for _ in range(DEEPEST):
        level = [
            inner
            for one in level
            if isinstance(one, (dict, list))
            for inner in (one.values() if isinstance(one, dict) else one)
        ]
    if level:
        msg = f"{where}: the file is nested too deeply"
        raise TapError(msg)
    return content


def _no_json(where: str, error: Exception) -> TapError:
    return TapError(f"{where}: the file is not JSON ({error})")


def _refuse(constant: str) -> None:
    msg = f"{constant} is no number of JSON's"
    raise ValueError(msg)


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
    seen = set()
    for entry in streams:
        name = entry["tap_stream_id"]
        if name in seen:
            msg = f"--catalog: {name!r} is there twice"
            raise TapError(msg)
        seen.add(name)
        for part, good in (
            ("stream", entry.get("stream") in (None, name)),
            ("schema", "schema" not in entry or _is_schema(entry["schema"])),
            ("metadata", all(map(_is_metadata, _list(entry.get("metadata", []))))),
        ):
            if not good:
                msg = f"--catalog: the {part} of {name} is none; --discover writes it anew"
                raise TapError(msg)


def _is_schema(schema: object) -> bool:
    properties = schema.get("properties", {}) if isinstance(schema, dict) else None
    return isinstance(properties, dict) and all(
        isinstance(field, dict) and _are_texts(_listed(field.get("type", [])))
        for field in properties.values()
    )


def _are_texts(values: list[Any]) -> bool:
    return all(isinstance(value, str) for value in values)


def _listed(kinds: object) -> list[Any]:
    return kinds if isinstance(kinds, list) else [kinds]


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else [None]


def _is_metadata(entry: object) -> bool:
    return (
        isinstance(entry, dict)
        and isinstance(entry.get("breadcrumb"), list)
        and _are_texts(entry["breadcrumb"])
        and isinstance(entry.get("metadata"), dict)
    )


def differences(schema: Mapping[str, Any], own: Mapping[str, Any]) -> Iterator[str]:
    """Give a sentence for each property of a catalog that is gone, or of another type."""
    known = own["properties"]
    for name, field in sorted(schema.get("properties", {}).items()):
        if name not in known:
            yield f"the catalog has {name!r}, which the stream does not have"
        elif _type_of(field) != _type_of(known[name]):
            own_type = known[name].get("type")
            yield f"the catalog gives {name!r} another type. The tap keeps {own_type}"


def _type_of(field: Mapping[str, Any]) -> tuple[set[str], object]:
    kinds = field.get("type", [])
    return {kinds} if isinstance(kinds, str) else set(kinds), field.get("format")


def understand(state: dict[str, Any], streams: Mapping[str, str | None], now: datetime) -> Notes:
    """Check a state, and bring it into this tap's form, in place.

    Args:
        streams: All streams by name, each with the field that its bookmark is of.

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
        _check_holders(name, bookmarks[name], now)
    return notes


def check_state(state: dict[str, Any]) -> None:
    """Check a state without knowing the streams; it is changed in place.

    Raises:
        TapError: It is no state of this tap.
    """
    bookmarks = state.get("bookmarks")
    names = dict.fromkeys(bookmarks) if isinstance(bookmarks, dict) else {}
    understand(state, names, now_utc())


Notes = list[str]


def _malformed(name: str, bookmark: object) -> TapError:
    return TapError(
        f"--state: the bookmark {short(repr(bookmark))} of {name} has the wrong form; the state "
        f"looks like {FORM}. Run without it to begin anew"
    )


def _adopt(name: str, bookmarks: dict[str, Any], key: str | None) -> str:
    """Take over another tap's one bookmark of a stream, for every account."""
    value = bookmarks.pop(name)
    if key is None:
        return f"{name} is read whole. The other tap's bookmark of it is not used"
    bookmarks[name] = {"replication_key": key, "replication_key_value": value}
    return (
        f"{name}: the other tap's bookmark {value} applies to every account. Rows that the other "
        "tap missed before it stay missing. To read them, run without the state"
    )


def _check_holders(name: str, bookmark: object, now: datetime) -> None:
    """Check a stream's own bookmark and those of its partitions."""
    if not isinstance(bookmark, dict):
        raise _malformed(name, bookmark)
    partitions = bookmark.get("partitions", [])
    if not isinstance(partitions, list):
        raise _malformed(name, bookmark)
    _check_bookmark(name, bookmark, {"partitions"}, now)
    known: set[str] = set()
    for partition in partitions:
        if not isinstance(partition, dict):
            raise _malformed(name, partition)
        more = {"context", REFUSED, DIGESTS, *SEARCHES, *OF_FILES}
        _check_bookmark(name, partition, more, now)
        account = _account(partition)
        if account in known:
            msg = (
                f"--state: there are two bookmarks of {name} for {account}. Leave the older one, "
                "to lose nothing"
            )
            raise TapError(msg)
        if account is not None:
            known.add(account)
        elif partition != {"context": None}:
            raise _malformed(name, partition)


def _account(partition: Mapping[str, Any]) -> str | None:
    """Tell whose a partition is."""
    context = partition.get("context")
    if not isinstance(context, dict) or context.keys() != {"account_sid"}:
        return None
    account = context["account_sid"]
    return account if isinstance(account, str) else None


def _check_bookmark(name: str, holder: dict[str, Any], more: set[str], now: datetime) -> None:
    for key in OF_THE_SDK & holder.keys():
        del holder[key]
    for key in sorted(holder.keys() - more - {"replication_key", "replication_key_value"}):
        msg = (
            f"--state: the bookmark of {name} has {short(repr(key))}, which means nothing to this "
            "tap. Leave it out if you know what it is, or run without the state to begin anew"
        )
        raise TapError(msg)
    if holder.get("replication_key_value") is None:
        # What was never read has no bookmark.
        holder.pop("replication_key", None)
        holder.pop("replication_key_value", None)
    else:
        _check_date(name, holder["replication_key_value"], now)
        if not isinstance(holder.get("replication_key"), str):
            raise _malformed(name, holder)
    for key in SEARCHES & holder.keys():
        _check_date(name, holder[key], now)
    refused, files = holder.get(REFUSED, {}), holder.get(FILES_READ, {})
    digests = holder.get(DIGESTS, {})
    for texts in (refused, digests):
        if not isinstance(texts, dict) or not all(isinstance(one, str) for one in texts.values()):
            raise _malformed(name, holder)
    if not isinstance(files, dict) or not all(map(_is_listed, files.values())):
        raise _malformed(name, holder)
    days = holder.get(DAYS_READ, [])
    if not _is_listed(days) or not all(map(_is_range, days)):
        raise _malformed(name, holder)


def _is_listed(value: object) -> bool:
    return isinstance(value, list) and _are_texts(value)


def _is_range(text: str) -> bool:
    try:
        days = [date.fromisoformat(day) for day in text.split("/")]
    except ValueError:
        return False
    return text == "/".join(day.isoformat() for day in sorted(days)[:2])


def _check_date(name: str, value: object, now: datetime) -> None:
    told = short(repr(value))
    try:
        if not isinstance(value, str) or not value[:4].isdigit():
            raise ValueError  # noqa: TRY301 - told below
        moment = parse_moment(value, now)
    except ValueError:
        msg = f"--state: the bookmark {told} of {name} is not a date or date-time"
        raise TapError(msg) from None
    if moment < EPOCH:
        msg = (
            f"--state: the bookmark {told} of {name} is before {EPOCH.year}, Twilio's first year. "
            "Set it to when the last run began, or run without it"
        )
        raise TapError(msg)
    if moment > now + CLOCKS_DIFFER:
        msg = (
            f"--state: the bookmark {told} of {name} is in the future: nothing would be "
            "read until then. Set it to when the last run began, or run without it"
        )
        raise TapError(msg)
