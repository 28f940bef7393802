"""The settings, as Airbyte asks for them: a form, and what it fills in."""

from __future__ import annotations

import json
import logging
from importlib.metadata import PackageNotFoundError, metadata
from typing import TYPE_CHECKING, Any, Final

from tap_twilio.airbyte.tap import SourceTap
from tap_twilio.config.checks import did_you_mean, short
from tap_twilio.config.schema import SCHEMA
from tap_twilio.http.errors import TapError
from tap_twilio.resource.schemas import types

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

logger = logging.getLogger("tap-twilio")

DRAFT: Final = "http://json-schema.org/draft-07/schema#"

CREDENTIALS: Final = "credentials"
"""The form's own setting, which stands for those of each way to sign in."""

METHOD: Final = "auth_type"

METHODS: Final = {
    "auth_token": ("Auth token", ("auth_token",)),
    "api_key": ("API key", ("api_key_sid", "api_key_secret")),
    "client_credentials": ("OAuth app", ("client_id", "client_secret")),
}
"""Ways to sign in: what the form calls each, and the settings that it asks for."""

GROUPS: Final = {
    "account": ("Account", ("account_sid", CREDENTIALS, "accounts", "include_subaccounts")),
    "rows": (
        "Rows",
        (
            "start_date",
            "end_date",
            "lookback_days",
            "skip_unchanged",
            "include_deleted_recordings",
            "filters",
            "custom_streams",
            "bulkexport",
            "max_records",
        ),
    ),
    "privacy": ("Personal data", ("pii", "pii_key")),
    "connection": (
        "Connection",
        (
            "region",
            "edge",
            "subaccount_credentials",
            "base_url",
            "user_agent",
            "page_size",
            "max_concurrent_requests",
            "max_retries",
            "retry_delay",
            "request_timeout",
        ),
    ),
}
"""Parts of the form, in their order: what each is called, and the settings in it."""

SHOWN: Final = frozenset({CREDENTIALS, "start_date"})
"""Settings that the form shows at once, though they may be left away."""

WITHOUT_EFFECT: Final = frozenset({"batch_config", "emit_activate_version_messages"})
"""Settings that the form doesn't offer: the protocol has no such message."""

MOMENT: Final = {
    "format": "date-time",
    "pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9:.]+(Z|[+-][0-9:]+)?)?$|^[Pp][0-9A-Za-z.]+$",
    "pattern_descriptor": "YYYY-MM-DD, YYYY-MM-DDTHH:MM:SSZ or P30D",
}
"""How the form asks for a date: by a calendar, whose dates it checks, or as text."""

MOMENTS: Final = frozenset({"start_date", "end_date"})

NESTED: Final = (["array"], ["object"])


def specification() -> dict[str, Any]:
    """Give the protocol's ConnectorSpecification.

    The SDK's own settings are no part of it: stream maps are the platform's business here.
    """
    return {
        **_documentation(),
        "connectionSpecification": {
            "$schema": DRAFT,
            "title": "Twilio",
            "type": "object",
            "additionalProperties": True,
            "required": SCHEMA["required"],
            "groups": [{"id": group, "title": title} for group, (title, _) in GROUPS.items()],
            "properties": dict(_properties()),
        },
        "supportsIncremental": True,
        "supported_destination_sync_modes": [],
    }


def understood(config: Mapping[str, Any]) -> dict[str, Any]:
    """Make the tap's settings of what the form fills in; they may be given as they are, too.

    Raises:
        TapError: The credentials, or a text that should be JSON, make no sense.
    """
    known = dict(config)
    if chosen := known.pop(CREDENTIALS, None):
        own = _signing(chosen)
        flat = [name for _, fields in METHODS.values() for name in fields if known.pop(name, None)]
        if flat:
            logger.info(
                "The tap uses %s, and ignores %s, which are given too", CREDENTIALS, ", ".join(flat)
            )
        known |= own
    for name in WITHOUT_EFFECT:
        if known.get(name):
            logger.warning("%s has no effect: Airbyte's protocol has no such message", name)
    for name, value in known.items():
        if value and isinstance(value, str) and _is_nested(SCHEMA["properties"].get(name, {})):
            try:
                known[name] = json.loads(value)
            except (ValueError, RecursionError):
                msg = f"{name}: the text is not JSON"
                raise TapError(msg) from None
    return known


