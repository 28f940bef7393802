"""Base of all streams: pages in order, their records out, their children after them."""

from __future__ import annotations

import itertools
from dataclasses import replace
from functools import cached_property
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, cast

from singer_sdk.mapper import SameRecordTransform
from typing_extensions import override

from tap_twilio.activation import is_whole, was_read
from tap_twilio.chain import Chain
from tap_twilio.client import GIVEN_UP
from tap_twilio.config.credentials import ROOT_PRODUCT
from tap_twilio.engine.sign_in import ask
from tap_twilio.http.errors import (
    AbsentError,
    ChainError,
    RefusedError,
    ResponseError,
)
from tap_twilio.output.progress import Failure
from tap_twilio.output.singer import Writer
from tap_twilio.planning import CREATED, PlannedStream
from tap_twilio.records.convert import lacking
from tap_twilio.records.unknown import UnknownFields, gathered, leave_out
from tap_twilio.references import mapping
from tap_twilio.resource.windows import iso
from tap_twilio.undated import FIRST_PAGES, IDLE_ROWS, LONGEST_UNSETTLED, Marks

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator, Mapping

    from singer_sdk.helpers.types import Context
    from singer_sdk.mapper import StreamMap
    from singer_sdk.singerlib import RecordMessage

    from tap_twilio.ahead import Order
    from tap_twilio.pages import Child, Page, Plan, Request
    from tap_twilio.records.convert import Record
    from tap_twilio.undated import Mark


OUTER = len(("properties", "name"))
"""Length of a field's place in a catalog; those of fields within it are longer."""

ANYBODYS = ("monitor", "/v1/Alerts")
"""A list outside the 2010 API that every token may read, whatever its account has bought."""

REFUSED_LINK = {HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND}


