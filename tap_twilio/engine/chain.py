"""One request chain: its pages in order, whatever becomes of the links between them."""

from __future__ import annotations

import itertools
from array import array
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from tap_twilio.http.errors import ChainError, ResponseError
from tap_twilio.records.keys import identity, lacking

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from collections.abc import Set as AbstractSet

    from tap_twilio.engine.requests import Batch, Request

BROKEN: Final = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND, HTTPStatus.GONE})
"""How Twilio refuses the address of a next page that it gave itself: the page token has expired,
or the row that it names is gone."""

BARREN_RESTARTS: Final = 3
"""Restarts in a row that may bring no new row before a chain is given up."""

ROWS_REMEMBERED: Final = 1_000_000
"""Rows of a chain that are known again after a restart, in 8 bytes each."""


@dataclass
class Chain:
    """The pages of one list, from its first one on.

    A link to a next page may stop working halfway. Then the list is read anew from its first page,
    and the rows that were handed on before are left out.

    Attributes:
        take: Gets a page whose turn has come.
        is_wanted: Whether anybody still wants a part of a window that was split.
        known: Hashed keys of rows to leave out.
    """

    first: Request
    take: Callable[[Request], Batch]
    is_wanted: Callable[[Request], bool] = lambda _: True
    known: AbstractSet[int] = frozenset()
    _told: array[int] = field(default_factory=lambda: array("q"))
    _full: bool = False
    _barren: int = 0

    def __iter__(self) -> Iterator[Batch]:
        """Give the pages in order, less rows known before; for a split window, those of its parts.

        Raises:
            ChainError: The list leads in a circle, or breaks off and can't be read anew.
        """
        request: Request | None = self.first
        places: set[object] = set()
        while request is not None:
            try:
                batch = self.take(request)
            except ResponseError as error:
                if not self._is_broken(request, error):
                    raise
                request = self._restarted(request, error)
                places.clear()
                continue
            if batch.parts:
                for part in filter(self.is_wanted, batch.parts):
                    yield from Chain(part, self.take, self.is_wanted, self.known)
                return
            if batch.following is not None or self._told or self.known:
                hashes = self._hashes(batch)
                self._check_place(batch, hashes, places)
                self._leave_out(batch, hashes)
            request = batch.following
            yield batch

    def _hashes(self, batch: Batch) -> list[int]:
        """Hash what rows are known again by: their keys, or all of a row that has none."""
        resource, records = self.first.node.resource, batch.records
        keys = [[record.get(name) for record in records] for name in resource.keys]
        hashes = list(map(hash, zip(*keys, strict=True)))
        if resource.is_keyed and not all(map(all, keys)):
            for index in lacking(records, resource.keys):
                hashes[index] = hash(identity(records[index], resource.keys))
        return hashes

    def _is_broken(self, request: Request, error: ResponseError) -> bool:
        first = self.first
        is_next = request.link != first.link or request.params != first.params
        return is_next and error.status in BROKEN

    def _check_place(self, batch: Batch, hashes: list[int], places: set[object]) -> None:
        """Make sure that a chain goes on: each page differs from all before it."""
        request = batch.request
        place = request.link or tuple(sorted(request.params.items()))
        is_keyed = request.node.resource.is_keyed
        rows = (len(hashes), hash(tuple(hashes))) if hashes and is_keyed else None
        if place in places or rows in places:
            msg = (
                f"{request.node.name}: a page came twice in one list; the links between its "
                "pages lead in a circle"
            )
            raise ChainError(msg)
        places.add(place)
        if rows is not None:
            places.add(rows)

    def _leave_out(self, batch: Batch, hashes: list[int]) -> None:
        new: Iterable[int] = hashes
        if self.known:
            indexes = [index for index, one in enumerate(hashes) if one not in self.known]
            new = [hashes[index] for index in indexes]
            if len(indexes) < len(hashes):
                batch.keep(indexes)
        if batch.records:
            self._barren = 0
        room = ROWS_REMEMBERED - len(self._told)
        self._full = self._full or len(batch.records) > room
        self._told.extend(itertools.islice(new, room))

    def _restarted(self, request: Request, error: ResponseError) -> Request:
        """Give the chain's first page once more, at the place after the one that broke.

        It fails where reading anew wouldn't help, or would give rows twice.
        """
        node = request.node
        if not node.resource.is_keyed or self._full or self._barren >= BARREN_RESTARTS:
            msg = f"the list broke off and can't be read on: {error}"
            raise ChainError(msg) from error
        self._barren += 1
        self.known = self.known | set(self._told)
        node.logger.warning(
            "%s: the list broke off, and is read again from its start: %s", node.name, error
        )
        return replace(self.first, place=request.place.next)
