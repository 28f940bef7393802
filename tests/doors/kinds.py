"""A stream's schema with each kind of field, and settings that read nothing."""

from __future__ import annotations

CREDENTIALS = {"account_sid": "AC" + "1" * 32, "auth_token": "0" * 32}
SCHEMA = {
    "properties": {
        "sid": {"type": "string"},
        "at": {"type": ["string", "null"], "format": "date-time"},
        "day": {"type": ["string", "null"], "format": "date"},
        "count": {"type": ["integer", "null"]},
        "price": {"type": ["number", "null"]},
        "is_open": {"type": ["boolean", "null"]},
        "uris": {"type": ["object", "null"]},
        "tags": {"type": ["array", "null"]},
        "mixed": {"type": ["string", "object", "null"]},
    }
}
