"""Base of all streams: class attributes, and the SDK's view of them."""

from __future__ import annotations

import string
from dataclasses import fields
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, cast

from singer_sdk.helpers.conform import TypeConformanceLevel
from singer_sdk.mapper import SameRecordTransform
from singer_sdk.singerlib import Catalog, Schema
from singer_sdk.streams import Stream
from typing_extensions import override

from tap_twilio.config import inputs
from tap_twilio.http.redaction import is_news
from tap_twilio.records.pii import Masker
from tap_twilio.records.secrets import NAMES
from tap_twilio.resource import schemas
from tap_twilio.resource.resource import Resource, Warner

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping, Sequence

    from singer_sdk import Tap
    from singer_sdk.helpers.types import Context
    from singer_sdk.singerlib import RecordMessage

    from tap_twilio.records.pii import Rule
    from tap_twilio.resource.schemas import Endpoint
    from tap_twilio.resource.windows import DateFilter
Record = dict[str, Any]

OUTER = len(("properties", "name"))
"""Length of a field's place in a catalog; those of fields within it are longer."""


class Conductor(Protocol):
    """The part of a tap that its streams use."""

    @property
    def pii(self) -> Rule:
        """How personal data is hidden."""

    def read(self) -> None:
        """Read everything that is selected."""

    def records(self, name: str, context: Record) -> Iterator[Record]:
        """Read one list of a stream."""


