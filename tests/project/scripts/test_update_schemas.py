"""From made-up OpenAPI documents to schema files, and what a check tells of them."""

from __future__ import annotations

import json
from dataclasses import replace
from types import SimpleNamespace

import pytest
from twilio_schemas.build import Stream, sid_prefixes
from update_schemas import Paths, describe, main, render

SID = {"type": "string", "minLength": 34, "maxLength": 34}
LIST = "/2010-04-01/Accounts/{AccountSid}/Trips.json"
STOPS = "/2010-04-01/Accounts/{AccountSid}/Trips/{TripSid}/Stops.json"
TRIPS = Stream(
    name="trips",
    product="api",
    path="/2010-04-01/Accounts/{account_sid}/Trips.json",
    primary_keys=("sid",),
    parents=("account_sid",),
)
TRIP = {
    "type": "object",
    "properties": {
        "sid": {**SID, "pattern": "^TP[0-9a-fA-F]{32}$", "nullable": True},
        "date_created": {"type": "string", "format": "date-time-rfc-2822", "nullable": True},
        "date_left": {"type": "string", "format": "date-time"},
        "day": {"type": "string", "format": "date"},
        "page": {"type": "string", "format": "uri"},
        "length": {"type": "string"},
        "price": {"type": "number"},
        "wheels": {"type": "integer", "format": "int64"},
        "phone": {
            "type": "string",
            "x-twilio": {"pii": {"deleteSla": 120, "handling": "standard", "note": "prose"}},
        },
        "status": {"$ref": "#/components/schemas/status"},
        "colours": {"type": "array", "items": {"$ref": "#/components/schemas/colour"}},
        "driver": {"$ref": "#/components/schemas/driver"},
        "seen": {"type": "object", "additionalProperties": {"type": "integer"}},
        "links": {"type": "object", "format": "uri-map"},
        "cargo": {"type": "object", "nullable": True},
        "route": {"type": "string", "description": "prose"},
        "auth_token": {"type": "string"},
        "node": {"$ref": "#/components/schemas/node"},
    },
}
SCHEMAS = {
    "trip": TRIP,
    "status": {"type": "string", "enum": ["planned", "over", None]},
    "colour": {"type": "string", "enum": ["red", "blue"]},
    "driver": {
        "type": "object",
        "properties": {
            "name": {"type": "string", "maxLength": 9},
            "secret": {"type": "string"},
            "licences": {
                "type": "array",
                "items": {"type": "object", "properties": {"kind": {"type": "string"}}},
            },
        },
        "additionalProperties": False,
    },
    "node": {
        "type": "object",
        "properties": {
            "value": {"type": "integer"},
            "next": {"$ref": "#/components/schemas/node"},
            "all": {"type": "array", "items": {"$ref": "#/components/schemas/node"}},
        },
    },
}
QUERY = [
    {"name": "AccountSid", "in": "path", "required": True, "schema": SID},
    {"name": "Status", "in": "query", "schema": {"$ref": "#/components/schemas/status"}},
    {"name": "Day>", "in": "query", "schema": {"type": "string", "format": "date"}},
    {"name": "Colour", "in": "query", "required": True, "schema": {"type": "string"}},
    {
        "name": "Ids",
        "in": "query",
        "schema": {"type": "array", "items": {"type": "string", "maxLength": 3}},
    },
    {"name": "PageSize", "in": "query", "schema": {"type": "integer", "maximum": 400}},
    {"name": "Page", "in": "query", "schema": {"type": "integer"}},
    {"name": "PageToken", "in": "query", "schema": {"type": "string"}},
]
URI = {name: {"type": "string"} for name in ("next_page_uri", "uri")} | {"end": {"type": "integer"}}
META = {"meta": {"type": "object", "properties": {"next_page_url": {"type": "string"}}}}


def get(schema, query=()):
    answer = {"content": {"application/json": {"schema": schema}}}
    return {"get": {"parameters": list(query), "responses": {"200": answer}}}


def listing(key, record, envelope, query=()):
    properties = {**envelope, key: {"type": "array", "items": record}}
    return get({"type": "object", "properties": properties}, query)


