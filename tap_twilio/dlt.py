"""Twilio as a source of dlt: ``pipeline.run(twilio(streams=["calls"], start_date="P30D"))``.

It needs ``pip install 'tap-twilio-streams[dlt]'``.
"""

from __future__ import annotations

import copy
import logging
from typing import TYPE_CHECKING, Any, cast

import dlt
from dlt.common.typing import TSecretStrValue

from tap_twilio.arrow.columns import Columns
from tap_twilio.arrow.reading import gathered, tap_for
from tap_twilio.arrow.tap import one_sentence
from tap_twilio.records.unknown import ADDITIONAL, UnknownFields, leave_out, schema_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

    import pyarrow as pa

    from tap_twilio.output.sink import Record
    from tap_twilio.streams.base import TwilioStream

ROWS = 20_000
"""Rows that dlt is given at a time."""

RUN = "twilio_run"
"""Name of the resource that reads for all streams: dlt evaluates it once."""

BOOKMARKS = "bookmarks"
"""Where a stream's bookmarks are in the state of its resource."""

_KINDS = {"bool": "boolean", "decimal": "number"}
"""Types of columns that a former run added, as JSON schemas have them; all others are texts."""

_MEANT = "when merging arrow schema with dlt schema"
"""What dlt warns of with every table that has JSON in a column of strings."""


@dlt.source(name="twilio", section="twilio")
def twilio(  # noqa: PLR0913 - dlt looks for each of these in its configuration
    streams: list[str] | None = None,
    *,
    account_sid: str | None = None,
    auth_token: TSecretStrValue | None = None,
    api_key_sid: str | None = None,
    api_key_secret: TSecretStrValue | None = None,
    client_id: str | None = None,
    client_secret: TSecretStrValue | None = None,
    start_date: str | None = None,
    filters: dict[str, Any] | None = None,
    pii: str | None = None,
    pii_key: TSecretStrValue | None = None,
    subaccount_credentials: dict[str, Any] | None = None,
    **settings: Any,
) -> list[Any]:
    """Give a resource for each stream.

    A stream goes on from the state of its resource. What was read in a run, and how far, is loaded
    together, or not at all.

    Args:
        streams: Names of the streams; by default all, selected as the tap does it.
        settings: More settings of the tap. Settings that neither an argument nor dlt's
            configuration has are taken from the environment, as ``TAP_TWILIO_…``.

    Raises:
        TwilioError: The settings make no sense, or there is no such stream.
    """
    settings |= {
        "account_sid": account_sid,
        "auth_token": auth_token,
        "api_key_sid": api_key_sid,
        "api_key_secret": api_key_secret,
        "client_id": client_id,
        "client_secret": client_secret,
        "start_date": start_date,
        "filters": filters,
        "pii": pii,
        "pii_key": pii_key,
        "subaccount_credentials": subaccount_credentials,
    }
    logging.getLogger("dlt").addFilter(_is_news)
    with one_sentence():
        known = tap_for(streams or (), **settings).streams
        chosen = {name: cast("TwilioStream", known[name]) for name in streams or known}

        def begin() -> Iterator[dict[str, pa.RecordBatch]]:
            """Begin anew, with each run of a pipeline."""
            yield from _run(chosen, settings)

        run = dlt.resource(begin, name=RUN, selected=False)
        return [
            run,
            *(
                _resource(run, stream, selected=bool(streams) or stream.selected_by_default)
                for stream in chosen.values()
            ),
        ]


def _is_news(record: logging.LogRecord) -> bool:
    return _MEANT not in record.getMessage()


def _resource(run: Any, stream: TwilioStream, *, selected: bool) -> Any:  # noqa: ANN401
    """Give the resource of a stream: what the run reads of it."""

    def tables(found: Mapping[str, pa.RecordBatch]) -> pa.RecordBatch | None:
        return found.get(stream.name)

    documents = [*Columns(stream.schema).documents, ADDITIONAL]
    return dlt.transformer(
        tables,
        data_from=run,
        name=stream.name,
        selected=selected,
        primary_key=stream.primary_keys,
        write_disposition="merge",
        columns={name: {"data_type": "json"} for name in documents},
    )


def _run(
    streams: Mapping[str, TwilioStream], settings: Mapping[str, Any]
) -> Iterator[dict[str, pa.RecordBatch]]:
    """Read the resources that are selected, all in one run of the tap.

    The states are those of what was given: dlt may end this between two steps.
    """
    names = [name for name in dlt.current.source().resources.selected if name in streams]
    with one_sentence():
        tap = tap_for(names, **settings)
        tap.load_state({"bookmarks": _bookmarks(names)})
        tables = {name: _Table(streams[name]) for name in names}
    unknown = {node.name: tap.sync.reader.decoder(node).unknown for node in tap.nodes()}
    for found in gathered(tap, ROWS):
        given = {name: tables[name].batch(found[name], unknown[name]) for name in found}
        _keep(tap.state, names)
        yield given
    _keep(tap.state, names)


def _bookmarks(names: Iterable[str]) -> dict[str, Any]:
    states = {name: dlt.current.resource_state(name) for name in names}
    # The tap moves bookmarks in place.
    return {
        name: copy.deepcopy(state[BOOKMARKS])
        for name, state in states.items()
        if BOOKMARKS in state
    }


def _keep(state: Mapping[str, Any], names: Collection[str]) -> None:
    for name, bookmarks in copy.deepcopy(state.get("bookmarks", {})).items():
        if name in names:
            dlt.current.resource_state(name)[BOOKMARKS] = bookmarks


class _Table:
    """A stream's table: fields that its schema lacks become columns, with their first values."""

    def __init__(self, stream: TwilioStream) -> None:
        """Know of the columns that former runs added."""
        schema = dlt.current.source_schema()
        self._normal: Callable[[str], str] = schema.naming.normalize_identifier
        self._columns = Columns(stream.schema)
        known = [*stream.schema["properties"], ADDITIONAL]
        self._fields = UnknownFields(
            known, lambda name, oddity: stream.warn_once(f"field {name!r} {oddity}")
        )
        self._added = schema.tables.get(self._normal(stream.name), {}).get("columns", {})
        self._taken = {self._normal(name) for name in known}
        self._names: dict[str, bool] = {}

    def batch(self, records: list[Record], unknown: Iterable[str]) -> pa.RecordBatch:
        """Make an Arrow batch of records."""
        names = [name for name in unknown if self._is_column(name)]
        self._columns.add(self._fields.look(records, names))
        leave_out(records, self._fields.waiting)
        return self._columns.batch(records)

    def _is_column(self, name: str) -> bool:
        """Tell whether dlt's name of a field is no other's: else it is an additional field."""
        if name not in self._names:
            column = self._normal(name)
            self._names[name] = column not in self._taken
            self._taken.add(column)
            if self._names[name] and (before := self._added.get(column)):
                kind = _KINDS.get(before.get("data_type"), "string")
                self._fields.announce(name, kind)
                self._columns.add({name: schema_of(kind)})
        return self._names[name]
