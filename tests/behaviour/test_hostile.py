"""What comes in is not what it should be: a table of inputs, and what becomes of each."""

from __future__ import annotations

import copy
import itertools
import json
import re
from dataclasses import replace
from datetime import timedelta

import pytest

from harness import catalog_of, config_for, utc_now
from sandbox import Sandbox, faults

STATE_OF = {"replication_key": "start_time", "replication_key_value": "2026-01-01T00:00:00Z"}


@pytest.fixture(scope="module")
def twilio():
    volumes = {"calls": 25, "messages": 0}
    with Sandbox(seed=1, now=utc_now(), days=5, volumes=volumes, subaccounts=0) as server:
        yield server


@pytest.fixture(scope="module")
def catalog():
    return catalog_of(["calls"])


@pytest.fixture
def read(run, twilio, catalog):
    """Read calls; nothing may ever end in a traceback, or half a message."""

    def go(effect=None, change=lambda _: None, *, state=None, **settings):
        chosen = copy.deepcopy(catalog)
        chosen["streams"] = [e for e in chosen["streams"] if e["tap_stream_id"] == "calls"]
        change(chosen["streams"][0])
        if effect is not None:
            twilio.plan(effect, "/Calls.json")
        try:
            config = config_for(twilio, **{"max_retries": 1, **settings})
            output = run(config, catalog=chosen, state=state)
        finally:
            twilio.clear_plans()
        assert "Traceback" not in output.log
        assert "Unexpected" not in output.log
        return output

    return go


# --- Files -------------------------------------------------------------------------------------

FILES = {
    "": "the file is not JSON",
    "{": "the file is not JSON",
    "[]": "the file holds no JSON object",
    "null": "the file holds no JSON object",
    "[" * 100_000: "the file is not JSON",
    "\N{SNOWMAN}": "the file is not JSON",
}


@pytest.mark.parametrize("option", ["state", "catalog"])
@pytest.mark.parametrize("content", FILES, ids=range(len(FILES)))
def test_files_that_are_no_json_object(run, twilio, tmp_path, option, content):
    config, path = tmp_path / "config.json", tmp_path / "input.json"
    config.write_text(json.dumps(config_for(twilio)))
    path.write_text(content)

    output = run.raw("--config", str(config), f"--{option}", str(path))

    assert output.exit_code == 1
    assert output.lines == []
    assert f"--{option}: {FILES[content]}" in output.log


def test_a_file_in_no_encoding(run, twilio, tmp_path):
    config, path = tmp_path / "config.json", tmp_path / "input.json"
    config.write_text(json.dumps(config_for(twilio)))
    path.write_bytes(b'{"\xff": 1}')

    output = run.raw("--config", str(config), "--state", str(path))

    assert output.exit_code == 1
    assert "--state: the file is not JSON" in output.log


# --- Catalogs ----------------------------------------------------------------------------------


def set_type(entry):
    entry["schema"]["properties"]["price"] = {"type": ["string", "null"]}


def rename(entry):
    entry["schema"]["properties"]["old_name"] = {"type": ["string", "null"]}
    metadata = {"inclusion": "available", "selected": True}
    entry["metadata"].append({"breadcrumb": ["properties", "old_name"], "metadata": metadata})


CATALOGS = {
    "a stream that isn't": (
        lambda e: e.update(tap_stream_id="call", stream="call"),
        1,
        "did you mean 'calls'?",
    ),
    "a schema that is none": (lambda e: e.update(schema=7), 1, "the schema of calls is none"),
    "a property that is none": (
        lambda e: e["schema"]["properties"].update(sid=1),
        1,
        "the schema of calls is none",
    ),
    "metadata that is none": (lambda e: e.update(metadata={}), 1, "the metadata of calls is none"),
    "half a metadata": (
        lambda e: e.update(metadata=[{"breadcrumb": []}]),
        1,
        "the metadata of calls is none",
    ),
    "a property that is gone": (
        rename,
        0,
        "the catalog has 'old_name', which the stream does not have",
    ),
    "a property of another type": (set_type, 0, "the catalog gives 'price' another type"),
    "a property too few": (lambda e: e["schema"]["properties"].pop("price"), 0, ""),
    "no schema": (lambda e: e.pop("schema"), 0, ""),
    "no metadata": (lambda e: e.pop("metadata"), 0, ""),
    "no replication key": (lambda e: e.update(replication_key=None), 0, ""),
    "full table": (lambda e: e.update(replication_method="FULL_TABLE"), 0, ""),
}