class Bench:
    """A folder of documents, one of schemas, and the hand-written files."""

    def __init__(self, folder):
        self.documents = folder / "documents"
        self.documents.mkdir()
        self.paths = Paths(
            folder / "schemas",
            folder / "corrections.yaml",
            folder / "omitted.yaml",
            folder / "endpoints.txt",
        )
        self.correct("")
        self.paths.omissions.write_text("")
        self.content = {
            "servers": [{"url": "https://api.twilio.com"}],
            "paths": {
                LIST: listing("trips", {"$ref": "#/components/schemas/trip"}, URI, QUERY),
            },
            "components": {"schemas": json.loads(json.dumps(SCHEMAS))},
        }

    def correct(self, text):
        self.paths.corrections.write_text(text)

    @property
    def trip(self):
        return self.content["components"]["schemas"]["trip"]["properties"]

    def run(self, *streams, check=False):
        (self.documents / "twilio_made_up.json").write_text(json.dumps(self.content))
        arguments = [str(self.documents), *(["--check"] if check else [])]
        return main(arguments, streams or [TRIPS], self.paths)

    def made(self, *streams):
        assert self.run(*streams) == 0
        stream = (streams or [TRIPS])[0]
        return json.loads((self.paths.schemas / stream.file).read_text())

    def made_of(self, path, item, **stream):
        """Make the schema of an endpoint that is alone in its document."""
        self.content["paths"] = {path: item}
        return self.made(Stream("alone", "api", path, **stream))


@pytest.fixture
def bench(tmp_path):
    return Bench(tmp_path)


# --- Fields ------------------------------------------------------------------------------------


def test_all_fields_but_the_key_may_be_null(bench):
    made = bench.made()
    fields = made["properties"]
    never_null = {"sid", "account_sid"}
    assert fields["sid"]["type"] == "string"
    assert all("null" in field["type"] for name, field in fields.items() if name not in never_null)
    assert made["additionalProperties"] is True


def test_sid_patterns_become_marks(bench):
    assert bench.made()["properties"]["sid"] == {"type": "string", "x-twilio-sid": "TP"}


@pytest.mark.parametrize(
    ("pattern", "prefixes"),
    [
        ("^CA[0-9a-fA-F]{32}$", "CA"),
        ("^(SM|MM)[0-9a-fA-F]{32}$", ["SM", "MM"]),
        ("US[0-9a-f]{32}", "US"),
        ("^[a-zA-Z]{2}[0-9a-fA-F]{32}$", None),
        ("^aia_know_.+$", None),
        ("", None),
    ],
)
def test_a_pattern_allows_prefixes(pattern, prefixes):
    assert sid_prefixes(pattern) == prefixes


@pytest.mark.parametrize(
    ("field", "schema"),
    [
        (
            "date_created",
            {"type": ["string", "null"], "format": "date-time", "x-twilio-wire": "rfc-2822"},
        ),
        ("date_left", {"type": ["string", "null"], "format": "date-time"}),
        ("day", {"type": ["string", "null"], "format": "date"}),
        ("page", {"type": ["string", "null"]}),
        ("wheels", {"type": ["integer", "null"]}),
        (
            "phone",
            {
                "type": ["string", "null"],
                "x-twilio-pii": {"handling": "standard", "deleteSla": 120},
            },
        ),
        ("status", {"type": ["string", "null"], "x-twilio-enum": ["planned", "over"]}),
        (
            "colours",
            {
                "type": ["array", "null"],
                "items": {"type": ["string", "null"], "x-twilio-enum": ["red", "blue"]},
            },
        ),
        (
            "driver",
            {
                "type": ["object", "null"],
                "properties": {
                    "name": {"type": ["string", "null"]},
                    "licences": {
                        "type": ["array", "null"],
                        "items": {
                            "type": ["object", "null"],
                            "properties": {"kind": {"type": ["string", "null"]}},
                            "additionalProperties": True,
                        },
                    },
                },
                "additionalProperties": True,
            },
        ),
        (
            "seen",
            {"type": ["object", "null"], "additionalProperties": {"type": ["integer", "null"]}},
        ),
        ("links", {"type": ["object", "null"], "additionalProperties": True}),
        ("cargo", {"type": ["object", "null"], "additionalProperties": True}),
    ],
)
def test_a_field_is_rewritten(bench, field, schema):
    assert bench.made()["properties"][field] == schema


