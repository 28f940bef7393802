"""A field that Twilio adds is announced with its first value, so that targets make it a column."""

from __future__ import annotations

import json
import tracemalloc
from decimal import Decimal
from itertools import pairwise

import pytest
from jsonschema import Draft202012Validator

from harness import STREAMS_BY_NAME, config_for, select, truth
from sandbox import faults
from sandbox.paths import CALLS
from tap_twilio.records.convert import MOST_UNKNOWN, Converter

KEY = {"pii": "hash", "pii_key": "k" * 32}


@pytest.fixture
def twilio(sandbox):
    return sandbox(volumes={"calls": 60, "messages": 0}, subaccounts=0)


def in_order(run, twilio):
    """SIDs of all calls, in the order of emission."""
    output = run(config_for(twilio, page_size=10), streams=["calls"])
    return [record["sid"] for record in output.records("calls")]


def read(run, twilio, **settings):
    output = run(config_for(twilio, page_size=10, **settings), streams=["calls"])
    assert output.exit_code == 0, output.log
    return output


def schemas(output, stream="calls"):
    """All SCHEMA messages of a stream, each as its properties."""
    found = [message for message in output.of_type("SCHEMA") if message["stream"] == stream]
    return [message["schema"]["properties"] for message in found]


def added(output, stream="calls"):
    """What each SCHEMA message of a stream has that the one before lacked."""
    found = schemas(output, stream)
    for before, after in pairwise(found):
        assert before.items() <= after.items()
    return [
        {name: after[name] for name in after.keys() - before.keys()}
        for before, after in pairwise(found)
    ]


def assert_valid(output):
    """Each record fits the SCHEMA before it, and has no field besides."""
    validators = {}
    for message in output.messages:
        if message["type"] == "SCHEMA":
            schema = message["schema"] | {"additionalProperties": False}
            validators[message["stream"]] = Draft202012Validator(schema)
        elif message["type"] == "RECORD":
            validators[message["stream"]].validate(message["record"])


# --- What is announced, and when -----------------------------------------------------------------

VALUES = {
    "string": ("fine", {"type": ["string", "null"]}),
    "a text that looks like a date": ("2026-01-01", {"type": ["string", "null"]}),
    "integer": (4, {"type": ["number", "null"]}),
    "number": (0.1, {"type": ["number", "null"]}),
    "boolean": (False, {"type": ["boolean", "null"]}),
    "object": ({"a": [1]}, {"type": ["object", "null"], "additionalProperties": True}),
    "array": ([{"a": 1}, "x"], {"type": ["array", "null"]}),
}


@pytest.mark.parametrize("name", VALUES)
def test_a_new_field_is_announced_before_the_first_record_that_has_it(run, twilio, name):
    value, schema = VALUES[name]
    sids = in_order(run, twilio)
    for sid in sids[25:]:
        twilio.patch(sid, mood=value)

    output = read(run, twilio)

    assert added(output) == [{"mood": schema}]
    assert_valid(output)
    records = {record["sid"]: record for record in output.records("calls")}
    assert [records[sid].get("mood") for sid in sids] == [None] * 25 + [value] * 35
    assert output.log.count("field 'mood'") == 1
    first, second = (n for n, m in enumerate(output.messages) if m["type"] == "SCHEMA")
    between = [message["type"] for message in output.messages[first + 1 : second]]
    assert 15 < between.count("RECORD") <= 25
    keys = [(m["key_properties"], m["bookmark_properties"]) for m in output.of_type("SCHEMA")]
    assert keys[0] == keys[1]


def test_nothing_remembers_it(run, twilio):
    sids = in_order(run, twilio)
    known = json.dumps(run.discover())
    twilio.patch(sids[0], mood="fine")

    output = read(run, twilio)

    assert "mood" not in json.dumps(output.state)
    assert json.dumps(run.discover()) == known
    twilio.patch(sids[0], mood=None)
    assert added(read(run, twilio)) == []


