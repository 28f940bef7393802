"""One request chain: its pages in order, whatever becomes of the links between them."""

from __future__ import annotations

import itertools
from array import array
from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from tap_twilio.http.errors import ChainError, ResponseError
from tap_twilio.records.convert import lacking

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from collections.abc import Set as AbstractSet

    from tap_twilio.pages import Page, Request

BROKEN: Final = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND, HTTPStatus.GONE})
"""How Twilio refuses the address of a next page that it gave itself: the page token has expired,
or the row that it names is gone."""

BARREN_RESTARTS: Final = 3
"""Restarts in a row that may bring no new row before a chain is given up."""

ROWS_REMEMBERED: Final = 1_000_000
"""Rows of a chain that are known again after a restart, in 8 bytes each."""


class Chain:
    """The pages of one list, from its first one on.

    A link to a next page may stop working halfway. Then the list is read anew from its first
    page, and the rows that were handed on before are left out.
    """

    def __init__(
        self,
        first: Request,
        take: Callable[[Request], Page],
        *,
        restartable: bool = True,
        known: AbstractSet[int] = frozenset(),
    ) -> None:
        """Begin at the first page.

        Args:
            first: Its request.
            take: Gets a page whose turn has come.
            restartable: Whether rows are known again by their keys.
            known: Hashed keys of rows to leave out.
        """
        self._first = first
        self._take = take
        self._keys = first.stream.own_keys
        self._restartable = restartable
        self._known = known
        self._told = array("q")
        self._full = False
        self._barren = 0

    def __iter__(self) -> Iterator[Page]:
        """Give the pages, each complete but for the rows that were known before.

        Yields:
            The pages in order; of a window that was split, those of its parts.

        Raises:
            ChainError: The list leads in a circle, or breaks off and can't be read anew.
        """
        request: Request | None = self._first
        places: set[object] = set()
        while request is not None:
            try:
                page = self._take(request)
            except ResponseError as error:
                if not self._is_broken(request, error):
                    raise
                request = self._restarted(request, error)
                places.clear()
                continue
            if page.parts:
                for part in page.parts:
                    if part.is_wanted:
                        yield from Chain(
                            part, self._take, restartable=self._restartable, known=self._known
                        )
                return
            following = page.following
            if following is not None or self._told or self._known:
                hashes = self._hashes(page)
                self._check_place(page, hashes, places)
                self._leave_out(page, hashes)
            yield page
            request = following

    def _hashes(self, page: Page) -> list[int]:
        """Hash what rows are known again by: their keys, or all of a row that has none."""
        keys = [[record.get(name) for record in page.records] for name in self._keys]
        hashes = list(map(hash, zip(*keys, strict=True)))
        if self._restartable and not all(map(all, keys)):
            for index in lacking(page.records, self._keys):
                hashes[index] = hash(self._first.stream.identity(page.records[index]))
        return hashes

    def _is_broken(self, request: Request, error: ResponseError) -> bool:
        first = self._first
        is_next = request.link != first.link or request.params != first.params
        return is_next and error.status in BROKEN

    def _check_place(self, page: Page, hashes: list[int], places: set[object]) -> None:
        """Make sure that a chain goes on: each page differs from all before it."""
        request = page.request
        place = request.link or tuple(sorted(request.params.items()))
        rows = (len(hashes), hash(tuple(hashes))) if hashes and self._restartable else None
        if place in places or rows in places:
            msg = (
                f"{request.stream.name}: a page came twice in one list; the links between its "
                "pages lead in a circle"
            )
            raise ChainError(msg)
        places.add(place)
        if rows is not None:
            places.add(rows)

    def _leave_out(self, page: Page, hashes: list[int]) -> None:
        new: Iterable[int] = hashes
        if self._known:
            indexes = [index for index, one in enumerate(hashes) if one not in self._known]
            new = [hashes[index] for index in indexes]
            if len(indexes) < len(hashes):
                page.keep(indexes)
        if page.records:
            self._barren = 0
        room = ROWS_REMEMBERED - len(self._told)
        self._full = self._full or len(page.records) > room
        self._told.extend(itertools.islice(new, room))

    def _restarted(self, request: Request, error: ResponseError) -> Request:
        """Give the chain's first page once more, at a place after the one that broke.

        Args:
            request: The page that was refused.
            error: How.

        Returns:
            The request of the first page.

        Raises:
            ChainError: Reading anew wouldn't help, or would give rows twice.
        """
        if not self._restartable or self._full or self._barren >= BARREN_RESTARTS:
            msg = f"the list broke off and can't be read on: {error}"
            raise ChainError(msg) from error
        self._barren += 1
        self._known = self._known | set(self._told)
        *place, number = request.order
        request.stream.logger.warning(
            "%s: the list broke off, reading it anew: %s", request.stream.name, error
        )
        return replace(self._first, order=(*place, number + 1))