def test_a_schema_inside_itself_is_cut_off(bench):
    anything = {"type": ["object", "null"], "additionalProperties": True}
    assert bench.made()["properties"]["node"] == {
        "type": ["object", "null"],
        "properties": {
            "value": {"type": ["integer", "null"]},
            "next": anything,
            "all": {"type": ["array", "null"], "items": anything},
        },
        "additionalProperties": True,
    }


def test_recursion_through_combined_schemas_ends(bench):
    tree = {"$ref": "#/components/schemas/tree"}
    leaves = {"type": "array", "items": {"allOf": [tree, {}]}}
    bench.content["components"]["schemas"]["tree"] = {"allOf": [{"properties": {"leaves": leaves}}]}
    bench.trip["tree"] = {"allOf": [tree]}
    leaves = bench.made()["properties"]["tree"]["properties"]["leaves"]
    assert leaves["type"] == ["array", "null"]


def test_secrets_have_no_field_at_any_depth(bench):
    assert "auth_token" not in bench.made()["properties"]
    assert "secret" not in bench.made()["properties"]["driver"]["properties"]


@pytest.mark.parametrize("combiner", ["allOf", "oneOf", "anyOf"])
def test_combined_records_have_the_fields_of_all_parts(bench, combiner):
    parts = [
        {"$ref": "#/components/schemas/driver"},
        {"type": "object", "properties": {"name": {"type": "integer"}, "age": {"type": "number"}}},
    ]
    made = bench.made_of("/v1/Parts", listing("parts", {combiner: parts}, META))
    assert set(made["properties"]) == {"name", "licences", "age"}
    assert made["properties"]["name"]["type"] == ["string", "integer", "null"]


def test_what_stands_beside_a_reference_counts(bench):
    bench.trip["driver"] = {
        "$ref": "#/components/schemas/driver",
        "x-twilio": {"pii": {"handling": "sensitive", "deleteSla": 1}},
    }
    driver = bench.made()["properties"]["driver"]
    assert driver["x-twilio-pii"] == {"handling": "sensitive", "deleteSla": 1}
    assert "name" in driver["properties"]


# --- Parents, keys and positions ---------------------------------------------------------------


def test_parents_are_added_where_the_record_lacks_them(bench):
    record = {"type": "object", "properties": {"trip_sid": {"type": "string"}}}
    made = bench.made_of(
        STOPS,
        listing("stops", record, URI),
        parents=("account_sid", "trip_sid"),
        counted_by="index",
        primary_keys=("trip_sid", "index"),
    )
    assert made["properties"] == {
        "trip_sid": {"type": "string"},
        "account_sid": {"type": "string", "x-twilio-parent": True},
        "index": {"type": "integer", "x-twilio-added": True},
    }


def test_a_key_that_records_lack_is_an_error(bench):
    with pytest.raises(ValueError, match="trips: nowhere is part of the key"):
        bench.run(Stream("trips", "api", LIST, primary_keys=("nowhere",)))


def test_moments_out_of_nested_objects_become_fields(bench):
    made = bench.made(replace(TRIPS, primary_keys=("sid", "began"), promoted=("began", "ended")))
    moment = {"format": "date-time", "x-twilio-added": True}
    assert made["properties"]["began"] == {"type": "string", **moment}
    assert made["properties"]["ended"] == {"type": ["string", "null"], **moment}


def test_all_lists_are_written_down(bench):
    bench.run()
    lists = bench.paths.endpoints.read_text().splitlines()
    assert "api /2010-04-01/Accounts/{}/Trips.json" in lists
    assert lists == sorted(lists)