def test_a_field_without_a_value_waits_for_one(run, twilio):
    sids = in_order(run, twilio)
    for sid in sids:
        twilio.patch(sid, mood=None)
    for sid in sids[25:]:
        twilio.patch(sid, tint=None)
    twilio.patch(sids[45], tint=1)

    output = read(run, twilio)

    assert added(output) == [{"tint": {"type": ["number", "null"]}}]
    assert_valid(output)
    records = {record["sid"]: record for record in output.records("calls")}
    assert not any("mood" in record for record in records.values())
    having = [sid for sid in sids if "tint" in records[sid]]
    assert having == sids[-len(having) :]
    assert 15 <= len(having) <= 25
    assert [sid for sid in sids if records[sid].get("tint")] == [sids[45]]


@pytest.mark.parametrize(
    ("first", "later", "kept"),
    [
        ("fine", {"a": [1.5]}, '{"a":[1.5]}'),
        ("fine", 5, "5"),
        ("fine", True, "true"),
        (5, 5.25, 5.25),
        (5, "7", 7),
        (5, "many", None),
        (True, "false", False),
        (True, 1, True),
        (True, "maybe", None),
        ({"a": 1}, [1], None),
        ([1], {"a": 1}, None),
    ],
)
def test_later_values_are_of_the_announced_type(run, twilio, first, later, kept):
    sids = in_order(run, twilio)
    for sid in sids:
        twilio.patch(sid, mood=first)
    for sid in sids[30:32]:
        twilio.patch(sid, mood=later)

    output = read(run, twilio)

    assert len(added(output)) == 1
    assert_valid(output)
    records = {record["sid"]: record for record in output.records("calls")}
    assert {repr(records[sid]["mood"]) for sid in sids[30:32]} == {repr(kept)}
    assert output.log.count("field 'mood' had a value") == (kept is None)


def test_a_field_is_told_of_once_whatever_its_later_values_are(run, twilio):
    sids = in_order(run, twilio)
    for sid in sids:
        twilio.patch(sid, mood=True)
    for number in range(30, 40):
        twilio.patch(sids[number], mood="maybe" if number % 2 else [number])

    output = read(run, twilio)

    assert output.log.count("field 'mood' had a value") == 1


def test_values_that_differ_from_the_start_are_texts(run, twilio):
    sids = in_order(run, twilio)
    for number, sid in enumerate(sids):
        twilio.patch(sid, mood=number if number % 2 else [number])

    output = read(run, twilio)

    assert added(output) == [{"mood": {"type": ["string", "null"]}}]
    assert_valid(output)
    assert {record["mood"] for record in output.records("calls")} >= {"[0]", "1", "[58]", "59"}


def test_each_stream_announces_its_own_once_for_all_accounts_and_parents(run, sandbox):
    twilio = sandbox(volumes={"calls": 60, "messages": 0}, subaccounts=1)
    streams = ["accounts", "calls", "recordings", "call_recordings"]
    run(config_for(twilio), streams=streams)
    for name in ("accounts", "calls", "recordings"):
        for row in truth(twilio, STREAMS_BY_NAME[name]):
            twilio.patch(row["sid"], **{f"new_in_{name}": row["sid"]})

    output = run(config_for(twilio, page_size=10), streams=streams)

    assert output.exit_code == 0
    assert_valid(output)
    text = {"type": ["string", "null"]}
    for name in ("accounts", "calls", "recordings"):
        assert added(output, name) == [{f"new_in_{name}": text}]
        for record in output.records(name):
            assert record[f"new_in_{name}"] == record["sid"]
    assert output.records("call_recordings")
    assert {record["account_sid"] for record in output.records("calls")} == {
        account.sid for account in twilio.accounts
    }


def test_versions_of_records_stay(run, sandbox):
    twilio = sandbox(volumes={"calls": 0, "messages": 0}, subaccounts=0)
    for row in truth(twilio, STREAMS_BY_NAME["applications"]):
        twilio.patch(row["sid"], mood="fine")
    config = config_for(twilio, emit_activate_version_messages=True)

    output = run(config, streams=["applications"])

    assert added(output, "applications") == [{"mood": {"type": ["string", "null"]}}]
    (activated,) = output.of_type("ACTIVATE_VERSION")
    assert {message["version"] for message in output.of_type("RECORD")} == {activated["version"]}


