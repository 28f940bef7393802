"""Streams that the setting ``custom_streams`` declares, for endpoints that have no class here."""

from __future__ import annotations

import itertools
import string
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, cast

from typing_extensions import override

from tap_twilio.config.checks import SettingsError, did_you_mean
from tap_twilio.config.declarations import SETTING, Declaration, is_dated
from tap_twilio.custom.inference import infer
from tap_twilio.engine.decoder import Decoder
from tap_twilio.engine.fetcher import Fetcher
from tap_twilio.engine.planner import chain_params
from tap_twilio.engine.requests import Batch, Fetched, Place, Request
from tap_twilio.engine.sign_in import learn
from tap_twilio.http.errors import AbsentError, RefusedError, TapError
from tap_twilio.http.pagination import decode
from tap_twilio.records.pii import Rule
from tap_twilio.records.secrets import NAMES
from tap_twilio.resource.resource import Node, Resource
from tap_twilio.resource.schemas import Endpoint, snake, types
from tap_twilio.resource.windows import EPOCH, Window
from tap_twilio.streams import STREAMS
from tap_twilio.streams.accounts import Accounts, AccountStream

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from singer_sdk import Stream, Tap

    from tap_twilio.engine.requests import Record
    from tap_twilio.engine.run import Run
    from tap_twilio.streams.base import TwilioStream

PARENTS_TRIED = 10
"""Accounts or parents to look at for a first row, when fields have to be told from rows."""

Schema = dict[str, Any]


class CustomStream(AccountStream):
    """Base of the declared streams: fields that the declaration leaves out are told from rows."""

    declaration: ClassVar[Declaration]
    typed_by_catalog = True

    def __init__(self, tap: Tap, samples: Samples) -> None:
        """Read nothing yet."""
        super().__init__(tap)
        self._samples = samples
        self._told = False

    @classmethod
    @override
    def load(cls) -> tuple[Schema, Endpoint]:
        declared = cls.declaration
        fields = {name: _nullable(field) for name, field in (declared.properties or {}).items()}
        schema = {
            "type": "object",
            "properties": cls._completed(fields, cls.primary_keys),
            "additionalProperties": True,
        }
        return schema, Endpoint(
            paging="any",
            data_key=declared.data_key,
            page_size=declared.page_size,
            parameters={snake(name): name for name in declared.params},
        )

    # --- What a record looks like --------------------------------------------------------------

    @property
    @override
    def schema(self) -> Schema:
        """The JSON schema of a record: the catalog's, the declared one, or else the rows' own."""
        if not self._told:
            self._told = True
            found = self._told_by_catalog() or self._told_by_rows()
            if found is not None:
                for secret in NAMES.union(self.secret_fields):
                    found.pop(secret, None)
                record = {**super().schema, "properties": found}
                if self.masker is None:
                    self.wire_schema = self._schema = record
                else:
                    # Fields that are told from rows carry no marks: nobody has said that they
                    # are not personal.
                    self._schema = self.masker.announce(record)
        return super().schema

    def _told_by_catalog(self) -> dict[str, Schema] | None:
        if self._input_schema is None:
            return None
        return self._dated(self._input_schema.get("properties", {}))

    def _told_by_rows(self) -> dict[str, Schema] | None:
        # A stream that is not in the user's catalog isn't read.
        if self.declaration.properties is not None or self._tap_input_catalog is not None:
            return None
        rows = self._samples.rows(self)
        fields = infer(rows)
        if rows:
            self._check_fields({*fields, *placeholders(type(self))})
        if self.declaration.key is None and "sid" in fields:
            self.primary_keys = ("sid",)
        return self._completed(fields, self.primary_keys)

    def _check_fields(self, known: Collection[str]) -> None:
        declared = self.declaration
        for setting, names in (
            ("key", declared.key or ()),
            ("replication_key", filter(None, [declared.replication_key])),
        ):
            for name in names:
                if name not in known:
                    msg = (
                        f"{declared.place}.{setting}: the rows of {self.name} have no field "
                        f"{name!r}; {did_you_mean(name, list(known))}"
                    )
                    raise TapError(msg)

    @classmethod
    def _completed(
        cls, fields: Mapping[str, Schema], primary_keys: Iterable[str]
    ) -> dict[str, Schema]:
        """Add to fields those that every record has: the parents' SIDs, and its keys."""
        completed = cls._dated(fields)
        for name in placeholders(cls):
            completed.setdefault(name, {"type": "string"})
        for name in primary_keys:
            completed[name] = _required(completed.get(name, {"type": "string"}))
        return completed

    @classmethod
    def _dated(cls, fields: Mapping[str, Schema]) -> dict[str, Schema]:
        """Make sure that windows can be cut by the replication key."""
        key = cls.declaration.replication_key
        if key is None or is_dated(fields.get(key, {})):
            return dict(fields)
        return {**fields, key: {"type": ["string", "null"], "format": "date-time"}}

    @property
    @override
    def resource(self) -> Resource:
        _ = self.schema
        declared = self.declaration
        return replace(
            super().resource,
            account=declared.account,
            date_setting=f"{declared.place}.date_parameters",
        )


