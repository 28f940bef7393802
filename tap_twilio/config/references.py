"""Settings that name streams, checked: filters, and the SDK's stream maps."""

from __future__ import annotations

from contextlib import contextmanager
from fnmatch import fnmatch
from typing import TYPE_CHECKING, Any

from singer_sdk.exceptions import MapExpressionError, StreamMapConfigError
from singer_sdk.mapper import MAPPER_ELSE_OPTION, MAPPER_SOURCE_OPTION

from tap_twilio.config.checks import did_you_mean, short
from tap_twilio.http.errors import TapError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_MAPPING = (MapExpressionError, StreamMapConfigError)

_EVALUATION = (
    ArithmeticError,
    AttributeError,
    LookupError,
    MemoryError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
)
"""Errors of expressions that the SDK passes as they are."""


def filter_mistakes(
    filters: Mapping[str, Mapping[str, Any]], streams: Mapping[str, Any]
) -> Iterator[str]:
    """Give a sentence for each stream or parameter that filters name and that there isn't."""
    for name, parameters in filters.items():
        stream = streams.get(name)
        if stream is None:
            yield f"filters: there is no stream {name!r}; {did_you_mean(name, list(streams))}"
            continue
        _, endpoint = stream.load()
        own = set(stream.window.names) if stream.window is not None else set()
        known = [key for key, wire in endpoint.parameters.items() if wire not in own]
        for parameter in parameters:
            if parameter not in known:
                hint = did_you_mean(parameter, known) if known else "it takes none"
                yield f"filters.{name}: the endpoint has no parameter {parameter!r}; {hint}"


def map_mistakes(maps: Mapping[str, Any], streams: Mapping[str, Any]) -> Iterator[str]:
    """Give a sentence for each stream map of no stream, as it would change nothing.

    Args:
        maps: The setting; a key, or the source that it names, may be a pattern.
    """
    for key, changes in maps.items():
        source = changes.get(MAPPER_SOURCE_OPTION, key) if isinstance(changes, dict) else key
        if key != MAPPER_ELSE_OPTION and not any(fnmatch(name, source) for name in streams):
            hint = did_you_mean(source, list(streams))
            yield f"stream_maps.{key}: there is no stream {source!r}; {hint}"


def mend(schema: Any) -> None:  # noqa: ANN401
    """Leave bare names of types out of the SDK's schema of stream maps, in place."""
    if isinstance(schema, dict):
        if "anyOf" in schema:
            schema["anyOf"] = [choice for choice in schema["anyOf"] if isinstance(choice, dict)]
        schema = list(schema.values())
    if isinstance(schema, list):
        for part in schema:
            mend(part)


@contextmanager
def mapping(what: str) -> Iterator[None]:
    """Name the setting where the SDK can't do what stream maps say.

    Raises:
        TapError: It can't. Values of records aren't told.
    """
    try:
        yield
    except _MAPPING as error:
        reason = str(error)
    except _EVALUATION as error:
        reason = type(error).__name__
    else:
        return
    msg = short(f"stream_maps: {what}: {reason}")
    raise TapError(msg)
