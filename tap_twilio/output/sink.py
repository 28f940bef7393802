"""The way out for a run's records: what each door to the tap has to be able to take."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

Record = dict[str, Any]


class Sink(Protocol):
    """Takes records and states, in the order that they are read in."""

    def begin(self, stream: str, *, is_whole: bool) -> None:
        """Get ready for the records of a stream.

        Args:
            is_whole: Whether a run without trouble brings all of its rows: others are gone then.
        """

    def write(self, stream: str, records: list[Record], unknown: Sequence[str]) -> None:
        """Take records.

        Args:
            records: Typed as the schema says, and the sink's own from now on.
            unknown: Fields that records may have and the schema lacks.
        """

    def end(self, stream: str, *, is_complete: bool) -> None:
        """Take note of a stream's end, and whether nothing was left out of the run."""

    def offer_state(self, state: dict[str, Any]) -> None:
        """Take the state if it is time to: all that it covers was written before."""

    def write_state(self, state: dict[str, Any]) -> None:
        """Take the state that a run ends with."""