class Running(Protocol):
    """The part of a tap that first rows need."""

    @property
    def run(self) -> Run: ...  # noqa: D102
    @property
    def streams(self) -> Mapping[str, Stream]: ...  # noqa: D102


class Samples:
    """First rows of streams, for fields to be told from before a run begins."""

    def __init__(self, tap: Running) -> None:
        """Ask nothing yet."""
        self._tap = tap
        self._accounts: list[Record] | Exception | None = None
        self._reason = ""

    @cached_property
    def _fetcher(self) -> Fetcher:
        return Fetcher(self._tap.run)

    def rows(self, stream: CustomStream) -> list[Record]:
        """Give the first page of rows, as Twilio sent them; empty, with a warning, without one."""
        self._reason = "there are no rows yet"
        node = self._node(stream)
        try:
            for context in itertools.islice(self._contexts(node), PARENTS_TRIED):
                if found := self._first(node, context):
                    return self._rows(found)
        except TapError as error:
            self._reason = str(error)
        stream.logger.warning(
            "%s: the fields of %s can't be told (%s); they are passed on as they are, and targets "
            "that need to know them get them from %s.schema",
            stream.declaration.place,
            stream.name,
            self._reason,
            stream.declaration.place,
        )
        return []

    def _rows(self, found: Fetched) -> list[Record]:
        """Decode a page's rows, and leave them as Twilio sent them."""
        decoder = Decoder(found.request.node, Rule())
        rows, _ = decoder.read(found.rows, decode, Batch.of(found))
        return rows

    def _node(self, stream: TwilioStream) -> Node:
        above = cast("type[TwilioStream] | None", stream.parent_stream_type)
        parent = None if above is None else self._tap.streams[above.name]
        return Node(
            stream.resource,
            None if parent is None else self._node(cast("TwilioStream", parent)),
            account_sid=self._tap.run.settings.account_sid,
        )

    def _parents_of_all(self, root: Node) -> list[Record]:
        """Find out, once for all streams, which accounts there are, the configured one first.

        This asks by hand for what a run would look at: planning asks for selections, and these for
        the schemas that are being made.
        """
        if self._accounts is None:
            try:
                self._accounts = self._list_accounts(root)
            except TapError as error:
                self._accounts = error
        if isinstance(self._accounts, Exception):
            raise self._accounts
        return self._accounts

    def _list_accounts(self, root: Node) -> list[Record]:
        settings = self._tap.run.settings
        main = settings.account_sid
        try:
            fetched = self._fetcher.fetch(Request(root, {}, Place((0,)), {}))
        except RefusedError:
            sids = [name for name in settings.accounts if name.startswith("AC")]
            return [{"sid": sid} for sid in sids or [main]]
        decoder = Decoder(root, Rule())
        learn(fetched, decoder, self._tap.run.skips.credentials)
        wanted = set(settings.accounts or ([] if settings.include_subaccounts else [main]))
        found = [
            record
            for record in decoder.decode(fetched).records
            if record.get("sid")
            and (not wanted or {record["sid"], record.get("friendly_name")} & wanted)
        ]
        found.sort(key=lambda record: record["sid"] != main)
        return found

    def _contexts(self, node: Node) -> Iterator[dict[str, Any]]:
        for context, records in self._above(node):
            for record in records:
                below = node.context_below(record, context)
                if (
                    below is not None
                    and node.resource.exists_for(record)
                    and self._tap.run.skips.may_read(node, node.account_of(below))
                ):
                    yield from (below | variant for variant in node.variants)

    def _above(self, node: Node) -> Iterator[tuple[dict[str, Any], list[Record]]]:
        parent = node.parent
        if parent is None or parent.parent is None:
            yield {}, self._parents_of_all(parent or node)
            return
        for context in itertools.islice(self._contexts(parent), PARENTS_TRIED):
            if found := self._first(parent, context):
                yield context, Decoder(parent, Rule()).decode(found).records

    def _first(self, node: Node, context: dict[str, Any]) -> Fetched | None:
        """Read the first page that has rows of one account or parent."""
        run, dates = self._tap.run, node.resource.window
        params: dict[str, str] = {}
        if dates is not None:
            start = dates.clamp(run.settings.start or EPOCH, run.clock.present)
            params = dates.params(Window(start, run.settings.end), run.settings.now)
        for chain in chain_params(node.resource, run.settings):
            try:
                found = self._fetcher.fetch(Request(node, context, Place((0,)), chain | params))
            except (AbsentError, RefusedError) as error:
                self._reason = str(error)
                return None
            if self._rows(found):
                return found
        return None


# --- Classes from declarations -----------------------------------------------------------------