def test_a_class_tells_what_its_schema_depends_on():
    root = SimpleNamespace(path="/Accounts.json", parent_stream_type=None)
    flow = SimpleNamespace(path="/v1/Flows", parent_stream_type=root)
    step = SimpleNamespace(
        name="steps",
        product="studio",
        path="/v1/Flows/{flow_sid}/Steps",
        primary_keys=["sid"],
        position_field=None,
        promoted={"step_end": "period.end"},
        parent_stream_type=flow,
    )
    stream = describe(step)
    assert stream == Stream(
        name="steps",
        product="studio",
        path="/v1/Flows/{flow_sid}/Steps",
        primary_keys=("sid",),
        parents=("account_sid", "flow_sid"),
        promoted=("step_end",),
    )
    assert stream.file == "studio/steps.json"
    assert stream.place == ("studio", "/v1/Flows/{}/Steps")


# --- The endpoint ------------------------------------------------------------------------------


def test_what_it_reads_and_writes_by_default_is_there():
    places = Paths()
    assert (places.schemas / "api" / "calls.json").is_file()
    assert all(file.is_file() for file in (places.corrections, places.omissions, places.endpoints))


def test_facts_of_the_endpoint(bench):
    assert bench.made()["x-twilio"] == {
        "host": "api",
        "path": LIST,
        "data_key": "trips",
        "paging": "uri",
        "page_size": 400,
        "parameters": {
            "Colour": {"type": "string", "required": True},
            "Day>": {"type": "string", "format": "date"},
            "Ids": {"type": "array", "items": {"type": "string"}},
            "Status": {"type": "string", "enum": ["planned", "over"]},
        },
    }


RECORD = {"type": "object", "properties": {"id": {"type": "string"}}}
NUMBERS = {"has_next": {"type": "boolean"}, "total_pages": {"type": "integer"}}
TOKEN = {"meta": {"type": "object", "properties": {"nextToken": {"type": "string"}}}}


@pytest.mark.parametrize(
    ("envelope", "query", "paging"),
    [
        (URI, [], "uri"),
        (META, [], "meta"),
        (TOKEN, [], "token"),
        ({"meta": {}}, [{"name": "Token", "in": "query", "schema": {"type": "string"}}], "token"),
        (NUMBERS, [], "page_number"),
        ({"uri": {"type": "string"}}, [], "none"),
    ],
)
def test_paging_shows_in_the_answer(bench, envelope, query, paging):
    facts = bench.made_of("/v1/Things", listing("things", RECORD, envelope, query))["x-twilio"]
    assert (facts["paging"], facts["data_key"]) == (paging, "things")
    assert (facts["page_size"], facts["parameters"]) == (None, {})


def test_scim_lists_have_resources(bench):
    envelope = {"totalResults": {"type": "integer"}, "schemas": {"type": "array", "items": {}}}
    facts = bench.made_of("/v1/Users", listing("Resources", RECORD, envelope))["x-twilio"]
    assert (facts["paging"], facts["data_key"]) == ("scim", "Resources")


@pytest.mark.parametrize(
    "properties",
    [
        {"balance": {"type": "string"}},
        {"names": {"type": "array", "items": {"type": "string"}}},
        {"sid": {"type": "string"}, "rules": {"type": "array", "items": RECORD}},
        {"meta": {"type": "object"}, "rules": {"type": "array", "items": RECORD}},
    ],
)
def test_an_answer_that_is_no_list_is_the_record(bench, properties):
    made = bench.made_of("/v1/One", get({"type": "object", "properties": properties}))
    assert made["x-twilio"]["data_key"] is None
    assert list(made["properties"]) == list(properties)


# --- Documents as Twilio publishes them --------------------------------------------------------


def test_full_documents_give_the_same_as_reduced_ones(bench):
    reduced = bench.made()
    operations = bench.content["paths"][LIST]
    operations["post"] = {"responses": {"201": {"description": "prose"}}}
    operations["x-twilio"] = {"pathType": "list"}
    operations["description"] = "prose"
    # A description may be shared by the operations of a path, or by all.
    colour = operations["get"]["parameters"].pop(3)
    bench.content["components"]["parameters"] = {"colour": {**colour, "description": "prose"}}
    operations["parameters"] = [{"$ref": "#/components/parameters/colour"}]
    answer = operations["get"]["responses"]["200"]["content"]["application/json"]
    answer["examples"] = {"full": {"value": {}}}
    bench.content["paths"]["/v1/New"] = {"post": {"responses": {}}}
    bench.trip["length"]["description"] = bench.trip["length"]["example"] = "prose"
    assert bench.made() == reduced
    assert "prose" not in (bench.paths.schemas / TRIPS.file).read_text()