# --- Selection, personal data, maps --------------------------------------------------------------


def test_a_catalog_may_leave_it_out(run, twilio):
    for row in truth(twilio, STREAMS_BY_NAME["calls"]):
        twilio.patch(row["sid"], mood="fine", tint="red")
    catalog = select(run.discover(), ["calls"])
    (calls,) = (entry for entry in catalog["streams"] if entry["tap_stream_id"] == "calls")
    calls["metadata"].append(
        {"breadcrumb": ["properties", "mood"], "metadata": {"selected": False}}
    )

    output = run(config_for(twilio, page_size=10), catalog=catalog)

    assert added(output) == [{"tint": {"type": ["string", "null"]}}]
    assert_valid(output)
    assert all("mood" not in record for record in output.records("calls"))


def test_without_a_catalog(run, twilio):
    for row in truth(twilio, STREAMS_BY_NAME["calls"]):
        twilio.patch(row["sid"], mood="fine")
    path = run.folder / "config.json"
    path.write_text(json.dumps(config_for(twilio)))

    output = run.raw("--config", str(path))

    assert output.exit_code == 0
    assert added(output) == [{"mood": {"type": ["string", "null"]}}]
    assert {record["mood"] for record in output.records("calls")} == {"fine"}


@pytest.mark.parametrize(("settings", "count"), [(KEY, 1), ({"pii": "drop"}, 0)])
def test_personal_data(run, twilio, settings, count):
    for row in truth(twilio, STREAMS_BY_NAME["calls"]):
        twilio.patch(row["sid"], mood={"name": "Ada"}, mood_sid="MO1")

    output = read(run, twilio, **settings)

    text = {"type": ["string", "null"]}
    assert added(output) == [{"mood": text, "mood_sid": text} if count else {"mood_sid": text}]
    assert_valid(output)
    moods = {record.get("mood") for record in output.records("calls")}
    assert len(moods) == 1
    assert all(mood is None or len(mood) == 64 for mood in moods)
    assert (moods == {None}) == (count == 0)
    assert {record["mood_sid"] for record in output.records("calls")} == {"MO1"}
    assert "Ada" not in output.log


MAPS = {
    "renamed": ({"calls": {"__alias__": "'phone'"}}, {"phone": ["mood", "tint"]}),
    "left out": ({"calls": {"mood": None}}, {"calls": ["tint"]}),
    "nothing but": ({"calls": {"sid": "sid", "__else__": None}}, {"calls": []}),
    "excluded": ({"__else__": None, "calls": {"x": "sid"}}, {"calls": ["mood", "tint"]}),
    "replaced": ({"calls": {"mood": "'bad'"}}, {"calls": ["tint"]}),
    "doubled": (
        {"more": {"__source__": "calls", "y": "sid"}},
        {"calls": ["mood", "tint"], "more": ["mood", "tint"]},
    ),
}


@pytest.mark.parametrize("name", MAPS)
def test_stream_maps(run, twilio, name):
    maps, expected = MAPS[name]
    sids = in_order(run, twilio)
    for sid in sids[25:]:
        twilio.patch(sid, mood="fine", tint=None)
    twilio.patch(sids[45], tint=1)

    output = read(run, twilio, stream_maps=maps)

    assert_valid(output)
    for stream, names in expected.items():
        told = {}
        for fields in added(output, stream):
            told |= fields
        assert sorted(told) == names
        assert len(output.records(stream)) == 60
        assert schemas(output, stream)[0].keys() & {"x", "y"} <= output.records(stream)[0].keys()
    assert "has a name" not in output.log
    if name == "replaced":
        assert {record["mood"] for record in output.records("calls")} == {"bad"}
    if "mood" in expected.get("calls", []):
        assert sum(record.get("mood") == "fine" for record in output.records("calls")) == 35