def _signing(chosen: Any) -> dict[str, Any]:  # noqa: ANN401 - whatever the file has
    """Give the settings of the way to sign in that was chosen; what another left there is not."""
    method = chosen.get(METHOD) if isinstance(chosen, dict) else None
    if not isinstance(method, str) or method not in METHODS:
        msg = f"{CREDENTIALS}.{METHOD}: it is required; there are: {', '.join(METHODS)}"
        raise TapError(msg)
    fields = [name for _, names in METHODS.values() for name in names]
    if strangers := sorted(chosen.keys() - {METHOD, *fields}):
        hint = did_you_mean(strangers[0], fields)
        msg = short(f"{CREDENTIALS}.{strangers[0]}: there is no such setting; {hint}")
        raise TapError(msg)
    return {name: chosen[name] for name in METHODS[method][1] if name in chosen}


def _properties() -> Iterator[tuple[str, dict[str, Any]]]:
    order = 0
    for group, (_, names) in GROUPS.items():
        for name in names:
            setting = _ways() if name == CREDENTIALS else _setting(name)
            shown = {"always_show": True} if name in SHOWN else {}
            yield name, setting | shown | {"group": group, "order": order}
            order += 1
    for _, names in METHODS.values():
        for name in names:
            # As the tap itself has them: taken, and secret, where the form didn't fill them in.
            yield name, _setting(name) | {"airbyte_hidden": True, "order": order}
            order += 1


def _ways() -> dict[str, Any]:
    """Ask for the way to sign in, and then for what it needs."""
    return {
        "type": "object",
        "title": "Authentication",
        "description": "How to sign in to the account.",
        "oneOf": [
            {
                "type": "object",
                "title": title,
                "required": [METHOD, *names],
                "properties": {
                    METHOD: {"type": "string", "const": method, "order": 0},
                    **{
                        name: _setting(name) | {"order": order}
                        for order, name in enumerate(names, start=1)
                    },
                },
            }
            for method, (title, names) in METHODS.items()
        ],
    }


def _setting(name: str) -> dict[str, Any]:
    schema = SCHEMA["properties"][name]
    if _is_nested(schema) and not _is_list_of_texts(schema):
        return _text_area(schema)
    return _without_null(schema) | (MOMENT if name in MOMENTS else {})


def _is_nested(schema: Mapping[str, Any]) -> bool:
    return types(schema) in NESTED


def _is_list_of_texts(schema: Mapping[str, Any]) -> bool:
    return "items" in schema and "string" in types(schema["items"])


def _text_area(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Ask for JSON text: a form can't edit anything deeper, nor keep it secret."""
    return {
        "type": "string",
        "title": schema["title"],
        "description": f"{schema['description']} As JSON.",
        "multiline": True,
        "examples": [json.dumps(one, indent=2) for one in schema["examples"]],
        **({"airbyte_secret": True} if schema.get("secret") else {}),
    }


def _without_null(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Write a schema as the platform's form can show it: without null, which leaving out means."""
    result: dict[str, Any] = {}
    for key, value in schema.items():
        if key == "items":
            result[key] = _without_null(value)
        elif key == "type":
            (result[key],) = types(schema)
        elif key == "enum":
            result[key] = [choice for choice in value if choice is not None]
        elif key == "secret":
            result["airbyte_secret"] = value
        else:
            result[key] = value
    return result


def _documentation() -> dict[str, str]:
    """Give the address of the documentation that the installed package names, if it names one."""
    try:
        urls = metadata(SourceTap.package_name).get_all("Project-URL", [])
    except PackageNotFoundError:
        return {}
    named = dict(url.split(", ", 1) for url in urls)
    return {"documentationUrl": named["Documentation"]} if "Documentation" in named else {}
