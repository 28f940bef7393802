"""What a stream class is to the SDK: its schema, before and after masking, and its catalog."""

from __future__ import annotations

import pytest
from singer_sdk.singerlib import Catalog

from tap_twilio.http.redaction import is_news
from tap_twilio.streams.api import Queues
from tests.unit.taps import PII_KEY, make_stream, warnings_of

# --- What a stream is ----------------------------------------------------------------------------


def test_streams_name_their_endpoint_whatever_its_placeholders_are_called():
    assert type(make_stream("studio_executions")).address() == (
        "studio",
        "/v2/Flows/{}/Executions",
    )


def test_credentials_are_no_part_of_a_record():
    class Odd(Queues):
        secret_fields = ("friendly_name",)

        @classmethod
        def load(cls):
            schema, endpoint = super().load()
            schema["properties"]["auth_token"] = {"type": "string"}
            return schema, endpoint

    stream = make_stream(Odd)

    for schema in (stream.schema, stream.wire_schema):
        assert not {"friendly_name", "auth_token"} & schema["properties"].keys()
        assert "sid" in schema["properties"]
    assert {"friendly_name", "sid"} <= make_stream("queues").schema["properties"].keys()


@pytest.mark.parametrize(
    ("config", "types"),
    [({"pii": "hash", "pii_key": PII_KEY}, ["string", "null"]), ({"pii": "drop"}, None)],
)
def test_a_schema_tells_of_masked_records_and_the_wires_of_what_comes(config, types):
    stream = make_stream("conferences", **config)

    announced = stream.schema["properties"].get("friendly_name")
    assert (announced and announced["type"]) == types
    assert stream.wire_schema["properties"]["friendly_name"]["x-twilio-pii"]
    assert stream.masker is not None
    assert make_stream("conferences").masker is None
    assert "friendly_name" in make_stream("conferences").schema["properties"]


def test_keys_and_bookmarks_are_never_masked():
    class Marked(Queues):
        primary_keys = ("friendly_name",)
        replication_key = "date_created"

        @classmethod
        def load(cls):
            schema, endpoint = super().load()
            for name in ("friendly_name", "date_created", "uri"):
                schema["properties"][name] = {"type": "string", "x-twilio-pii": {}}
            return schema, endpoint

    stream = make_stream(Marked, pii="drop")

    properties = stream.schema["properties"]
    assert {"friendly_name", "date_created"} <= properties.keys()
    assert "uri" not in properties


def test_a_stream_leaves_out_what_the_sdk_says_too_often():
    assert make_stream("queues").logger.filters == [is_news]


# --- Catalogs ------------------------------------------------------------------------------------


def catalog_of(stream, *, selected=True, **properties):
    return Catalog.from_dict(
        {
            "streams": [
                {
                    "tap_stream_id": stream.name,
                    "schema": {"type": "object", "properties": properties},
                    "key_properties": ["date_created"],
                    "metadata": [{"breadcrumb": [], "metadata": {"selected": selected}}],
                }
            ]
        }
    )


def test_records_stay_what_they_are_whatever_a_catalog_says(caplog):
    stream = make_stream("queues")
    own = dict(stream.schema)
    catalog = catalog_of(stream, gone={"type": "string"}, sid={"type": "integer"})

    stream.apply_catalog(catalog)

    assert stream.schema == own
    assert catalog["queues"].schema.to_dict() == own
    assert stream.resource.keys == ("sid",)
    assert list(stream.primary_keys) == ["date_created"]
    assert warnings_of(caplog) == [
        "queues: the catalog has 'gone', which the stream does not have",
        "queues: the catalog gives 'sid' another type. The tap keeps string",
    ]


def test_nothing_is_said_of_a_stream_that_is_not_selected(caplog):
    stream = make_stream("queues")
    catalog = catalog_of(stream, selected=False, gone={"type": "string"})

    stream.apply_catalog(catalog)

    assert "gone" in catalog["queues"].schema.to_dict()["properties"]
    assert warnings_of(caplog) == []


class TypedByCatalog(Queues):
    typed_by_catalog = True


@pytest.mark.parametrize("kind", [TypedByCatalog, Queues])
def test_a_catalog_need_not_have_a_stream(kind):
    stream = make_stream(kind, pii="drop")
    assert stream.selected
    stream.apply_catalog(Catalog())

    assert "sid" in stream.schema["properties"]


@pytest.mark.parametrize(("pii", "names"), [("drop", ["sid"]), ("keep", ["caller", "sid"])])
def test_a_stream_typed_by_its_catalog_hides_what_is_masked_since(pii, names, caplog):
    stream = make_stream(TypedByCatalog, pii=pii)
    catalog = catalog_of(stream, sid={"type": "string"}, caller={"type": "string"})

    stream.apply_catalog(catalog)

    assert sorted(catalog["queues"].schema.to_dict()["properties"]) == names
    assert stream.resource.keys == ("date_created",)
    assert warnings_of(caplog) == []


def test_a_catalog_made_before_masking_still_shows_no_more_of_other_streams(caplog):
    stream = make_stream("conferences", pii="drop")
    catalog = catalog_of(stream, friendly_name={"type": ["string", "null"]})

    stream.apply_catalog(catalog)

    assert "friendly_name" not in catalog["conferences"].schema.to_dict()["properties"]
    assert warnings_of(caplog) == [
        "conferences: the catalog has 'friendly_name', which the stream does not have"
    ]
