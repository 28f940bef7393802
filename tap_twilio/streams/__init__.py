"""Every stream of the tap: one module a Twilio product, one small class a resource."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from tap_twilio.streams.base import TwilioStream

if TYPE_CHECKING:
    from types import ModuleType

# A product comes after those whose records its own are children of.
PRODUCTS = (
    "accounts", "account_settings", "api", "bulkexports", "content", "conversations", "events",
    "flex", "iam", "insights", "intelligence", "knowledge", "lookups", "marketplace",
    "messaging", "monitor", "numbers", "pricing", "proxy", "serverless", "studio", "supersim",
    "sync", "taskrouter", "trunking", "routes", "trusthub", "verify", "video", "voice",
    "wireless",
)  # fmt: skip


def _module(product: str) -> ModuleType:
    return import_module(f"{__name__}.{product}")


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
    stream for module in map(_module, PRODUCTS) for stream in _declared_in(module)
)
"""All stream classes, parents before their children."""
