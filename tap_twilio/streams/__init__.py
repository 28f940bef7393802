"""Every stream of the tap: one module a Twilio product, one small class a resource."""

from __future__ import annotations

from types import ModuleType  # noqa: TC003

from tap_twilio.stream import TwilioStream
from tap_twilio.streams import accounts, api, monitor

MODULES = (accounts, api, monitor)


def _declared_in(module: ModuleType) -> list[type[TwilioStream]]:
    return [
        value
        for value in vars(module).values()
        if isinstance(value, type)
        and issubclass(value, TwilioStream)
        and value.__module__ == module.__name__
        and isinstance(vars(value).get("name"), str)
    ]


STREAMS: tuple[type[TwilioStream], ...] = tuple(
    stream for module in MODULES for stream in _declared_in(module)
)
"""All stream classes, parents before their children."""