def classes(declarations: Iterable[Declaration]) -> list[type[CustomStream]]:
    """Make a stream class of each declaration, parents before their children.

    Raises:
        SettingsError: They don't go together with each other or with the tap's own streams.
    """
    known: dict[str, type[TwilioStream]] = {stream.name: stream for stream in STREAMS}
    mistakes = []
    waiting: dict[str, Declaration] = {}
    for one in declarations:
        if one.name in known or one.name in waiting:
            owner = "the tap itself" if one.name in known else waiting[one.name].place
            mistakes.append(f"{one.place}.name: there is a stream {one.name!r} already: {owner}'s")
        else:
            waiting[one.name] = one
    made: list[type[CustomStream]] = []
    while waiting:
        ready = [one for one in waiting.values() if one.parent not in waiting]
        for one in ready or waiting.values():
            if one.parent in known:
                made.append(_class(one, known[one.parent]))
                known[one.name] = made[-1]
                mistakes += _misfits(made[-1])
            elif one.parent in waiting:
                mistakes.append(f"{one.place}.parent: {one.name!r} is its own ancestor")
            else:
                hint = did_you_mean(one.parent, list(known))
                mistakes.append(f"{one.place}.parent: there is no stream {one.parent!r}; {hint}")
        waiting = {name: one for name, one in waiting.items() if one not in ready} if ready else {}
    if mistakes:
        raise SettingsError(mistakes)
    return made


def _class(declared: Declaration, parent: type[TwilioStream]) -> type[CustomStream]:
    hidden = [
        field for one in STREAMS if one.product == declared.product for field in one.secret_fields
    ]
    has_sid = "sid" in (declared.properties or {})
    attributes = {
        "__module__": __name__,
        "__doc__": f"A stream that {SETTING} declares.",
        "declaration": declared,
        "name": declared.name,
        "product": declared.product,
        "path": declared.path,
        "parent_stream_type": parent,
        "parent_field": declared.parent_field,
        "primary_keys": (("sid",) if has_sid else ()) if declared.key is None else declared.key,
        "replication_key": declared.replication_key,
        "window": declared.window,
        "lookback": declared.lookback,
        "params": {name: values[0] for name, values in declared.params.items()},
        "fan_out": {name: values for name, values in declared.params.items() if len(values) > 1},
        "secret_fields": tuple(dict.fromkeys(hidden)),
    }
    return type(declared.name, (CustomStream,), attributes)


def _misfits(stream: type[CustomStream]) -> Iterator[str]:
    """Name what doesn't go together: a declaration with its parent, or with its schema."""
    declared = stream.declaration
    parent = cast("type[TwilioStream]", stream.parent_stream_type)
    given, needed = placeholders(stream), _placeholders_of(stream.path)
    above = placeholders(parent)
    if parent is not Accounts and set(needed) <= set(above):
        yield f"{declared.address}: it has no placeholder that records of {declared.parent} fill"
        return
    for name in needed:
        if name not in given:
            known = ", ".join(f"{{{one}}}" for one in above or given)
            yield f"{declared.address}: nothing gives {{{name}}}; {declared.parent} gives {known}"
    if declared.window is not None and any(above.window for above in _lineage(parent)):
        yield (
            f"{declared.place}.date_parameters: records of {declared.parent} are read by date, "
            "and so what is below them is; leave them out, or put a date into params"
        )
    fields = _fields(parent)
    if fields is not None and declared.parent_field not in fields:
        hint = did_you_mean(declared.parent_field, list(fields))
        yield (
            f"{declared.place}.parent_field: records of {declared.parent} have no field "
            f"{declared.parent_field!r}; {hint}"
        )
    if declared.properties is not None:
        own = [*declared.properties, *given]
        for name in declared.key or ():
            if name not in own:
                hint = did_you_mean(name, own)
                yield f"{declared.place}.key: the schema has no property {name!r}; {hint}"


def _fields(stream: type[TwilioStream]) -> Collection[str] | None:
    """Name the fields of a stream's records; none if they have yet to be told."""
    if issubclass(stream, CustomStream) and stream.declaration.properties is None:
        return None
    schema, _ = stream.load()
    return cast("Collection[str]", schema["properties"])


def placeholders(stream: type[TwilioStream]) -> list[str]:
    """Name the SIDs of parents that a stream's records carry, as paths do, outermost first."""
    parent = cast("type[TwilioStream] | None", stream.parent_stream_type)
    if parent is None:
        return []
    if parent is Accounts:
        return ["account_sid"]
    return [*placeholders(parent), *_placeholders_of(stream.path)[-1:]]


def _lineage(stream: type[TwilioStream] | None) -> Iterator[type[TwilioStream]]:
    while stream is not None:
        yield stream
        stream = cast("type[TwilioStream] | None", stream.parent_stream_type)


def _placeholders_of(path: str) -> list[str]:
    return [name for _, name, *_ in string.Formatter().parse(path) if name]


def _nullable(field: Schema) -> Schema:
    return {**field, "type": [*types(field), "null"]} if "type" in field else dict(field)


def _required(field: Schema) -> Schema:
    if "type" not in field:
        return dict(field)
    left = types(field)
    return {**field, "type": left[0] if len(left) == 1 else left}
