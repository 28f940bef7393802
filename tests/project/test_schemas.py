"""The schema files: of what types the fields are, and that none is missing."""

from __future__ import annotations

import pytest

from harness import STREAMS_BY_NAME, schema_of
from tap_twilio.records.secrets import NAMES
from tap_twilio.streams import STREAMS


def all_fields(schema, path=""):
    """Every field of a schema by its path, with what is below it."""
    for name, field in schema.get("properties", {}).items():
        yield from with_below(field, f"{path}{name}")


def with_below(field, path):
    yield path, field
    yield from all_fields(field, f"{path}.")
    for part, mark in (("items", "[]"), ("additionalProperties", "{}")):
        if isinstance(field.get(part), dict):
            yield from with_below(field[part], path + mark)


def kinds_of(field):
    kinds = field.get("type", [])
    return [kinds] if isinstance(kinds, str) else kinds


def test_a_field_has_one_type():
    # A column has one, and loaders warn of what has several.
    several = {
        f"{stream.name}.{path}": field.get("type")
        for stream in STREAMS
        for path, field in all_fields(schema_of(stream))
        if len([kind for kind in kinds_of(field) if kind != "null"]) != 1
    }
    assert several == {}


def test_a_key_is_of_one_type_and_never_null():
    for stream in STREAMS:
        properties = schema_of(stream)["properties"]
        for name in stream.primary_keys:
            assert isinstance(properties[name]["type"], str), f"{stream.name}.{name}"


def test_what_stands_in_for_a_part_of_a_key_fits_it():
    names = {str: "string", int: "integer"}
    with_any = [stream for stream in STREAMS if stream.stand_ins]
    assert with_any
    for stream in with_any:
        properties = schema_of(stream)["properties"]
        assert stream.stand_ins.keys() < set(stream.primary_keys), stream.name
        for name, value in stream.stand_ins.items():
            assert properties[name]["type"] == names[type(value)], f"{stream.name}.{name}"
            assert "format" not in properties[name], f"{stream.name}.{name}"


def test_no_field_is_a_credential():
    found = {
        f"{stream.name}.{path}"
        for stream in STREAMS
        for path, _ in all_fields(schema_of(stream))
        if path.rpartition(".")[2] in NAMES
    }
    assert found == set()


OBJECT = {"type": ["object", "null"], "additionalProperties": True}
STRING = {"type": ["string", "null"]}
BOOLEAN = {"type": ["boolean", "null"]}
RFC_2822 = {"type": ["string", "null"], "format": "date-time", "x-twilio-wire": "rfc-2822"}
ISO_8601 = {"type": ["string", "null"], "format": "date-time"}
OPERATING_UNIT = {"type": ["string", "null"], "x-twilio-sid": "OU"}
UNDOCUMENTED = {
    "authorized_connect_apps": {"date_created": RFC_2822, "date_updated": RFC_2822},
    "calls": {"annotation": STRING | {"x-twilio-pii": {"source": "tap-twilio"}}},
    "events_schema_versions": {"public": BOOLEAN},
    "events_types": {"public": BOOLEAN},
    "incoming_phone_numbers": {"subresource_uris": OBJECT},
    "messages": {"tags": OBJECT | {"x-twilio-pii": {"source": "tap-twilio"}}},
    "proxy_phone_numbers": {
        "capabilities.sms_outbound": BOOLEAN,
        "capabilities.voice_inbound": BOOLEAN,
    },
    "queues": {"subresource_uris": OBJECT},
    "serverless_environments": {"custom_domain_name": STRING},
    "taskrouter_task_queues": {"operating_unit_sid": OPERATING_UNIT},
    "taskrouter_workers": {"operating_unit_sid": OPERATING_UNIT},
    "taskrouter_workspaces": {"default_operating_unit_sid": OPERATING_UNIT},
    "verify_services": {"mailer_sid": {"type": ["string", "null"], "x-twilio-sid": "MD"}},
    "video_compositions": {"encryption_key": STRING},
    "video_recordings": {
        "date_updated": ISO_8601,
        "date_deleted": ISO_8601,
        "encryption_key": STRING,
    },
    "video_room_recordings": {
        "date_updated": ISO_8601,
        "date_deleted": ISO_8601,
        "encryption_key": STRING,
    },
    "wireless_rate_plans": {
        "data_limit_strategy": STRING,
        "usage_notification_method": STRING,
        "usage_notification_url": STRING,
    },
}
"""Fields that real accounts have, though Twilio's documents don't have them."""


@pytest.mark.parametrize("name", UNDOCUMENTED)
def test_fields_that_accounts_have_are_in_schemas(name):
    fields = dict(all_fields(schema_of(STREAMS_BY_NAME[name])))
    assert {path: fields.get(path) for path in UNDOCUMENTED[name]} == UNDOCUMENTED[name]


def test_listings_are_described_as_one_of_them_is():
    fields = schema_of(STREAMS_BY_NAME["marketplace_listings"])["properties"]
    assert {"sid", "url", "module_info", "description", "support", "policies"} < fields.keys()


@pytest.mark.parametrize(
    ("exported", "listed", "missing"),
    [
        ("messages", "messages", {"price_unit", "api_version", "error_message"}),
        ("calls", "calls", set()),
        ("conferences", "conferences", {"api_version"}),
        ("participants", "conference_participants", {"label"}),
    ],
)
def test_rows_of_files_are_typed_and_marked_as_those_of_lists(exported, listed, missing):
    files = schema_of(STREAMS_BY_NAME[f"bulkexports_{exported}"])["properties"]
    lists = schema_of(STREAMS_BY_NAME[listed])["properties"]
    added = {name: files.pop(name) for name in ("flags", "start", "day")}
    for name in missing | {"uri", "subresource_uris"}:
        lists.pop(name, None)

    for fields in (files, lists):
        for field in fields.values():
            field.pop("x-twilio-wire", None)
    assert files == lists
    assert added == {
        "flags": {"type": ["integer", "null"]},
        "start": {"type": ["string", "null"], "format": "date"},
        "day": {"type": "string", "format": "date", "x-twilio-parent": True},
    }
