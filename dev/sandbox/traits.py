"""The ways in which a resource may differ from the plain run of Twilio's lists."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sandbox.frames import Draft, Frame, Key, Wire


class DateRule(NamedTuple):
    """How a date parameter bounds a list.

    Attributes:
        field: The timestamp that it is compared with, `period.start` if it stands in an object.
        bound: Whether it names a day, the lower bound or the upper one.
        boundary: What becomes of the boundary itself; `unsure` leaves it to the readings.
        strict: Whether only `yyyy-MM-ddTHH:mm:ssZ` is understood.
        relative: Whether offsets to now such as `4h` are understood.
        whole_days: Whether only midnights are taken.
    """

    field: str
    bound: Literal["day", "low", "high"]
    boundary: Literal["unsure", "inclusive", "exclusive", "day"] = "unsure"
    strict: bool = False
    relative: bool = False
    whole_days: bool = False


class Hidden(NamedTuple):
    """Rows that a query does not give unless it asks for them.

    Attributes:
        parameter: The parameter that lifts the rule.
        field: The field that decides.
        value: The value in question.
        shown: Whether rows of that value are all that is shown, or what is not.
    """

    parameter: str
    field: str
    value: str
    shown: bool


class View(NamedTuple):
    """A list that shows some rows of another.

    Attributes:
        base: The path of the other list.
        where: The fields that decide, each with a placeholder of the path or a constant.
    """

    base: str
    where: Mapping[str, str]


@dataclass(frozen=True)
class Traits:
    """What is peculiar to one resource.

    Attributes:
        volume: How many rows the list has, unless the sandbox is told otherwise.
        volume_of: The stream by whose volume the rows are counted, where several share one.
        grows: Whether rows go on coming.
        every: Seconds from one row to the next, where they come regularly since a midnight.
        base: The list whose rows these belong to, one to one or one to several.
        share: How many rows of the base share one row here, unless a volume is given.
        delay: Seconds from the base's row to this one.
        count: How many rows there are below a parent's row.
        order: The timestamps by which the list is sorted, the first that is not null.
        offsets: How far a timestamp may lie behind the one that sorts.
        ascending: Whether the list gives the oldest first.
        identifier: The field by which one row is found.
        describe: Writes the fields that types and names alone cannot.
        pending: Finds rows that are listed before their time.
        place: Finds a row by an identifier that is no SID of this table.
        live: Tells from its parent's row whether a list has any rows now.
        dates: Date parameters whose names do not say what they mean.
        hides: Rows that are kept from a query without the parameter: field, value, and whether
            that value is all that is shown, or what is not.
        window: Seconds back that a query reaches if it gives no bound on the field.
        retention: Days that rows are kept.
        refuses: Whether a bound outside the retention is an error.
        cap: The most rows that a query may give.
        tokens: What page tokens are made of.
        required: Parameters without which the list gives nothing.
        prefixes: Parameters whose value is what a field begins with, up to its colon.
    """

    volume: int = 5
    volume_of: str | None = None
    grows: bool = False
    every: int | None = None
    base: str | None = None
    share: int = 1
    delay: int = 0
    count: Callable[[Wire], int] | None = None
    order: tuple[str, ...] = ("date_created", "create_time", "created_time", "timestamp")
    offsets: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    ascending: bool = False
    identifier: str = "sid"
    describe: Callable[[Draft], Wire] | None = None
    pending: Callable[[Frame, int], list[Key]] | None = None
    place: Callable[[Frame, str, int], int | None] | None = None
    live: Callable[[Wire], bool] | None = None
    dates: Mapping[str, DateRule] = field(default_factory=dict)
    hides: Hidden | None = None
    window: tuple[str, int] | None = None
    retention: int | None = None
    refuses: bool = False
    cap: int | None = None
    tokens: Literal["sid", "page", "opaque"] | None = None
    required: tuple[str, ...] = ()
    prefixes: Mapping[str, str] = field(default_factory=dict)
