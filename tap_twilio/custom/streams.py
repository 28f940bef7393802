"""Streams that the setting ``custom_streams`` declares, for endpoints that have no class here."""

from __future__ import annotations

import string
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, cast

from typing_extensions import override

from tap_twilio.config.checks import SettingsError, did_you_mean
from tap_twilio.config.declarations import SETTING, Declaration, is_dated
from tap_twilio.custom.inference import infer
from tap_twilio.http.errors import TapError
from tap_twilio.records.secrets import NAMES
from tap_twilio.resource.schemas import Endpoint, snake, types
from tap_twilio.streams import STREAMS
from tap_twilio.streams.accounts import Accounts, AccountStream

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from singer_sdk import Tap

    from tap_twilio.custom.samples import Samples
    from tap_twilio.resource.resource import Resource
    from tap_twilio.streams.base import TwilioStream

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
        rows = self._samples.rows(self, self.declaration.place)
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
    # Of a file's rows, the stream tells the kind.
    above = placeholders(parent) if stream.exported is None else ["account_sid"]
    return [*above, *_placeholders_of(stream.path)[-1:]]


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