class TwilioStream(Stream):
    """Base of the streams; subclasses only declare.

    Attributes:
        path: Path on the product's host, with the SIDs of parents as placeholders.
        product: First label of the host.
        window: The endpoint's date filter, by which an incremental stream is read.
        span: A date filter that only bounds what is summed, by ``start_date`` and ``end_date``.
        lookback: How long Twilio still changes a row.
        unsettled_statuses: Statuses of rows without a date that Twilio still changes, however long
            ago they were made, up to the 36 days that a message may wait.
        params: Query parameters that are always sent.
        switches: Query parameters that settings turn on, by the setting's name.
        fan_out: Query parameters that need one request chain for each value, as no single request
            lists all rows.
        path_values: Values of placeholders in the path that no list gives: one read for each.
        context_params: Query parameters that take the SID of a parent, by the name of its field.
        page_size: Most rows to ask for, where the endpoint's own maximum is too many.
        size_param: Query parameter that takes the page size.
        absent_is_empty: Whether a window that has no rows is answered with 404.
        parent_field: Field of the parent's record that fills the path's last placeholder.
        promoted: Fields to add to each record, with the place in a nested object that they repeat:
            ``{"period_start": "period.start"}``.
        position_field: Field to add to each record: its position in the list.
        stand_ins: Values of key fields where Twilio sends null or nothing. Only for fields that are
            null by right, or where the rest of the key tells rows apart anyhow: else two rows would
            become one.
        billed_as: Categories of usage records that count its rows together.
        void_values: Values by which Twilio says that a field has none: null takes their place.
        exported: The kind of rows, by its name in paths, that it reads out of files: its parent
            lists their days, and the path leads to a day's file on another host.
        region: The one region that has rows, where not all have.
        secret_fields: Fields that never leave the tap, besides those with names of credentials.
        typed_by_catalog: Whether the catalog's schema describes the records.
        wire_schema: JSON schema of a record before personal data is masked; ``schema`` is after.
        masker: Masks personal data; none where it is kept.
    """

    name: str = ""
    path: str = ""
    product: ClassVar[str] = "api"
    window: ClassVar[DateFilter | None] = None
    span: ClassVar[DateFilter | None] = None
    lookback: ClassVar[timedelta] = timedelta(0)
    unsettled_statuses: ClassVar[frozenset[str]] = frozenset()
    params: ClassVar[Mapping[str, str]] = {}
    switches: ClassVar[Mapping[str, str]] = {}
    fan_out: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    path_values: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    context_params: ClassVar[Mapping[str, str]] = {}
    page_size: ClassVar[int | None] = None
    size_param: ClassVar[str] = "PageSize"
    absent_is_empty: ClassVar[bool] = False
    parent_field: ClassVar[str] = "sid"
    promoted: ClassVar[Mapping[str, str]] = {}
    position_field: ClassVar[str | None] = None
    stand_ins: ClassVar[Mapping[str, str | int]] = {}
    billed_as: ClassVar[tuple[str, ...]] = ()
    void_values: ClassVar[Mapping[str, str | int]] = {}
    exported: ClassVar[str | None] = None
    region: ClassVar[str | None] = None
    secret_fields: ClassVar[tuple[str, ...]] = ()
    typed_by_catalog: ClassVar[bool] = False

    primary_keys: Sequence[str] = ("sid",)
    state_partitioning_keys: Sequence[str] | None = ("account_sid",)
    TYPE_CONFORMANCE_LEVEL = TypeConformanceLevel.NONE

    def __init__(self, tap: Tap) -> None:
        """Read the schema."""
        rule = cast("Conductor", tap).pii
        schema, self.endpoint = self.load()
        for secret in NAMES.union(self.secret_fields):
            schema["properties"].pop(secret, None)
        self.wire_schema = schema
        self.masker: Masker | None = None
        if rule.how != "keep":
            keys = {*type(self).primary_keys, cast("Any", type(self)).replication_key}
            self.masker = Masker(schema, rule, keys)
        announced = self.masker.announce(schema) if self.masker else schema
        super().__init__(tap, schema=announced)
        self.logger.addFilter(is_news)
        self.warn_once = Warner(self.name)

    # --- What is declared ----------------------------------------------------------------------

    @classmethod
    def load(cls) -> tuple[dict[str, Any], Endpoint]:
        """Give the JSON schema of a record, and the facts of the endpoint."""
        return schemas.load(cls.product, cls.name)

    @classmethod
    def address(cls) -> tuple[str, str]:
        """Name product and path, whatever its placeholders: ``("api", "/…/{}/Calls.json")``."""
        parts = string.Formatter().parse(cls.path)
        return cls.product, "".join(
            text + ("" if name is None else "{}") for text, name, *_ in parts
        )

    @classmethod
    def exists_for(cls, parent: Record) -> bool:  # noqa: ARG003
        """Tell whether a parent's record, typed, can have rows here: if not, none is asked for."""
        return True

    @property
    def resource(self) -> Resource:
        """The declarations, as data."""
        keys = self.primary_keys if self.typed_by_catalog else type(self).primary_keys
        own: dict[str, Any] = {
            "keys": tuple(keys),
            "key": type(self).replication_key,
            "schema": self.wire_schema,
            "endpoint": self.endpoint,
        }
        same = {one.name for one in fields(Resource)} - own.keys()
        return Resource(
            **own, **{name: getattr(self, name) for name in same if hasattr(self, name)}
        )

    # --- The SDK's view ------------------------------------------------------------------------

    @override
    def apply_catalog(self, catalog: Catalog) -> None:
        """Take selection, keys and method from a catalog; records stay what they are."""
        entry = catalog.get_stream(self.name)
        if entry is not None and self.masker is not None and self.typed_by_catalog:
            # The catalog may have been made when personal data was still kept.
            entry.schema = Schema.from_dict(self.masker.announce(entry.schema.to_dict()))
        super().apply_catalog(catalog)
        if entry is not None and not self.typed_by_catalog and self.selected:
            for sentence in inputs.differences(entry.schema.to_dict(), self.schema):
                self.warn_once(sentence)
            entry.schema = Schema.from_dict(self.schema)
            self._input_schema = None

    @property
    @override
    def emit_activate_version_messages(self) -> bool:
        """Not before anything is read, as the SDK would: the sink does, at a stream's end."""
        return False

    @override
    def _sync_records(
        self, context: Context | None = None, *, write_messages: bool = True
    ) -> Generator[Record, Any, Any]:
        """Read everything that is selected: all other streams are below this one."""
        cast("Conductor", self._tap).read()
        yield from ()

    @override
    def get_batch_config(self, config: Mapping[str, Any]) -> None:
        """Give none, as the SDK would write batches of this stream alone: the sink does, of all."""

    @override
    def get_records(self, context: Context | None) -> Iterator[Record]:
        yield from cast("Conductor", self._tap).records(self.name, dict(context or {}))

    @override
    def finalize_state_progress_markers(self, state: dict[str, Any] | None = None) -> None:
        """Promote nothing: bookmarks have moved with the windows."""

    # --- For the sink --------------------------------------------------------------------------

    @cached_property
    def deselected(self) -> list[str]:
        """Fields that a catalog, which may know some that the schema lacks, leaves out."""
        found = self.mask.items()
        return [crumbs[1] for crumbs, chosen in found if len(crumbs) == OUTER and not chosen]

    @cached_property
    def is_plain(self) -> bool:
        """Whether records go out as they are: no stream map, no nested field deselected."""
        if not all(chosen for crumbs, chosen in self.mask.items() if len(crumbs) > OUTER):
            return False
        (*others, only) = self.stream_maps
        return not others and type(only) is SameRecordTransform and not self.flattens

    @cached_property
    def flattens(self) -> bool:
        """Whether fields of nested objects become columns."""
        return any(stream_map.flattening_enabled for stream_map in self.stream_maps)

    @property
    def version(self) -> int | None:
        """Version that records carry, by which a target finds what is gone; none without one."""
        return self._stream_version

    @version.setter
    def version(self, version: int) -> None:
        self._stream_version = version

    def write_schema(self) -> None:
        """Write SCHEMA messages, of stream maps too."""
        self._write_schema_message()

    def mapped(self, records: list[Record]) -> list[RecordMessage]:
        """Make RECORD messages as stream maps, flattening and nested selection have them."""
        return [one for record in records for one in self._generate_record_messages(record)]

    def write_version(self, version: int) -> None:
        """Have the target drop rows of earlier versions."""
        self._write_activate_version_message(version)