class TwilioStream(PlannedStream):
    """A stream of one of Twilio's resources; subclasses only declare."""

    @property
    @override
    def emit_activate_version_messages(self) -> bool:
        """Not before anything is read, as the SDK would: see :meth:`activate_version`."""
        return False

    # --- Emission ------------------------------------------------------------------------------

    def pages(
        self, context: dict[str, Any], order: Order, plan: Plan | None = None
    ) -> Iterator[Page]:
        """Read the stream for one account or parent.

        Args:
            context: SIDs of the parents.
            order: Place of the whole in the order of emission.
            plan: What to ask for, if that was planned.

        Yields:
            Pages in order. Between them, bookmarks move as windows are finished.

        Raises:
            TapError: Something could not be read to its end.
        """
        seen: set[Any] = set()
        wanted = self.run.settings.max_records
        bookmark = self.bookmark(context) if self.skips_unchanged else None
        failures = len(self.run.progress.failures)
        marks = Marks(self.window.names if self.window is not None else ())
        unsettled: list[str] = []
        search = self.search(context)
        if search is not None:
            self.note_search(context, search.floor)
        for window, chains in self.plan(context, order) if plan is None else plan:
            for request in chains:
                for page in self._numbered(self._read(request, marks)):
                    self._note_undated(page, seen, unsettled)
                    self.drop_unchanged(page, bookmark)
                    if wanted is not None:
                        page.keep(list(range(min(wanted, len(page.records)))))
                        wanted -= len(page.records)
                    yield page
                    # Let go of before the next page is decoded.
                    page.records = []
                    if wanted == 0:
                        return
                    marks.note(page)
                    if len(chains) == 1 and page.following is None:
                        self.finish(context, page.request.window, failures)
            if len(chains) > 1:
                self.finish(context, window, failures)
        if len(self.run.progress.failures) == failures:
            self._end(context, unsettled)

    def _end(self, context: Mapping[str, Any], unsettled: list[str]) -> None:
        """Keep in the state what holds once the whole list was read.

        Args:
            context: SIDs of the parents.
            unsettled: When rows were made whose date Twilio has yet to set.
        """
        if self.search(context) is not None and self.wants_undated:
            oldest = iso(self.run.reached - LONGEST_UNSETTLED)
            recent = [made for made in unsettled if made >= oldest]
            self.note_searched(context, min(recent, default=None))
        if self.skips_unchanged:
            self.move_bookmark(context, self.run.reached)

    def _numbered(self, pages: Iterable[Page]) -> Iterator[Page]:
        position = itertools.count()
        for page in pages:
            if self.position_field is not None:
                for record in page.records:
                    record[self.position_field] = next(position)
            yield page

    def _chain(self, request: Request) -> Chain:
        restartable = self.position_field is None and bool(self.own_keys)
        return Chain(request, self._take, restartable=restartable)

    def _take(self, request: Request) -> Page:
        page: Page = self.run.ahead.take(request)
        self.open(page)
        if page.lost:
            self.run.progress.lost[self.name] += page.lost
            self.warn_once("rows that are no objects are left out; the summary tells how many")
        for oddity in page.oddities:
            self.warn_once(oddity)
        return page

    def _read(self, request: Request, marks: Marks) -> Iterable[Page]:
        return self._chain(request) if request.undated is None else self._search(request, marks)

    def _search(self, request: Request, marks: Marks) -> Iterator[Page]:
        """Look for rows without a date, from several places of the list where it is long."""
        walks = marks.walks(request)
        try:
            yield from self._until_idle(walks)
        except (ResponseError, ChainError) as error:
            refused = isinstance(error, ChainError) or error.status in REFUSED_LINK
            if len(walks) == 1 or not refused:
                raise
            self.logger.info("Walking the list from its top, as this was refused: %s", error)
            top = replace(request, order=(*request.order[:-2], len(walks), 0))
            yield from self._until_idle([(top, None)])
        self.run.ahead.skip(request.order[:-2])

    def _until_idle(self, walks: list[tuple[Request, Mark | None]]) -> Iterator[Page]:
        idle = pages = 0
        search = walks[0][0].undated
        recent = iso(search.recent) if search is not None else ""
        certain = [walk for walk, begin in _beginnings(walks) if begin is None or begin >= recent]
        for walk, until in walks:
            for page in self._chain(walk):
                pages += 1
                idle = 0 if page.records else idle + page.received
                is_past = page.newest is not None and page.newest < recent
                latest = page.latest
                if page.records and is_past:
                    # Where old rows have no date either, there are more of them.
                    certain = [walk for walk, _ in walks]
                if pages >= FIRST_PAGES or is_past:
                    self.run.ahead.hint(iter(certain))
                    certain = []
                yield page
                if is_past and idle >= IDLE_ROWS:
                    return
                if until is not None and latest is not None and latest < until.date:
                    break

    def _note_undated(self, page: Page, seen: set[Any], unsettled: list[str]) -> None:
        """Keep a row without a date only once: any number of windows may list it."""
        if self.window is None:
            return
        again = set()
        for index in lacking(page.records, [self.key]):
            row = page.records[index]
            identity = self.identity(row)
            if identity and identity in seen:
                again.add(index)
            elif self.unsettled_statuses and row.get("status") in self.unsettled_statuses:
                made = row.get(CREATED)
                unsettled += [] if made is None else [made]
            seen.add(identity)
        if again:
            page.keep([index for index in range(len(page.records)) if index not in again])

    def walk(
        self, context: dict[str, Any], order: Order, plan: Plan | None = None
    ) -> Iterator[tuple[TwilioStream, Page]]:
        """Read the stream for one account or parent, and the streams below its records.

        Args:
            context: SIDs of the parents.
            order: Place of the whole in the order of emission.
            plan: What to ask for, if that was planned.

        Yields:
            Each page with its stream, a parent's before those of its children. A page is done
            with when the next is asked for: then bookmarks may move past it.
        """
        if not self.may_read(self.account_of(context)):
            return
        try:
            for page in self.pages(context, order, plan):
                if (yield from self.walk_page(page)):
                    break
        except AbsentError as error:
            self.run.progress.absent[self.name] += 1
            self.logger.debug("%s", error)
        except GIVEN_UP as error:
            self._leave_out(context, error)
        self.run.ahead.skip(order)
        if self.is_accounts_own:
            self.finish_below(context)

    def walk_page(self, page: Page) -> Generator[tuple[TwilioStream, Page], None, bool]:
        """Give a page, then read what is below its records.

        Args:
            page: The page.

        Yields:
            As :meth:`walk`.

        Returns:
            Whether that is all that a dry run wants.
        """
        enough = self._limit(page)
        # What is below is told by fields that a stream map or the catalog may take away.
        below = self._children_of(page) if self.children else []
        if not self.selected:
            yield self, page
        elif self.is_news(page.request, [self]):
            self.leave_out_keyless(page)
            if self.masker is not None:
                page.records = self.masker.mask(page.records)
            yield self, page
        for child in below:
            stream = cast("TwilioStream", child.stream)
            yield from stream.walk(child.context, child.order, child.plan)
        return enough

    def _children_of(self, page: Page) -> list[Child]:
        """Tell what is below the records of a page that were not left out since it was planned."""
        if page.below is None:
            return list(self.below(page))
        if page.numbers is None or page.parents is not None:
            return list(page.below)
        numbers = set(page.numbers)
        return [child for child in page.below if child.order[-2] in numbers]

    def leave_out_keyless(self, page: Page) -> None:
        """Leave out rows without a key, which targets refuse; say so, and count them.

        Args:
            page: A page of this stream, complete.
        """
        keyless = set(lacking(page.records, self.own_keys))
        if keyless:
            page.keep([index for index in range(len(page.records)) if index not in keyless])
            self.run.progress.keyless[self.name] += len(keyless)
            self.warn_once(
                f"rows in which Twilio leaves the key ({', '.join(self.own_keys)}) empty, or a "
                "part of it, are left out: targets would refuse them"
            )

    def write(self, records: list[Record]) -> None:
        """Write RECORD messages, and count them.

        Args:
            records: Records of this stream.
        """
        last = records[-1] if records else {}
        account = last.get("account_sid")
        date = None if self.window is None else last.get(self.key)
        count = len(records)
        self._write(records)
        self.run.progress.count_records(self.name, count, account, date)

    def begin(self) -> None:
        """Get ready to write records.

        They have a version if the setting asks for it and it is safe.
        """
        self._write_schema_message()
        if self.run.settings.emit_activate_version_messages and is_whole(self):
            self._stream_version = int(self.run.settings.now.timestamp())

    def activate_version(self) -> None:
        """Have the target drop what this run didn't bring, if it brought all there is."""
        if self._stream_version is not None and was_read(self):
            self._write_activate_version_message(self._stream_version)

    def _limit(self, page: Page) -> bool:
        """Cut a page to what a dry run wants; tell whether that is all of it."""
        if self.ABORT_AT_RECORD_COUNT is None:
            return False
        if len(page.records) > self.ABORT_AT_RECORD_COUNT:
            page.keep(list(range(self.ABORT_AT_RECORD_COUNT)))
        return len(page.records) == self.ABORT_AT_RECORD_COUNT

    def _write(self, records: list[Record]) -> None:
        for name in self._deselected:
            for record in records:
                record.pop(name, None)
        writer = self._tap.message_writer
        if self._is_plain and isinstance(writer, Writer):
            if self.converter.unknown:
                records = self._announced(records)
            writer.write_records(self.name, records, self.run.settings.now, self._stream_version)
        else:
            with mapping(f"they can't be applied to {self.name}"):
                made = [one for record in records for one in self._generate_record_messages(record)]
            if self.converter.unknown or self._flattens:
                for stream_map in self.stream_maps:
                    self._announce_made(stream_map, made)
            for message in made:
                self._tap.write_message(message)
        self.state_manager.is_flushed = False

    def _announced(self, records: list[Record]) -> list[Record]:
        """Have the target know the fields of records that the schema lacks.

        Returns:
            The records to write.
        """
        (stream_map,) = self.stream_maps
        if self._tap.catch_all is None:
            self._announce(stream_map, records, self.converter.unknown)
            return records
        known = stream_map.transformed_schema["properties"]
        names = [name for name in self.converter.unknown if name not in known]
        return gathered(records, names, self._tap.catch_all)

    def _announce_made(self, stream_map: StreamMap, made: list[RecordMessage]) -> None:
        """Have the target know what a stream map made of fields that the schema lacks."""
        records = [message.record for message in made if message.stream == stream_map.stream_alias]
        known = stream_map.transformed_schema["properties"].keys()
        odd = [record.keys() - known for record in records if not record.keys() <= known]
        self._announce(stream_map, records, sorted(set().union(*odd)))

    def _announce(self, stream_map: StreamMap, records: list[Record], names: Iterable[str]) -> None:
        """Write SCHEMA once more, if records are the first to tell the types of fields.

        What fields have no value yet are left out.
        """
        schema = stream_map.transformed_schema
        fields = self._unknown_fields.get(stream_map.stream_alias)
        if fields is None:
            fields = UnknownFields(schema["properties"], self._report)
            self._unknown_fields[stream_map.stream_alias] = fields
        new = fields.look(records, names)
        if new:
            # Not changed in place: the writer compares it with what it wrote before.
            properties = schema["properties"] | new
            stream_map.transformed_schema = schema | {"properties": properties}
            self._write_schema_message()
        leave_out(records, fields.waiting)

    @cached_property
    def _unknown_fields(self) -> dict[str, UnknownFields]:
        return {}

    @cached_property
    def _deselected(self) -> list[str]:
        # Of the catalog, which may know fields that the schema lacks.
        found = self.mask.items()
        return [crumbs[1] for crumbs, chosen in found if len(crumbs) == OUTER and not chosen]

    @cached_property
    def _is_plain(self) -> bool:
        """Whether records go out as they are: no stream map, no nested field deselected."""
        if not all(chosen for crumbs, chosen in self.mask.items() if len(crumbs) > OUTER):
            return False
        (*others, only) = self.stream_maps
        return not others and type(only) is SameRecordTransform and not self._flattens

    @cached_property
    def _flattens(self) -> bool:
        return any(stream_map.flattening_enabled for stream_map in self.stream_maps)

    @override
    def _sync_records(
        self, context: Context | None = None, *, write_messages: bool = True
    ) -> Generator[Record, Any, Any]:
        """Read everything that is selected: all other streams are below this one."""
        yield from self._tap.sync.write()

    @override
    def get_records(self, context: Context | None) -> Iterator[Record]:
        for page in self.pages(dict(context or {}), self.run.ahead.begin()):
            self.leave_out_keyless(page)
            yield from self.masker.mask(page.records) if self.masker else page.records

    @override
    def finalize_state_progress_markers(self, state: dict[str, Any] | None = None) -> None:
        """Promote nothing: bookmarks have moved with the windows."""

    # --- What can't be read --------------------------------------------------------------------

    def probe(self, context: dict[str, Any], order: Order) -> Request:
        """Make the request that tells whether a stream that was refused may be read by now.

        Args:
            context: SIDs of the parents below which it was refused.
            order: Place of the request in the order of emission.

        Returns:
            The first page of that list.
        """
        (first, *_) = self._chains(context, order, {})
        return first

    def take_probe(self, request: Request) -> None:
        """Find out whether a stream that was refused may be read by now.

        Args:
            request: Its :meth:`probe`.
        """
        try:
            self.run.ahead.take(request)
        except AbsentError:
            # The parent has gone; had the stream been refused, it would have been so once more.
            pass
        except RefusedError as error:
            # Of the stream alone: whether the account's token is any good, others tell.
            self._skip(self.account_of(request.context), str(error))
            return
        except GIVEN_UP as error:
            self._leave_out(request.context, error)
            return
        self.forget_refusal(self.account_of(request.context))

    def _leave_out(self, context: Mapping[str, Any], error: Exception) -> None:
        """Take note that the stream could not be read for an account; its bookmark stays."""
        account = self.account_of(context)
        if not isinstance(error, RefusedError):
            self._fail(account, error)
            return
        self.note_refusal(context)
        if self._is_token_refused(account, error):
            self.run.refuse(
                account,
                f"Twilio refused its own token ({error}): its streams outside the 2010 API are "
                "skipped. Put credentials that work into subaccount_credentials",
            )
        else:
            self._skip(account, str(error))

    def _is_token_refused(self, account: str, error: RefusedError) -> bool:
        """Tell a subaccount's token that is wrong from a stream that it may not read."""
        signature = self.signature(account)
        if (
            error.status != HTTPStatus.UNAUTHORIZED
            or self.product == ROOT_PRODUCT
            or signature is None
            or not self.run.credentials.signs_by_list(account)
            or account in self.run.trusted
        ):
            return False
        refusal = ask(self.run, *ANYBODYS, account, signature)
        if isinstance(refusal, RefusedError) and refusal.status == HTTPStatus.UNAUTHORIZED:
            return True
        self.run.trusted.add(account)
        return False

    def _skip(self, account: str, reason: str) -> None:
        self.run.refused.add((self.name, account))
        self.run.progress.skipped[self.name, account] = reason
        self.logger.warning("%s: skipped for %s: %s", self.name, account, reason)

    def _fail(self, account: str, error: Exception) -> None:
        self.run.failed.add((self.name, account))
        self.run.progress.failures.append(Failure(self.name, account, error))
        self.logger.error("%s: given up for %s: %s", self.name, account, error)


def _beginnings(
    walks: list[tuple[Request, Mark | None]],
) -> Iterator[tuple[Request, str | None]]:
    """Give each walk with the date of the place where it begins; none for a list's top."""
    dates = [None, *(until.date for _, until in walks if until is not None)]
    return zip((walk for walk, _ in walks), dates, strict=True)