def test_a_path_may_have_a_server_of_its_own(bench):
    item = listing("things", RECORD, META) | {"servers": [{"url": "https://flex-api.twilio.com"}]}
    bench.content["paths"]["/v1/Things"] = item
    made = bench.made(Stream("flex_things", "flex-api", "/v1/Things"))
    assert made["x-twilio"]["host"] == "flex-api"


def test_a_folder_without_documents_is_an_error(bench):
    with pytest.raises(FileNotFoundError, match="twilio_"):
        main([str(bench.paths.schemas)], [], bench.paths)


# --- Corrections -------------------------------------------------------------------------------


def test_corrections(bench):
    bench.trip["cargo"] = {"nullable": True}
    bench.correct(
        """
numeric_strings:
  api: {integer: [length, absent], number: [price, wheels]}
timestamps:
  api */Trips.json: {page: date-time, absent: date}
  api */Stops.json: {length: date-time}
types:
  object: {api: [cargo, seen, absent]}
added:
  api /2010-04-01/Accounts/{}/Trips.json:
    annotation: {type: [string, "null"]}
""",
    )
    fields = bench.made()["properties"]
    assert fields["length"] == {"type": ["integer", "null"], "x-twilio-wire": "string"}
    assert fields["price"] == {"type": ["number", "null"], "x-twilio-wire": "string"}
    assert fields["wheels"] == {"type": ["integer", "null"]}, "documented as a true integer"
    assert fields["page"] == {"type": ["string", "null"], "format": "date-time"}
    assert fields["cargo"] == {"type": ["object", "null"], "additionalProperties": True}
    assert fields["seen"]["additionalProperties"] == {"type": ["integer", "null"]}
    assert fields["annotation"] == {"type": ["string", "null"]}
    assert "absent" not in fields


def test_what_a_document_leaves_open_gets_one_type(bench, capsys):
    bench.trip["bags"] = {"type": "array", "items": {}}
    bench.trip["notes"] = {"type": "array", "items": {}}
    bench.trip["stops"] = {}
    bench.trip["cargo"] = {"nullable": True}
    bench.trip["route"] = {"description": "prose"}
    bench.correct(
        """
types:
  object: {api: ["bags.[]", length]}
  objects: {api: [stops]}
  string: {api: [cargo, gone], elsewhere: [route]}
"""
    )
    fields = bench.made()["properties"]
    anything = {"type": ["object", "null"], "additionalProperties": True}
    assert fields["bags"] == {"type": ["array", "null"], "items": anything}
    assert fields["stops"] == {"type": ["array", "null"], "items": anything}
    assert fields["cargo"] == {"type": ["string", "null"]}
    assert check(bench, capsys) == (
        1,
        [
            "~ api/trips.json: route has several types",
            "~ api/trips.json: notes[] has several types",
            "- object api: length: given a type, but left open in no schema",
            "- string api: gone: given a type, but left open in no schema",
            "- string elsewhere: route: given a type, but left open in no schema",
        ],
    )


def test_fields_are_added_by_pattern_and_at_every_depth(bench, capsys):
    bench.correct(
        """
added:
  api */Trips.json:
    mood: &string {type: [string, "null"]}
    driver.age: {type: [integer, "null"]}
    driver.licences.[].until: *string
    length: {type: [integer, "null"]}
    nowhere.deep: *string
  api */Ended.json: {mood: *string}
"""
    )
    fields = bench.made()["properties"]
    driver = fields["driver"]["properties"]
    assert fields["mood"] == {"type": ["string", "null"]}
    assert driver["age"] == {"type": ["integer", "null"]}
    assert driver["licences"]["items"]["properties"]["until"] == {"type": ["string", "null"]}
    assert fields["length"] == {"type": ["string", "null"]}, "the document knows better"
    assert check(bench, capsys) == (
        1,
        [
            "- api */Ended.json: mood: added, but documented or in no schema",
            "- api */Trips.json: length: added, but documented or in no schema",
            "- api */Trips.json: nowhere.deep: added, but documented or in no schema",
        ],
    )