@pytest.mark.parametrize("name", CATALOGS)
def test_catalogs(read, catalog, name):
    change, code, sentence = CATALOGS[name]

    output = read(change=change)

    assert output.exit_code == code
    assert sentence in output.log
    assert bool(output.records("calls")) is (code == 0)
    if code == 0:
        (own,) = (e for e in catalog["streams"] if e["tap_stream_id"] == "calls")
        said = output.schemas["calls"]["schema"]["properties"]
        assert said.keys() == own["schema"]["properties"].keys()
        assert "number" in said["price"]["type"]


def test_a_catalog_without_keys_loses_no_row(read):
    def change(entry):
        entry["key_properties"] = []
        for one in entry["metadata"]:
            one["metadata"].pop("table-key-properties", None)

    output = read(change=change)

    whole = {record["sid"] for record in read().records("calls")}
    assert {record["sid"] for record in output.records("calls")} == whole
    assert sum(record["start_time"] is None for record in output.records("calls")) > 1


# --- States ------------------------------------------------------------------------------------


ACCOUNT = {"account_sid": "AC" + "0" * 32}


def partition(**fields):
    return {"bookmarks": {"calls": {"partitions": [fields]}}}


STATES = {
    "a list of bookmarks": ({"bookmarks": []}, 1, "no state of this tap"),
    "no bookmarks": ({"bookmarks": None}, 1, "no state of this tap"),
    "a whole message": ({"type": "STATE", "value": {}}, 1, "Give what is in the 'value'"),
    "a connector of another kind": ({"calls": {"start_time": "2026"}}, 1, "no state of this tap"),
    "a number": ({"bookmarks": {"calls": 7}}, 1, "the bookmark 7 of calls has the wrong form"),
    "partitions that are none": ({"bookmarks": {"calls": {"partitions": 3}}}, 1, "wrong form"),
    "a partition that is none": ({"bookmarks": {"calls": {"partitions": [3]}}}, 1, "wrong form"),
    "no date": (partition(**STATE_OF | {"replication_key_value": "soon"}), 1, "'soon' of calls is"),
    "a duration": (partition(**STATE_OF | {"replication_key_value": "P3D"}), 1, "'P3D' of calls"),
    "a number as date": (partition(**STATE_OF | {"replication_key_value": 5}), 1, "5 of calls is"),
    "the future": (
        partition(**STATE_OF | {"replication_key_value": "2090-01-01T00:00:00Z"}),
        1,
        "in the future",
    ),
    "the year 226": (
        partition(**STATE_OF | {"replication_key_value": "0226-01-01T00:00:00Z"}),
        1,
        "the bookmark '0226-01-01T00:00:00Z' of calls is before 2008",
    ),
    "the year 9999": (
        partition(**STATE_OF | {"replication_key_value": "9999-12-31T23:59:59Z"}),
        1,
        "'9999-12-31T23:59:59Z' of calls is in the future",
    ),
    "the end of the calendar": (
        partition(**STATE_OF | {"replication_key_value": "9999-12-31T23:59:59-12:00"}),
        1,
        "'9999-12-31T23:59:59-12:00' of calls is not a date",
    ),
    "another tap's date before all": (
        {"bookmarks": {"calls": "2000-01-01T00:00:00Z"}},
        1,
        "'2000-01-01T00:00:00Z' of calls is before 2008",
    ),
    "a bookmark of no field": (
        partition(context=ACCOUNT, replication_key_value="2026-01-01"),
        1,
        "of calls has the wrong form",
    ),
    "a field that is none": (
        partition(**STATE_OF | {"replication_key": 5}, context=ACCOUNT),
        1,
        "of calls has the wrong form",
    ),
    "a search from nowhere": (partition(context=ACCOUNT, undated_since="soon"), 1, "'soon' of"),
    "a search from before all": (
        partition(context=ACCOUNT, undated_since="0226-01-01"),
        1,
        "'0226-01-01' of calls is before 2008",
    ),
    "a search": (partition(context=ACCOUNT, undated_since="2026-01-01T00:00:00Z"), 0, ""),
    "a key that means nothing": (
        partition(**STATE_OF, context=ACCOUNT, bookmrk="2026-01-01"),
        1,
        "the bookmark of calls has 'bookmrk', which means nothing to this tap",
    ),
    "a key that means nothing, of the stream": (
        {"bookmarks": {"calls": {"partition": []}}},
        1,
        "the bookmark of calls has 'partition'",
    ),
    "two of one account": (
        {"bookmarks": {"calls": {"partitions": [{"context": ACCOUNT}, {"context": ACCOUNT}]}}},
        1,
        f"there are two bookmarks of calls for {ACCOUNT['account_sid']}",
    ),
    "a context that is none": (partition(**STATE_OF, context={"account": "AC1"}), 1, "wrong form"),
    "a context without an account": (partition(**STATE_OF, context=None), 1, "wrong form"),
    "a context with more": (partition(**STATE_OF, context=ACCOUNT | {"x": "y"}), 1, "wrong form"),
    "an account that is a number": (
        partition(**STATE_OF, context={"account_sid": 5}),
        1,
        "wrong form",
    ),
    "something refused": (partition(context=ACCOUNT, refused={"call_sid": "CA1"}), 0, ""),
    "something refused that is none": (partition(context=ACCOUNT, refused=["CA1"]), 1, "wrong"),
    "something refused without a SID": (
        partition(context=ACCOUNT, refused={"call_sid": None}),
        1,
        "wrong form",
    ),
    "what the SDK keeps": (
        partition(**STATE_OF, context=ACCOUNT, progress_markers=[], starting_replication_value=5),
        0,
        "",
    ),
    "another tap's date that is none": ({"bookmarks": {"calls": "now"}}, 1, "'now' of calls is"),
    "nothing": ({}, 0, ""),
    "an empty value": (
        partition(**STATE_OF | {"context": ACCOUNT, "replication_key_value": None}),
        0,
        "",
    ),
    "no value": (partition(context=ACCOUNT, replication_key="start_time"), 0, ""),
    "a partition of nothing": (partition(**STATE_OF), 1, "wrong form"),
    "no context": (partition(context=None), 0, ""),
    "an account that is gone": (partition(**STATE_OF, context=ACCOUNT), 0, ""),
    "a stream that is gone": (
        {"bookmarks": {"calz": {"partitions": []}}},
        0,
        "there is no stream 'calz'; did you mean 'calls'?",
    ),
    "another tap's bookmark of a list": (
        {"bookmarks": {"queues": "2026-01-01T00:00:00.000000Z"}},
        0,
        "queues is read whole. The other tap's bookmark of it is not used",
    ),
    "currently syncing": ({"currently_syncing": "calls", "bookmarks": {}}, 0, ""),
}


