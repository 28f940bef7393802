"""First rows of streams, for fields to be told from before a run begins."""

from __future__ import annotations

import itertools
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol, cast

from tap_twilio.engine.decoder import Decoder
from tap_twilio.engine.fetcher import Fetcher
from tap_twilio.engine.planner import chain_params
from tap_twilio.engine.requests import Batch, Fetched, Place, Request
from tap_twilio.engine.sign_in import learn
from tap_twilio.http.errors import AbsentError, RefusedError, TapError
from tap_twilio.http.files import RowFile
from tap_twilio.http.pagination import decode
from tap_twilio.records.pii import Rule
from tap_twilio.resource.resource import Node
from tap_twilio.resource.windows import EPOCH, Window

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from singer_sdk import Stream

    from tap_twilio.engine.requests import Record
    from tap_twilio.engine.run import Run
    from tap_twilio.streams.base import TwilioStream

PARENTS_TRIED = 10
"""Accounts or parents to look at for a first row, when fields have to be told from rows."""


class Running(Protocol):
    """The part of a tap that first rows need."""

    @property
    def run(self) -> Run:
        """What asks Twilio."""

    @property
    def streams(self) -> Mapping[str, Stream]:
        """The streams by name."""


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

    def rows(self, stream: TwilioStream, place: str) -> list[Record]:
        """Give the first page of rows, as Twilio sent them; empty, with a warning, without one.

        Args:
            place: Where the stream is declared.
        """
        self._reason = "there are no rows yet"
        node = self._node(stream)
        try:
            for context in itertools.islice(self._contexts(node), PARENTS_TRIED):
                if found := self._first(node, context):
                    return self._rows(found)
        except TapError as error:
            self._reason = str(error)
        stream.logger.warning(
            "%s: the fields of %s are unknown (%s). Records pass as they are. If the target needs "
            "a schema, give %s.schema",
            place,
            stream.name,
            self._reason,
            place,
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
                    and node.is_below(context)
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
                file = RowFile() if node.reads_files else None
                request = Request(node, context, Place((0,)), chain | params, file=file)
                found = self._fetcher.fetch(request)
            except (AbsentError, RefusedError) as error:
                self._reason = str(error)
                return None
            if self._rows(found):
                return found
        return None