def test_what_maps_announced_before_stays_as_it_was(run, twilio):
    for row in truth(twilio, STREAMS_BY_NAME["calls"]):
        twilio.patch(row["sid"], mood=5)

    output = read(run, twilio, stream_maps={"calls": {"copy": "mood"}})

    assert schemas(output)[0]["copy"] == {"type": ["string", "null"]}
    assert added(output) == [{"mood": {"type": ["number", "null"]}}]


def test_a_map_sees_nulls_too(run, twilio):
    sids = in_order(run, twilio)
    for sid in sids:
        twilio.patch(sid, mood=None)

    output = read(run, twilio, stream_maps={"calls": {"known": "str(mood)"}})

    assert {record["known"] for record in output.records("calls")} == {"None"}
    assert all("mood" not in record for record in output.records("calls"))


def test_streams_that_a_map_excludes_announce_nothing(run, twilio):
    for row in truth(twilio, STREAMS_BY_NAME["calls"]):
        twilio.patch(row["sid"], mood="fine")

    output = read(run, twilio, stream_maps={"calls": None})

    assert output.of_type("SCHEMA") == output.of_type("RECORD") == []


FLAT = {"flattening_enabled": True, "flattening_max_depth": 2}


def test_flattening(run, twilio):
    sids = in_order(run, twilio)
    for sid in sids[25:]:
        twilio.patch(sid, mood={"a": {"b": 1, "c": {"d": 2}}, "tags": [3], "empty": None})

    output = read(run, twilio, **FLAT)

    assert_valid(output)
    text = {"type": ["string", "null"]}
    number = {"type": ["number", "null"]}
    assert added(output) == [{"mood__a__b": number, "mood__a__c": text, "mood__tags": text}]
    records = {record["sid"]: record for record in output.records("calls")}
    for sid in sids[25:]:
        assert records[sid]["mood__a__b"] == 1
        assert json.loads(records[sid]["mood__a__c"]) == {"d": 2}
        assert json.loads(records[sid]["mood__tags"]) == [3]


def test_a_new_member_of_a_known_object_is_a_column_where_that_is_flattened(run, sandbox):
    twilio = sandbox(volumes={"calls": 0, "messages": 0}, subaccounts=0)
    first, second, *_ = [
        row["sid"] for row in truth(twilio, STREAMS_BY_NAME["incoming_phone_numbers"])
    ]
    twilio.patch(first, capabilities={"voice": True, "teleport": False})
    twilio.patch(second, capabilities=None)

    output = run(config_for(twilio, **FLAT), streams=["incoming_phone_numbers"])

    assert output.exit_code == 0
    assert_valid(output)
    assert added(output, "incoming_phone_numbers") == [
        {"capabilities__teleport": {"type": ["boolean", "null"]}}
    ]
    records = {record["sid"]: record for record in output.records("incoming_phone_numbers")}
    assert records[first]["capabilities__teleport"] is False
    assert records[first]["capabilities__voice"] is True
    assert not any(name.startswith("capabilities") for name in records[second])


def test_names_within_objects_are_bounded_too(run, twilio):
    sids = in_order(run, twilio)
    for number, sid in enumerate(sids):
        twilio.patch(sid, mood={f"field_{number}_{digit}": digit for digit in range(3)})

    output = read(run, twilio, **FLAT)

    told = {}
    for fields in added(output):
        told |= fields
    assert len(told) == MOST_UNKNOWN
    records = {record["sid"]: record for record in output.records("calls")}
    for number, sid in enumerate(sids):
        assert [records[sid][f"mood__field_{number}_{digit}"] for digit in range(3)] == [0, 1, 2]


# --- Bounds --------------------------------------------------------------------------------------


def test_names_that_are_data_become_no_columns(run, twilio):
    sids = in_order(run, twilio)
    for number, sid in enumerate(sids):
        twilio.patch(sid, **{f"field_{number}_{digit}": digit for digit in range(3)})

    output = read(run, twilio)

    told = {}
    for fields in added(output):
        told |= fields
    assert len(told) == MOST_UNKNOWN
    for number, sid in enumerate(sids):
        (record,) = (record for record in output.records("calls") if record["sid"] == sid)
        assert [record[f"field_{number}_{digit}"] for digit in range(3)] == [0, 1, 2]
    assert output.log.count("is not in the schema") == MOST_UNKNOWN
    assert output.log.count(f"more than {MOST_UNKNOWN}") == 1


