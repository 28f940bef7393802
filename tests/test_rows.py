"""Rows that are alike: decoded faster, and to the same records as any others."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest

from sandbox import faults
from sandbox.paths import CALLS
from tap_twilio import pagination
from tap_twilio.records import Converter
from tap_twilio.rows import LEAST_ROWS, PATIENCE, Alike, Row, column, lacking
from tests.harness import assert_complete, config_for, select

SCHEMA = {
    "properties": {
        "sid": {"type": ["string", "null"]},
        "sent": {"type": ["string", "null"], "format": "date-time"},
        "price": {"type": ["number", "null"]},
        "live": {"type": ["boolean", "null"]},
        "links": {"type": ["object", "null"]},
        "tags": {"type": ["array", "null"]},
        "prices": {
            "type": ["array", "null"],
            "items": {
                "type": ["object", "null"],
                "properties": {"base": {"type": ["number", "null"]}},
            },
        },
        "from": {"type": ["string", "null"]},
        "account_sid": {"type": ["string", "null"]},
    }
}
PARENTS = {"account_sid": "AC1"}
ROW = {
    "sid": "X",
    "sent": "Fri, 24 May 2019 17:44:46 +0000",
    "price": "-0.00750",
    "live": True,
    "links": {"a": [1.10, None]},
    "tags": ["x", 2],
    "prices": [{"base": "0.0100", "note": 1.50}, None],
    "from": "+1555",
    "anything": 1.50,
}


def raw(*rows):
    return msgspec.Raw(msgspec.json.encode(rows))


def alike(row=ROW, number=LEAST_ROWS, parents=PARENTS):
    one = Alike(Converter(SCHEMA))
    one.learn([dict(row) for _ in range(number)], parents)
    return one


def as_dicts(page):
    return [msgspec.structs.asdict(row) for row in page]


def test_a_record_is_what_it_would_be_as_a_dict():
    rows = [ROW, ROW | {"price": None, "sent": None, "links": None, "from": ""}]
    expected = pagination.decode(raw(*rows))
    Converter(SCHEMA).convert(expected, PARENTS)

    page = alike().decode(raw(*rows), PARENTS)

    assert as_dicts(page) == expected
    assert [list(row) for row in as_dicts(page)] == [list(row) for row in expected]
    assert page[0].get("price") == Decimal("-0.00750")
    assert page[0].get("prices")[0]["base"] == Decimal("0.0100")
    assert page[0].get("anything") == Decimal("1.5")
    assert page[0].get("nothing") is None


def test_parents_are_added_where_a_row_lacks_them():
    row = ROW | {"account_sid": None}

    page = alike(row).decode(raw(row, row | {"account_sid": "AC9"}), PARENTS)

    assert [record.get("account_sid") for record in page] == ["AC1", "AC9"]


@pytest.mark.parametrize(
    "odd",
    [
        ROW | {"new": 1},
        {name: value for name, value in ROW.items() if name != "price"},
        ROW | {"sid": 5},
        ROW | {"live": "true"},
        ROW | {"links": ""},
        ROW | {"tags": {}},
        ROW | {"prices": {}},
        ROW | {"sent": "soon"},
        ROW | {"sent": [1]},
        ROW | {"sent": "Fri, 24 May 2019 17:44:46 -0700"},
        ROW | {"price": "free"},
        ROW | {"price": {}},
        ["no", "object"],
        None,
    ],
)
def test_a_page_with_any_other_row_is_left_to_dicts(odd):
    one = alike()

    assert one.decode(raw(ROW, odd), PARENTS) is None
    assert len(one.decode(raw(ROW, ROW), PARENTS)) == 2


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [ROW] * (LEAST_ROWS - 1),
        [ROW, *[ROW | {"more": 1}] * LEAST_ROWS],
        [ROW | {"get": 1}] * LEAST_ROWS,
        [ROW | {"Date-Sent": 1}] * LEAST_ROWS,
    ],
)
def test_nothing_is_learnt_from_few_rows_or_strange_ones(rows):
    one = Alike(Converter(SCHEMA))
    one.learn(rows, PARENTS)

    assert one.decode(raw(*rows), PARENTS) is None


def test_pages_that_never_fit_are_tried_no_more():
    one, odd = alike(), raw(ROW | {"new": 1})
    for _ in range(PATIENCE - 1):
        one.decode(odd, PARENTS)
    assert one.decode(raw(ROW), PARENTS) is not None

    for _ in range(PATIENCE):
        one.decode(odd, PARENTS)
    assert one.decode(raw(ROW), PARENTS) is None


def test_a_column_is_that_of_either_kind_of_record():
    page = alike().decode(raw(ROW, ROW | {"sid": "Y"}), PARENTS)

    assert list(column(page, "sid")) == list(column(as_dicts(page), "sid")) == ["X", "Y"]
    assert list(column(page, "nothing")) == list(column(as_dicts(page), "nothing")) == [None] * 2
    assert list(column([], "sid")) == []


def test_records_that_lack_a_field():
    rows = [ROW, ROW | {"sid": None}, ROW | {"sid": "", "price": None}, ROW | {"price": "0"}]
    page = alike().decode(raw(*rows), PARENTS)

    for records in (page, as_dicts(page)):
        assert lacking(records, ["sid"]) == [1]
        assert lacking(records, ["price", "sid"]) == [1, 2]
        assert lacking(records, ["nothing"]) == [0, 1, 2, 3]
        assert lacking(records, []) == []
    assert lacking([{}, {"sid": "X"}], ["sid"]) == [0]
    assert lacking([], ["sid"]) == []


# --- Through the front door --------------------------------------------------------------------


@pytest.fixture
def decoded(monkeypatch):
    """Whether each page that was tried after the first came as structs."""
    found = []

    def decode(self, rows, added):
        page = as_before(self, rows, added)
        if self._decoder is not None:
            found.append(bool(page) and all(isinstance(row, Row) for row in page))
        return page

    as_before = Alike.decode
    monkeypatch.setattr(Alike, "decode", decode)
    monkeypatch.setattr("tap_twilio.rows.LEAST_ROWS", 1)
    return found


def test_what_goes_out_is_the_same(run, sandbox, decoded, monkeypatch):
    twilio = sandbox(volumes={"calls": 300, "messages": 300}, subaccounts=1)
    config = config_for(twilio, page_size=20)
    streams = ["calls", "messages", "message_media"]

    output = run(config, streams=streams)
    assert sum(decoded) > 10
    assert_complete(output, twilio, *streams)
    decoded.clear()
    monkeypatch.setattr("tap_twilio.rows.LEAST_ROWS", 10**6)
    plainly = run(config, streams=streams)

    assert decoded == []
    for name in streams:
        assert output.records(name) == plainly.records(name)
        assert list(map(list, output.records(name))) == list(map(list, plainly.records(name)))


LATER = {
    "a field never heard of": ("brand_new", {"a": [1]}, {"a": [1]}, "is not in the schema"),
    "an object for a string": ("caller_name", {"a": 1}, '{"a":1}', ""),
    "a string for an object": ("subresource_uris", "x", None, "'subresource_uris' had a value"),
    "a date that is a word": ("end_time", "soon", None, "'end_time' had a value"),
    "another offset": ("end_time", "Fri, 24 May 2019 17:44:46 -0700", "2019-05-25T00:44:46Z", ""),
}


@pytest.mark.parametrize("name", LATER)
def test_odd_rows_behind_others(run, sandbox, decoded, name):
    field, sent, kept, sentence = LATER[name]
    twilio = sandbox(volumes={"calls": 120, "messages": 0}, subaccounts=0)
    sid = twilio.truth("api", CALLS)[0]["sid"]
    twilio.plan(
        faults.rewrite(
            lambda page: (
                page
                | {
                    "calls": [
                        call | {field: sent} if call["sid"] == sid else call
                        for call in page.get("calls", [])
                    ]
                }
            )
        ),
        "/Calls.json",
    )

    output = run(config_for(twilio, page_size=10), streams=["calls"])

    assert output.exit_code == 0
    assert True in decoded
    assert False in decoded
    records = {record["sid"]: record for record in output.records("calls")}
    assert len(records) == len(output.records("calls")) == 120
    assert records[sid][field] == kept
    assert sentence in output.log


CHANGED = {
    "masked": {"pii": "hash", "pii_key": "k" * 32},
    "mapped": {"stream_maps": {"calls": {"x": "sid"}}},
    "flattened": {"flattening_enabled": True, "flattening_max_depth": 1},
    "selected": {},
}


@pytest.mark.parametrize("name", CHANGED)
def test_what_changes_records_gets_dicts(run, sandbox, decoded, name):
    twilio = sandbox(volumes={"calls": 60, "messages": 0}, subaccounts=0)
    catalog = select(run.discover(), ["calls"])
    if name == "selected":
        (calls,) = (entry for entry in catalog["streams"] if entry["tap_stream_id"] == "calls")
        for entry in calls["metadata"]:
            if entry["breadcrumb"] == ["properties", "caller_name"]:
                entry["metadata"]["selected"] = False

    output = run(config_for(twilio, page_size=5, **CHANGED[name]), catalog=catalog)

    assert output.exit_code == 0
    assert len({record["sid"] for record in output.records("calls")}) == 60
    assert ("caller_name" in output.records("calls")[0]) == (name != "selected")
    assert decoded == []