def test_records_may_be_described_by_another_endpoint(bench, capsys):
    one = get({"type": "object", "properties": {"sid": SID, "age": {"type": "integer"}}})
    bench.content["paths"] |= {
        "/v1/Dogs": listing("dogs", {"type": "object"}, {}),
        "/v1/Dog/{Sid}": one,
    }
    dogs = Stream("dogs", "api", "/v1/Dogs")
    bench.correct("described: {api /v1/Dogs: 'api /v1/Dog/{}'}")
    made = bench.made(dogs, TRIPS)
    assert made["properties"].keys() == {"sid", "age"}
    assert (made["x-twilio"]["path"], made["x-twilio"]["data_key"]) == ("/v1/Dogs", "dogs")
    bench.correct("described: {api /v1/Dogs: 'api /v1/Gone/{}'}")
    bench.run(dogs, TRIPS)
    assert "- api /v1/Gone/{}: corrected, but not in the documents" in capsys.readouterr().out


def test_fields_that_the_documents_forgot_are_marked_as_personal(bench, capsys):
    bench.correct(
        """
personal:
  api *Trips.json: [length, phone, driver.name, "driver.licences.[].kind", route.absent]
  api */Ended.json: [name]
"""
    )
    bench.run()
    fields = bench.made()["properties"]
    own = {"source": "tap-twilio"}
    assert fields["length"]["x-twilio-pii"] == own
    assert fields["phone"]["x-twilio-pii"] == {"handling": "standard", "deleteSla": 120}
    driver = fields["driver"]["properties"]
    assert driver["name"]["x-twilio-pii"] == own
    assert driver["licences"]["items"]["properties"]["kind"]["x-twilio-pii"] == own
    code, lines = check(bench, capsys)
    assert code == 1
    assert lines == [
        "- api */Ended.json: name: marked as personal, but in no schema",
        "- api *Trips.json: route.absent: marked as personal, but in no schema",
    ]


def test_hand_written_files_are_left_alone(bench, capsys):
    bench.correct("hand_written: [api/trips.json, api/old.json]\n")
    old = Stream("old", "api", "/2010-04-01/Old.json")
    for name in ("trips", "old"):
        file = bench.paths.schemas / f"api/{name}.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("by hand")
    assert bench.run(TRIPS, old) == 0
    capsys.readouterr()
    assert bench.run(TRIPS, old, check=True) == 0
    assert capsys.readouterr().out == ""
    assert (bench.paths.schemas / "api/trips.json").read_text() == "by hand"


# --- Writing -----------------------------------------------------------------------------------


def test_files_are_written_once_and_the_same_each_time(bench, capsys):
    assert bench.run() == 0
    assert capsys.readouterr().out == "wrote api/trips.json\nwrote endpoints.txt\n"
    file = bench.paths.schemas / TRIPS.file
    text = file.read_text()
    assert text.endswith("}\n")
    bench.content["paths"][LIST]["get"]["parameters"].reverse()
    assert bench.run() == 0
    assert capsys.readouterr().out == ""
    assert file.read_text() == text


def test_short_lists_stand_on_one_line():
    text = render({"type": ["string", "null"], "enum": [["a"] * 40], "long": ["word"] * 20})
    assert '\n  "type": ["string", "null"],\n' in text
    assert text.count('"word"') == len([line for line in text.split("\n") if "word" in line])
    assert json.loads(text)["long"] == ["word"] * 20


def test_a_stream_whose_endpoint_is_gone_keeps_its_file(bench, capsys):
    bench.run()
    file = bench.paths.schemas / TRIPS.file
    text = file.read_text()
    bench.content["paths"] = {}
    capsys.readouterr()
    assert bench.run() == 0
    assert "gone from the documents" in capsys.readouterr().out
    assert file.read_text() == text


# --- Checking ----------------------------------------------------------------------------------


def check(bench, capsys, *streams):
    """Check after writing: the exit code, and the lines without their indent."""
    capsys.readouterr()
    code = bench.run(*streams, check=True)
    return code, [line.strip() for line in capsys.readouterr().out.splitlines()]


def test_a_check_finds_nothing_after_writing(bench, capsys):
    bench.run()
    assert check(bench, capsys) == (0, [])