NAMES = ["", "Status", "a%b", 'a"b', "naïve", "n" * 64]
"""Names that break a loader: it refuses them, or takes them for those of another column."""


def test_names_that_no_column_can_have_are_passed_on_alone(run, twilio):
    for row in truth(twilio, STREAMS_BY_NAME["calls"]):
        twilio.patch(row["sid"], **dict.fromkeys(NAMES, "x"), **{"a-b.c d": "x", "newField": "x"})

    output = read(run, twilio)

    text = {"type": ["string", "null"]}
    assert added(output) == [{"a-b.c d": text, "newField": text}]
    for record in output.records("calls"):
        assert {record[name] for name in NAMES} == {"x"}
    assert output.log.count("has a name that no column can have") == len(NAMES)


def test_of_two_names_that_databases_take_for_one_the_first_is_announced(run, twilio):
    sids = in_order(run, twilio)
    for sid in sids:
        twilio.patch(sid, newField="x")
    twilio.patch(sids[30], newfield="x")

    output = read(run, twilio)

    assert added(output) == [{"newField": {"type": ["string", "null"]}}]
    assert output.log.count("has a name that no column can have") == 1


def test_shapes_of_rows_take_a_bounded_room(monkeypatch):
    monkeypatch.setattr("tap_twilio.records.convert.MOST_KEPT", 50)
    converter = Converter({"properties": {"sid": {"type": "string"}}})

    tracemalloc.start()
    for number in range(5000):
        converter.convert([{"sid": "X", f"field_{number}": Decimal(1)}])
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert held < 100_000
    assert len(converter.unknown) == MOST_UNKNOWN


# --- Custom streams ------------------------------------------------------------------------------

CUSTOM = {
    "name": "mine",
    "product": "api",
    "path": "/2010-04-01/Accounts/{account_sid}/Calls.json",
    "page_size": 10,
}


def custom(run, twilio, declaration=CUSTOM, **settings):
    config = config_for(twilio, custom_streams=[declaration], **settings)
    path = run.folder / "discover.json"
    path.write_text(json.dumps(config))
    catalog = select(run.raw("--config", str(path), "--discover").messages[0], ["mine"])
    return config, catalog


@pytest.mark.parametrize("settings", [{}, KEY])
def test_custom_streams_announce_what_was_not_told_before(run, twilio, settings):
    config, catalog = custom(run, twilio, **settings)
    for row in truth(twilio, STREAMS_BY_NAME["calls"]):
        twilio.patch(row["sid"], mood={"a": 1})

    output = run(config, catalog=catalog)

    assert output.exit_code == 0
    expected = {"type": ["string", "null"]} if settings else VALUES["object"][1]
    assert added(output, "mine") == [{"mood": expected}]
    assert_valid(output)
    assert {type(record["mood"]) for record in output.records("mine")} == {
        str if settings else dict
    }


def test_a_custom_stream_whose_fields_could_not_be_told(run, sandbox):
    twilio = sandbox(volumes={"calls": 60, "messages": 0}, subaccounts=0)
    plan = twilio.plan(faults.rewrite(lambda page: page | {"calls": []}), "/Calls.json")
    config, catalog = custom(run, twilio, CUSTOM | {"key": ["sid"]})
    assert plan.hits
    twilio.clear_plans()

    output = run(config, catalog=catalog)

    assert output.exit_code == 0
    assert_valid(output)
    (fields,) = added(output, "mine")
    assert {"status", "to", "duration", "subresource_uris"} <= fields.keys()
    rows = {row["sid"]: row for row in twilio.truth("api", CALLS)}
    for record in output.records("mine"):
        for name, value in rows[record["sid"]].items():
            assert record.get(name) == value
