"""Rows on their way: as they came, as they may be shown, and what became of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from target_twilio.prices import NOTHING, Estimate

if TYPE_CHECKING:
    from collections.abc import Mapping

    from target_twilio.actions import Action
    from target_twilio.ledger import Entry
    from target_twilio.messages import Draft

NAME: Final = "correlation_id"
"""The field that tells the rows of one request apart, 32 letters and digits."""


@dataclass(frozen=True)
class Row:
    """A row, before anybody has looked at what it says.

    Attributes:
        key: The values of the stream's key.
        values: The fields that say what is wanted.
        carried: The fields that only go into the results.
    """

    stream: str
    action: Action
    key: Mapping[str, Any]
    values: Mapping[str, Any]
    carried: Mapping[str, Any] = field(default_factory=dict)


class Result(NamedTuple):
    """What became of a row.

    Attributes:
        status: Twilio's word for how far a message has come.
        code: Twilio's code for what went wrong.
        message: What it means.
    """

    outcome: str
    sid: str | None = None
    status: str | None = None
    code: int | None = None
    message: str | None = None


@dataclass
class Task:
    """A row on its way: as it may be shown, and as the ledger has it."""

    row: Row
    id: bytes
    shown: dict[str, Any]
    carried: dict[str, Any]
    draft: Draft | None = None
    entry: Entry | None = None
    before: Entry | None = None
    estimate: Estimate = NOTHING

    @property
    def name(self) -> str:
        """By which answers tell rows of one request apart."""
        own = self.draft.value(NAME) if self.draft is not None else None
        return own or self.id.hex()

    @property
    def content(self) -> bytes:
        """Hash of what the row says besides its key."""
        return self.entry.content if self.entry is not None else b""
