"""A row about to be written, and what it knows of the table that it stands in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from sandbox.identifiers import mix

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sandbox.accounts import Account
    from sandbox.endpoints import Endpoint
    from sandbox.identifiers import SidSpace
    from sandbox.timeline import Timeline

Wire = dict[str, Any]
Key = tuple[int, int]
"""Where a row stands in its list: by moment, then by place."""


class Frame(Protocol):
    """A table, as its rows see it: see `tables.Table`."""

    endpoint: Endpoint
    account: Account
    values: dict[str, str]
    seed: int
    sids: SidSpace
    timeline: Timeline
    media_share: float
    child_endpoints: Sequence[Endpoint]

    @property
    def base(self) -> Frame | None:
        """The table whose rows these belong to."""

    @property
    def identifier(self) -> str:
        """The field that holds a row's SID."""

    @property
    def path_values(self) -> dict[str, str]:
        """All placeholders of the endpoint's path."""

    @property
    def values_by_field(self) -> dict[str, str]:
        """The fields by which rows repeat their path."""

    def relate(self, path: str, /) -> Frame | None:
        """Find another table of the account by its path."""

    def draft(self, index: int, now: int) -> Draft:
        """Give the frame of a row, for others that refer to it."""


class Draft:
    """A row about to be written.

    Attributes:
        table: The table it stands in.
        index: Its place there.
        created: When it comes to be.
        now: When it is read.
        bits: 64 random bits of its own.
        sid: Its SID.
    """

    __slots__ = ("bits", "created", "index", "now", "sid", "table")

    def __init__(self, table: Frame, index: int, created: int, now: int) -> None:
        """Take the place and draw the bits."""
        self.table = table
        self.index = index
        self.created = created
        self.now = now
        self.bits = mix(table.seed, index)
        self.sid = table.sids.mint(index)