def test_a_check_writes_nothing(bench, capsys):
    assert check(bench, capsys) == (
        1,
        ["+ api/trips.json: no file yet", "~ endpoints.txt: not the documents' lists"],
    )
    assert not bench.paths.schemas.exists()
    assert not bench.paths.endpoints.exists()


def test_a_check_names_fields_that_changed(bench, capsys):
    bench.run()
    trip = bench.trip
    trip["mood"] = {"type": "string"}
    del trip["cargo"]
    trip["length"] = {"type": "string", "format": "date-time"}
    bench.content["components"]["schemas"]["status"]["enum"] = ["planned", "lost"]
    bench.content["components"]["schemas"]["driver"]["properties"]["age"] = {"type": "integer"}
    licence = bench.content["components"]["schemas"]["driver"]["properties"]["licences"]["items"]
    licence["properties"]["kind"] = {"type": "integer"}
    assert check(bench, capsys) == (
        1,
        [
            "api/trips.json",
            "~ field length: format none -> date-time",
            "~ field status: x-twilio-enum +lost -over",
            "~ field driver.licences[].kind: type string|null -> integer|null",
            "+ field driver.age: integer|null",
            "+ field mood: string|null",
            "- field cargo",
            "~ parameter Status: enum +lost -over",
        ],
    )


def test_a_check_names_facts_of_the_endpoint_that_changed(bench, capsys):
    bench.run()
    query = bench.content["paths"][LIST]["get"]["parameters"]
    query[2]["schema"]["format"] = "date-time"
    query[3]["name"] = "Color"
    query[5]["schema"]["maximum"] = 100
    assert check(bench, capsys) == (
        1,
        [
            "api/trips.json",
            "+ parameter Color: string",
            "~ parameter Day>: format date -> date-time",
            "- parameter Colour",
            "~ page_size: 400 -> 100",
        ],
    )


def test_a_check_sees_files_that_were_edited(bench, capsys):
    bench.run()
    file = bench.paths.schemas / TRIPS.file
    file.write_text(json.dumps(json.loads(file.read_text())))
    assert check(bench, capsys) == (1, ["api/trips.json", "~ order or layout"])


def test_a_check_names_endpoints_that_came_and_went(bench, capsys):
    bench.run()
    bench.content["paths"] = {
        "/v1/New/{Sid}/Things": listing("things", RECORD, META),
        "/v1/One/{Sid}": get(RECORD),
        "/v1/Tools/{Id}": get(
            {"allOf": [RECORD, {"properties": {"rules": {"type": "array", "items": RECORD}}}]},
        ),
    }
    assert check(bench, capsys) == (
        1,
        [
            "+ api /v1/New/{}/Things: neither a stream nor an omission",
            f"- {TRIPS.place}: gone from the documents; api/trips.json is left as it is",
            "~ endpoints.txt: not the documents' lists",
        ],
    )


def test_omitted_endpoints_are_not_new(bench, capsys):
    bench.content["paths"]["/v1/Ended/Things"] = listing("things", RECORD, META)
    bench.paths.omissions.write_text('"api /v1/Ended/*": It has ended.\n')
    bench.run()
    assert check(bench, capsys) == (0, [])


def test_omissions_and_corrections_that_no_longer_apply_are_named(bench, capsys):
    bench.paths.omissions.write_text('"api /v1/Ended/*": Gone.\n"api *Trips.json": Too many.\n')
    bench.correct("described: {api /v1/Ended: 'api /v1/Ended/{}'}")
    bench.run()
    assert check(bench, capsys) == (
        1,
        [
            "~ api /2010-04-01/Accounts/{}/Trips.json: an omission, yet the stream trips reads it",
            "- api /v1/Ended/*: an omission that matches nothing",
            "- api /v1/Ended: corrected, but not in the documents",
            "- api /v1/Ended/{}: corrected, but not in the documents",
        ],
    )


def test_a_file_without_a_stream_is_named(bench, capsys):
    bench.run()
    stray = bench.paths.schemas / "api/stray.json"
    stray.write_text("{}")
    assert check(bench, capsys) == (1, ["- api/stray.json: a file without a stream"])
