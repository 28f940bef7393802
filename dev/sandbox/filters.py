"""What a query asks of a list: which rows, and which part of the timeline can hold them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from sandbox import errors
from sandbox.endpoints import snake
from sandbox.frames import Wire
from sandbox.moments import DAY, MINUTE, read_parameter, read_relative, read_wire
from sandbox.tables import Span
from sandbox.traits import DateRule

if TYPE_CHECKING:
    from sandbox.endpoints import Endpoint
    from sandbox.traits import Traits

Test = Callable[[Wire], bool]
Query = Sequence[tuple[str, str]]

PAGING: Final = frozenset(
    ("Page", "PageSize", "PageToken", "pageToken", "pageSize", "Size", "Token")
)
_STRICT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
_OPERATOR: Final = re.compile(r"\s*[<>=]")


@dataclass(frozen=True)
class Readings:
    """How the sandbox reads what Twilio's documentation leaves open.

    Attributes:
        before: What `<` does with its boundary: leaves it out, takes in the very moment, or takes
            in the whole day if it is a bare day.
        after: Whether `>` with a date-time takes in the very moment. A bare day it always does.
        precision: Whether a date-time is honoured to the second or cut down to its day.
        nulls: Whether rows without the timestamp match a filter on it.
    """

    before: Literal["exclusive", "inclusive", "day"] = "exclusive"
    after: Literal["inclusive", "exclusive"] = "inclusive"
    precision: Literal["second", "day"] = "second"
    nulls: bool = False


@dataclass
class Selection:
    """What a query asks of a list.

    Attributes:
        span: The part of the timeline that can hold such rows.
        tests: What each row must pass.
    """

    span: Span = field(default_factory=Span)
    tests: list[Test] = field(default_factory=list)

    def takes(self, row: Wire) -> bool:
        """Tell whether a row is asked for."""
        return all(test(row) for test in self.tests)


def select(
    endpoint: Endpoint,
    traits: Traits,
    query: Query,
    readings: Readings,
    now: int,
) -> Selection:
    """Read a query.

    Args:
        endpoint: The list that is asked.
        traits: What is peculiar to it.
        query: The parameters as they came.
        readings: How to read what is not documented.
        now: The moment.

    Returns:
        What it asks for.

    Raises:
        TwilioError: If a value makes no sense.
    """
    _require(traits, {name for name, value in query if value})
    given = [(name, value) for name, value in query if value and name not in PAGING]
    bounds = _bounds(endpoint, traits, given, readings, now)
    selection = Selection()
    for column, bound in bounds.items():
        selection.tests.append(_within(column, bound, nulls=readings.nulls))
        offsets = traits.offsets.get(column)
        if offsets is not None and not readings.nulls:
            selection.span = selection.span.meet(bound.widened(*offsets))
    selection.tests += [
        _equals(column, values) for column, values in _wanted(endpoint, traits, given).items()
    ]
    selection.tests += [
        _begins(traits.prefixes[name], f"{value}:")
        for name, value in given
        if name in traits.prefixes
    ]
    hidden = traits.hides
    if hidden is not None and not _lifted(hidden.parameter, query):
        selection.tests.append(lambda row: (row.get(hidden.field) == hidden.value) is hidden.shown)
    return selection


def date_rule(endpoint: Endpoint, traits: Traits, name: str) -> DateRule | None:
    """Find out whether a parameter bounds a timestamp, and how."""
    declared = traits.dates.get(name)
    if declared is not None:
        return declared
    if name not in endpoint.parameters:
        return None
    if name.endswith((">", "<")):
        column = _column(endpoint, name[:-1])
        return DateRule(column, "low" if name.endswith(">") else "high") if column else None
    if f"{name}>" in endpoint.parameters or f"{name}<" in endpoint.parameters:
        column = _column(endpoint, name)
        return DateRule(column, "day") if column else None
    for pattern, bound, boundary in _SPELLINGS:
        match = re.fullmatch(pattern, name)
        if match and (column := _column(endpoint, match[1])):
            return DateRule(column, bound, boundary)
    return None


_SPELLINGS: Final[
    Sequence[tuple[str, Literal["low", "high"], Literal["unsure", "inclusive", "exclusive"]]]
] = (
    (r"(DateCreated|DateUpdated|Created)After", "low", "inclusive"),
    (r"(DateCreated|DateUpdated|Created)Before", "high", "exclusive"),
    (r"(DateCreated)From", "low", "inclusive"),
    (r"(DateCreated)To", "high", "exclusive"),
    (r"After(DateCreated|StartTime)", "low", "unsure"),
    (r"Before(DateCreated|StartTime)", "high", "unsure"),
)


def _column(endpoint: Endpoint, name: str) -> str | None:
    own = snake(name)
    for column in (own, f"media_{own}", "date_created" if own == "created" else own):
        if column in endpoint.properties:
            return column
    return None


def _bounds(
    endpoint: Endpoint, traits: Traits, query: Query, readings: Readings, now: int
) -> dict[str, Span]:
    bounds: dict[str, Span] = {}
    for name, value in query:
        rule = date_rule(endpoint, traits, name)
        if rule is not None:
            bound = _bound(_Given(endpoint, rule, name, value), readings, now)
            if traits.refuses and traits.retention is not None:
                _check_retention(bound, name, traits.retention, now)
            bounds[rule.field] = bounds.get(rule.field, Span()).meet(bound)
        elif name == "Minutes" and traits.window:
            bounds[traits.window[0]] = Span(low=now - _number(name, value) * MINUTE)
    if traits.window and bounds.get(traits.window[0], Span()).low is None:
        column, seconds = traits.window
        bounds[column] = bounds.get(column, Span()).meet(Span(low=now - seconds))
    return bounds


def _wanted(endpoint: Endpoint, traits: Traits, query: Query) -> dict[str, list[str]]:
    wanted: dict[str, list[str]] = {}
    for name, value in query:
        known = name in endpoint.parameters and snake(name) in endpoint.properties
        if known and date_rule(endpoint, traits, name) is None:
            options = endpoint.parameters[name].get("enum")
            if options and value not in options:
                raise errors.invalid(name, value)
            if value == "all" and value not in endpoint.properties[snake(name)].enum:
                continue
            wanted.setdefault(snake(name), []).append(value)
    return wanted


def _require(traits: Traits, names: set[str]) -> None:
    for one in traits.required:
        if not names.intersection(one.split("|")):
            raise errors.missing(one)


def _number(name: str, value: str) -> int:
    if not value.isdigit():
        raise errors.invalid(name, value)
    return int(value)


class _Given(NamedTuple):
    endpoint: Endpoint
    rule: DateRule
    name: str
    value: str


def _bound(given: _Given, readings: Readings, now: int) -> Span:
    endpoint, rule, name, value = given
    if _OPERATOR.match(value):
        raise errors.invalid(name, value)
    moment, bare = _read(rule, name, value, now)
    if rule.whole_days and moment % DAY:
        raise errors.unaligned(name)
    unsure = rule.boundary == "unsure"
    by_day = endpoint.parameters.get(name, {}).get("format") == "date"
    if by_day or (unsure and readings.precision == "day"):
        moment, bare = moment - moment % DAY, True
    if rule.bound == "day":
        start = moment - moment % DAY
        return Span(start, start + DAY)
    if rule.bound == "low":
        return Span(low=moment + (unsure and not bare and readings.after == "exclusive"))
    boundary = readings.before if unsure else rule.boundary
    if boundary == "day":
        return Span(high=moment + (DAY if bare else 0))
    return Span(high=moment + (boundary == "inclusive"))


def _read(rule: DateRule, name: str, value: str, now: int) -> tuple[int, bool]:
    if rule.strict and not _STRICT.fullmatch(value):
        raise errors.invalid(name, value)
    try:
        if rule.relative and not value[:4].isdigit():
            return now - abs(read_relative(value)), False
        return read_parameter(value)
    except (ValueError, TypeError):
        raise errors.invalid(name, value) from None


def _check_retention(bound: Span, name: str, days: int, now: int) -> None:
    given = bound.high if bound.low is None else bound.low
    if given is not None and given < now - days * DAY:
        raise errors.outside_retention(name, days)


def _within(column: str, bound: Span, *, nulls: bool) -> Test:
    low = float("-inf") if bound.low is None else bound.low
    high = float("inf") if bound.high is None else bound.high

    outer, _, inner = column.partition(".")

    def test(row: Wire) -> bool:
        value = row.get(outer)
        moment = read_wire(value.get(inner) if inner and isinstance(value, dict) else value)
        return nulls if moment is None else low <= moment < high

    return test


def _equals(column: str, values: list[str]) -> Test:
    def test(row: Wire) -> bool:
        value = row.get(column)
        return (str(value).lower() if isinstance(value, bool) else str(value)) in values

    return test


def _begins(column: str, start: str) -> Test:
    return lambda row: str(row.get(column)).startswith(start)


def _lifted(parameter: str, query: Query) -> bool:
    given: Mapping[str, str] = dict(query)
    return given.get(parameter, "").lower() not in ("", "false")
