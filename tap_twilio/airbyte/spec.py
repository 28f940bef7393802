"""The settings, as Airbyte asks for them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tap_twilio.config.schema import SCHEMA
from tap_twilio.http.errors import TapError
from tap_twilio.resource.schemas import types

if TYPE_CHECKING:
    from collections.abc import Mapping

DRAFT = "http://json-schema.org/draft-07/schema#"

NESTED = (["array"], ["object"])

TEXT = {"type": "string", "airbyte_secret": True, "writeOnly": True}


def specification() -> dict[str, Any]:
    """Give the protocol's ConnectorSpecification.

    The SDK's own settings are no part of it: stream maps are the platform's business here.
    """
    return {
        "connectionSpecification": {
            "$schema": DRAFT,
            "title": "Twilio",
            "type": "object",
            "additionalProperties": True,
            "required": SCHEMA["required"],
            "properties": {
                name: _setting(schema) | {"order": order}
                for order, (name, schema) in enumerate(SCHEMA["properties"].items())
            },
        },
        "supportsIncremental": True,
        "supported_destination_sync_modes": [],
    }


def understood(config: Mapping[str, Any]) -> dict[str, Any]:
    """Parse the settings that Airbyte has as JSON text.

    Raises:
        TapError: Such a text is no JSON.
    """
    known = dict(config)
    for name, value in config.items():
        schema = SCHEMA["properties"].get(name, {})
        if value and isinstance(value, str) and types(schema) in NESTED:
            try:
                known[name] = json.loads(value)
            except (ValueError, RecursionError):
                msg = f"{name}: the text is not JSON"
                raise TapError(msg) from None
    return known


def _setting(schema: dict[str, Any]) -> dict[str, Any]:
    setting = _without_null(schema)
    if schema.get("secret") and types(schema) in NESTED:
        # The platform keeps texts secret, and nothing else.
        words = {"title": setting["title"], "description": f"{setting['description']} As JSON."}
        return TEXT | words | {"examples": [json.dumps(one) for one in setting["examples"]]}
    return setting


def _without_null(schema: dict[str, Any], *, nested: bool = False) -> dict[str, Any]:
    """Write a schema as the platform's form can show it: without null, which leaving out means."""
    result: dict[str, Any] = {}
    for key, value in schema.items():
        if isinstance(value, dict):
            result[key] = _without_null(value, nested=True)
        elif key == "type":
            kinds = types(schema)
            result["type"] = kinds[0] if len(kinds) == 1 else kinds
            if nested and "string" in kinds:
                # Names such as "key" look like secrets to Airbyte's tools if nothing is said.
                result["airbyte_secret"] = False
        elif key == "enum":
            result["enum"] = [choice for choice in value if choice is not None]
        elif key == "secret":
            result["airbyte_secret"] = value
        else:
            result[key] = value
    return result