@pytest.mark.parametrize("name", STATES)
def test_states(read, name):
    state, code, sentence = STATES[name]

    output = read(state=state)

    assert output.exit_code == code
    assert sentence in output.log
    assert len(output.records("calls")) == (0 if code else 25)


def test_a_bookmark_by_another_field_is_not_used(read, twilio):
    context = {"account_sid": twilio.account_sid}
    value = {"replication_key": "date_updated", "replication_key_value": utc_now()}

    assert len(read(state=partition(context=context, **value)).records("calls")) == 25


def test_the_bookmark_of_a_lost_account_is_kept(read):
    lost = {"context": {"account_sid": "AC1"}, **STATE_OF}

    output = read(state=partition(**lost))

    assert lost in output.state["bookmarks"]["calls"]["partitions"]


def test_the_one_bookmark_of_singer_ios_tap_holds_for_every_account(run, sandbox):
    twilio = sandbox(volumes={"calls": 300, "messages": 0}, days=40)
    bookmark = twilio.now - timedelta(minutes=1)
    state = {
        "currently_syncing": "accounts",
        "bookmarks": {
            "calls": bookmark.isoformat().replace("+00:00", ".000000Z"),
            "queues": "2026-01-01T00:00:00.000000Z",
        },
    }

    output = run(config_for(twilio), streams=["calls"], state=state)

    assert output.exit_code == 0
    assert "applies to every account" in output.log
    asked = [
        dict(request.query)["StartTime>"]
        for request in twilio.requests
        if any(name == "StartTime>" for name, _ in request.query)
    ]
    assert min(asked) >= (bookmark - timedelta(days=3, minutes=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    accounts = {account.sid for account in twilio.accounts}
    for account in accounts:
        assert output.bookmark("calls", account)
    again = run(config_for(twilio), streams=["calls"], state=output.state)
    assert again.exit_code == 0


# --- Answers -----------------------------------------------------------------------------------


def body(text):
    return faults.answer(200, body=text)


def row(**fields):
    return faults.rewrite(
        lambda page: page | {"calls": [call | fields for call in page.get("calls", [])]}
    )


def raw(old, new):
    return lambda reply, _: replace(reply, body=reply.body.replace(old, new, 1))


def link(value):
    return faults.rewrite(lambda page: page | {"next_page_uri": value})


REFUSED = {
    "null": body("null"),
    "a number": body("3"),
    "an array": body("[]"),
    "no rows": body('{"x": 1}'),
    "rows that are an object": body('{"calls": {}}'),
    "rows of strings": body('{"calls": ["a"]}'),
    "a value too few": raw(b'"status":', b'"status":,"x":'),
    "a link that is a number": link(5),
    "a link that is none": link("::::"),
    "a link of another scheme": link("javascript:alert(1)"),
    "a link without a scheme": link("//evil.example.com/x"),
    "a link with a user": link("https://api.twilio.com@evil.example.com/x"),
    "a link with a bad port": link("https://api.twilio.com:99999/x"),
    "a link to half an IPv6 address": link("https://[::1/x"),
    "an error that is deep": faults.answer(400, body="[" * 100_000),
    "an error of another shape": faults.answer(400, body='{"code": "x", "message": {"a": 1}}'),
    "no content": faults.answer(204, body=""),
    "not modified": faults.answer(304, body=""),
    "an advice that is no number": faults.answer(503, headers={"Retry-After": "soon"}),
    "an advice that is not finite": faults.answer(503, headers={"Retry-After": "nan"}),
}
"""Answers that are none: the stream is given up, its bookmark held."""


@pytest.mark.parametrize("name", REFUSED)
def test_answers_that_are_none(read, twilio, name):
    output = read(REFUSED[name])

    assert output.exit_code == 1
    assert f"FAILED calls of {twilio.account_sid}" in output.log
    assert output.bookmark("calls", twilio.account_sid) is None


TAKEN = {
    "a state never heard of": (row(status="levitating"), "status", "levitating"),
    "a field never heard of": (row(brand_new={"a": [1]}), "brand_new", {"a": [1]}),
    "a key twice": (raw(b'"status":', b'"status":"first","status":'), "direction", ...),
    "a zero byte": (row(caller_name="a\0b"), "caller_name", "a\0b"),
    "a megabyte": (row(caller_name="x" * 1_000_000), "caller_name", "x" * 1_000_000),
    "a date that is a number": (row(start_time=5), "start_time", None),
    "a date that is a word": (row(start_time="soon"), "start_time", None),
    "a date that is a list": (row(start_time=[1]), "start_time", None),
    "the year 0": (row(start_time="0000-00-00T00:00:00Z"), "start_time", None),
    "a date past all numbers": (
        lambda reply, _: replace(
            reply,
            body=re.sub(rb'"start_time":("[^"]*"|null)', b'"start_time":1e400', reply.body),
        ),
        "start_time",
        None,
    ),
    "past the year 9999": (row(start_time="Fri, 31 Dec 9999 23:59:59 -1200"), "start_time", None),
    "a price in words": (row(price="lots"), "price", None),
    "a price that is not a number": (row(price="NaN"), "price", None),
    "a price without end": (row(price="-Infinity"), "price", None),
    "a price past all targets": (row(price="1e999999999"), "price", None),
    "a duration past all memory": (row(duration="1e999999999"), "duration", None),
    "a duration of many digits": (row(duration="9" * 5000), "duration", None),
    "half a second": (row(duration="0.5"), "duration", None),
    "an object for a string": (row(caller_name={"a": 1.50}), "caller_name", '{"a":1.5}'),
    "a list within lists": (
        row(caller_name=json.loads("[" * 200 + "]" * 200)),
        "caller_name",
        "[" * 200 + "]" * 200,
    ),
    "a string of JSON for an object": (
        row(subresource_uris='{"a": "/x", "b": 1.10}'),
        "subresource_uris",
        {"a": "/x", "b": 1.1},
    ),
    "a string for an object": (row(subresource_uris="/x"), "subresource_uris", None),
    "a number of many digits": (row(price=10**30), "price", 10**30),
    "a count of many digits": (row(duration=-(2**64)), "duration", -(2**64)),
    "many digits where nobody knows": (row(brand_new=10**30), "brand_new", 10**30),
}
"""Values of the wrong kind: the rows are read; what no type can hold is null, with a warning."""


@pytest.mark.parametrize("name", TAKEN)
def test_values_of_the_wrong_kind(read, name):
    effect, field, value = TAKEN[name]

    output = read(effect)

    assert output.exit_code == 0
    records = output.records("calls")
    assert len({record["sid"] for record in records}) == 25
    if value is not ...:
        assert all(record[field] == value for record in records)
    if value is None:
        assert output.log.count(f"field {field!r} had a value") == 1


def test_a_field_is_told_of_once_whatever_its_values_are(read):
    prices = itertools.cycle(("lots", [1], {}))

    def overprice(page):
        return page | {"calls": [call | {"price": next(prices)} for call in page["calls"]]}

    output = read(faults.rewrite(overprice))

    assert output.exit_code == 0
    assert output.log.count("field 'price' had a value") == 1


# --- Answers that are not quite JSON -------------------------------------------------------------


def value(field, literal):
    """Put anything in place of a field's value, in one row of each page."""
    pattern = re.compile(rb'"%s":(null|"[^"]*")' % field.encode())
    return lambda reply, _: replace(
        reply, body=pattern.sub(lambda _: b'"%s":%s' % (field.encode(), literal), reply.body, 1)
    )


ODD = {
    "half a surrogate": ("caller_name", rb'"a\ud83d b"', "a\ufffd b"),
    "the other half": ("caller_name", rb'"\ude00\ud83d\ude00"', "\ufffd\U0001f600"),
    "half a surrogate in UTF-8": ("caller_name", b'"\xed\xa0\x80"', "\ufffd" * 3),
    "invalid UTF-8": ("caller_name", b'"\xff\xc3\xa9"', "\ufffd\xe9"),
    "a character cut in two": ("caller_name", b'"\xe2\x82"', "\ufffd" * 2),
    "control characters": ("caller_name", b'"a\x00b\n\t"', "a\0b\n\t"),
    "a stroke that escapes nothing": ("caller_name", rb'"\x\u12\\"', r"\x\u12" + "\\"),
    "no number": ("queue_time", b"NaN", None),
    "no end": ("queue_time", b"-Infinity", None),
    "a zero in front": ("queue_time", b"012", None),
    "more digits than anything holds": ("queue_time", b"9" * 5000, None),
    "a larger exponent than anything holds": ("queue_time", b"1e99999999999999999999", None),
    "no number for a string": ("caller_name", b"NaN", None),
    "deep nesting": ("caller_name", b"[" * 10_000 + b"]" * 10_000, "[" * 497 + "null" + "]" * 497),
    "an odd value deeper in": (
        "caller_name",
        rb'{"a":["\ud83d",1.50,{"b":NaN}]}',
        '{"a":["\ufffd",1.50,{"b":null}]}',
    ),
    "an odd name deeper in": ("caller_name", b'{"\xff":1}', '{"\ufffd":1}'),
}
"""Values that aren't proper JSON, in bodies that came whole: the field, and what becomes of it."""


def asked_once(twilio):
    asked = [(one.account, one.path, tuple(one.query)) for one in twilio.requests]
    return len(asked) == len(set(asked)) > 0


def warnings(output):
    return [line for line in output.log.splitlines() if line.startswith("WARNING")]


@pytest.mark.parametrize("name", ODD)
def test_a_value_that_is_not_proper_json_costs_nothing_else(read, twilio, name):
    field, literal, kept = ODD[name]
    whole = {record["sid"]: record for record in read().records("calls")}
    twilio.requests.reset()

    output = read(value(field, literal))

    assert output.exit_code == 0
    records = {record["sid"]: record for record in output.records("calls")}
    assert records.keys() == whole.keys()
    odd = [sid for sid in whole if records[sid] != whole[sid]]
    assert odd
    for sid in odd:
        assert records[sid] == whole[sid] | {field: kept}
    (warning,) = warnings(output)
    assert f"calls: field {field!r} wasn't proper JSON" in warning
    assert asked_once(twilio)


def among(*others):
    """Put something else than rows before, between and behind the rows."""
    return faults.rewrite(
        lambda page: (
            page
            | {"calls": [one for call in page.get("calls", []) for one in (*others, call, *others)]}
        )
    )


WHOLE = {
    "a byte order mark": (faults.byte_order_mark(), "began with a byte order mark"),
    "nulls among the rows": (faults.null_rows(), "rows that are no objects are left out"),
    "others among the rows": (among("x", 5, [{}]), "rows that are no objects are left out"),
}
"""What isn't a row's own: nothing is changed."""


@pytest.mark.parametrize("name", WHOLE)
def test_no_row_is_lost_to_what_is_none(read, twilio, name):
    effect, sentence = WHOLE[name]
    whole = read().records("calls")
    twilio.requests.reset()

    output = read(effect)

    assert output.exit_code == 0
    assert output.records("calls") == whole
    (warning,) = warnings(output)
    assert sentence in warning
    assert asked_once(twilio)


def test_rows_that_are_none_are_counted(read):
    output = read(among(None, 5))

    assert output.counts("calls")[0] == 25
    assert re.search(r"calls: \d+ rows that are no objects", output.log)


@pytest.mark.parametrize("rows", [None, [], [None], [None, None]])
def test_no_rows_are_an_empty_list(read, twilio, rows):
    twilio.requests.reset()

    output = read(faults.rewrite(lambda page: page | {"calls": rows}))

    assert output.exit_code == 0
    assert output.records("calls") == []
    assert output.bookmark("calls", twilio.account_sid)
    assert asked_once(twilio)


@pytest.mark.parametrize("key", [None, "none", "meta", ["queues"], ...])
def test_rows_are_found_though_their_name_is_not_told(run, small, key):
    streams = ["taskrouter_task_queues", "taskrouter_workspaces"]
    whole = run(config_for(small), streams=streams)

    def rename(page):
        meta = {name: value for name, value in page["meta"].items() if name != "key"}
        return page | {"meta": meta if key is ... else meta | {"key": key}}

    small.plan(faults.rewrite(rename), "/Workspaces")
    small.requests.reset()
    try:
        output = run(config_for(small), streams=streams)
    finally:
        small.clear_plans()

    assert output.exit_code == 0
    assert output.records("taskrouter_task_queues")
    assert output.by_stream == whole.by_stream
    assert asked_once(small)


MISSHAPEN = {
    "HTML": faults.html(200),
    "a string": body('"please wait"'),
    "an array": body('[{"sid": "CA1"}]'),
    "another object": body('{"message": "please wait"}'),
    "rows of strings": body('{"calls": ["a"]}'),
    "something behind": lambda reply, _: replace(reply, body=reply.body + b"}"),
}


@pytest.mark.parametrize("name", MISSHAPEN)
def test_an_answer_of_another_shape_is_asked_for_twice(read, twilio, name):
    plan = twilio.plan(MISSHAPEN[name], "/Calls.json", query={"Status": "busy"})
    settings = {"filters": {"calls": {"status": "busy"}}, "start_date": "P1D"}

    output = read(**settings, max_retries=8)

    assert output.exit_code == 1
    assert plan.hits == 2
    assert f"/2010-04-01/Accounts/{twilio.account_sid}/Calls.json: the answer isn't" in output.log
    assert output.bookmark("calls", twilio.account_sid) is None


@pytest.mark.parametrize("keep", [0, 1, 0.3, 0.999])
def test_a_body_that_breaks_off_is_asked_for_again(read, twilio, keep):
    def cut(reply, _):
        return replace(reply, body=reply.body[: int(len(reply.body) * keep) - (keep == 1)])

    plan = twilio.plan(cut, "/Calls.json", times=4)

    output = read(max_retries=8)

    assert plan.hits == 4
    assert output.exit_code == 0
    assert len({record["sid"] for record in output.records("calls")}) == 25


def test_a_resource_of_another_shape_is_no_record(run, sandbox):
    twilio = sandbox(volumes={"calls": 5, "messages": 0}, subaccounts=0)
    twilio.plan(body('{"notice": "please wait"}'), "/Balance.json")

    output = run(config_for(twilio, max_retries=1), streams=["balance"])

    assert output.exit_code == 1
    assert output.records("balance") == []
    assert "none of the resource's fields" in output.log


def test_rows_without_their_key_are_left_out_and_counted(read):
    output = read(row(sid=None))

    assert output.exit_code == 0
    assert output.records("calls") == []
    assert output.counts("calls")[0] == 0
    assert "calls: 25 without a key left out" in output.log
