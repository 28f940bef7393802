"""Every stream of every product, read from beginning to end."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import Counter, defaultdict
from functools import cache
from operator import itemgetter
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from harness import (
    STREAMS_BY_NAME,
    catalog_of,
    config_for,
    schema_of,
    truth,
    typed,
    utc_now,
)
from sandbox import Sandbox
from tap_twilio.streams import STREAMS

FOLLOW_UPS = {
    "uri": {"PageToken"},
    "meta": {"PageToken"},
    "token": {"Token", "pageToken"},
    "page_number": {"Page"},
}
"""Parameters of the second page, by the paging form."""

MEGABYTE = 1024 * 1024


@pytest.fixture(scope="module")
def sent(recorded):
    """What Twilio sent for each stream, typed by hand, with the parents' SIDs: each row once."""
    rows = defaultdict(dict)
    for host, path, account, body in recorded.answers:
        stream, match = stream_at(host, path)
        schema = schema_of(stream)
        parents = match.groupdict()
        if stream.exported is not None:
            for row in recorded.twilio.exported(stream.exported, parents["day"], account):
                if row.get("error_code") == 0:
                    row["error_code"] = None
                one = typed(row | parents, schema["properties"])
                rows[stream.name][canonical(one)] = one
            continue
        if stream.parent_stream_type is not None:
            parents["account_sid"] = account
        key = schema["x-twilio"]["data_key"]
        for row in [body] if key is None else body[key]:
            whole = row | {k: v for k, v in parents.items() if row.get(k) is None}
            for secret in stream.secret_fields:
                whole.pop(secret, None)
            one = typed(whole, schema["properties"])
            rows[stream.name][canonical(one)] = one
    return rows


@cache
def stream_at(product, path):
    """The stream of an address: the one with the fewest placeholders that fits."""
    fits = [
        (stream.path.count("{"), stream, match)
        for stream in STREAMS
        if stream.product == product and (match := pattern_of(stream).fullmatch(path))
    ]
    _, stream, match = min(fits, key=itemgetter(0))
    return stream, match


@cache
def pattern_of(stream):
    return re.compile(re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(stream.path)))


def canonical(row):
    """A row as text, in which 48 and 48.0 are the same."""
    same = {name: float(value) if type(value) is int else value for name, value in row.items()}
    return json.dumps(same, sort_keys=True)


def as_sent(stream, record):
    added = {stream.position_field, *stream.promoted}
    return {name: value for name, value in record.items() if name not in added}


def test_all_are_read_to_the_end(recorded):
    output = recorded.output

    assert output.exit_code == 0, output.log[-3000:]
    assert "FAILED" not in output.log
    assert "is not in the schema" not in output.log


def test_each_endpoint_is_asked(recorded):
    asked = {stream_at(one.product, one.path)[0].name for one in recorded.twilio.requests}
    assert sorted(STREAMS_BY_NAME.keys() - asked) == []


def test_each_stream_has_records(recorded):
    records = recorded.output.by_stream
    assert [stream.name for stream in STREAMS if not records[stream.name]] == []


def test_every_record_fits_its_schema(recorded):
    checker = FormatChecker()
    for name, records in recorded.output.by_stream.items():
        schema = recorded.output.schemas[name]["schema"]
        validator = Draft202012Validator(schema, format_checker=checker)
        for record in records:
            error = next(validator.iter_errors(record), None)
            assert error is None, f"{name}: {error.message} at {error.json_path}"


def test_no_field_is_lost_or_changed(recorded, sent):
    for name, records in recorded.output.by_stream.items():
        stream = STREAMS_BY_NAME[name]
        for record in records:
            row = as_sent(stream, record)
            assert canonical(row) in sent[name], f"{name}: {row}"


def test_no_row_that_was_sent_is_lost(recorded, sent):
    for stream in STREAMS:
        keys = [key for key in stream.primary_keys if key != stream.position_field]
        got = {
            tuple(record[key] for key in keys) for record in recorded.output.records(stream.name)
        }
        for row in sent[stream.name].values():
            for promoted, path in stream.promoted.items():
                outer, inner = path.split(".")
                row[promoted] = row[outer][inner]
            assert tuple(row[key] for key in keys) in got, f"{stream.name}: {row}"


def test_no_row_is_left_unasked(recorded):
    unknown = []
    for stream in STREAMS:
        if stream.parent_stream_type is None or "/Usage/Records" in stream.path:
            continue  # usage is computed for a query
        parents = recorded.output.records(stream.parent_stream_type.name)
        without = {
            parent[stream.parent_field] for parent in parents if not stream.exists_for(parent)
        }
        above = re.findall(r"\{(\w+)\}", stream.path)[-1:]
        want = Counter(
            account_and_key(stream, row)
            for row in truth(recorded.twilio, stream)
            if not (above and row[above[0]] in without)
        )
        got = Counter(
            account_and_key(stream, record) for record in recorded.output.records(stream.name)
        )
        if not want:
            unknown.append(stream.name)
        else:
            assert got == want, stream.name
    # Whose parents the sandbox finds by the path alone, as these are not; files are no lists.
    assert set(unknown) == {
        *(stream.name for stream in STREAMS if stream.exported is not None),
        "events_schema_versions",
        "numbers_port_in_request_details",
        "routes_phone_numbers",
        "routes_sip_domains",
        "routes_trunks",
    }


def account_and_key(stream, row):
    keys = [
        k for k in stream.primary_keys if k != stream.position_field and k not in stream.promoted
    ]
    promoted = [path.split(".") for name, path in stream.promoted.items() if name == "period_start"]
    return (
        row["account_sid"],
        *(row[key] for key in keys),
        *(row[outer][inner] for outer, inner in promoted),
    )


@pytest.mark.parametrize("form", FOLLOW_UPS)
def test_each_paging_form_is_followed(recorded, form):
    followed = {
        stream_at(request.product, request.path)[0].name
        for request in recorded.twilio.requests
        if FOLLOW_UPS[form] & {name for name, value in request.query if value != "0"}
    }
    paging = {name: schema_of(STREAMS_BY_NAME[name])["x-twilio"]["paging"] for name in followed}
    assert form in paging.values()


def test_every_request_goes_to_its_product_with_credentials(recorded):
    products = {stream.product for stream in STREAMS}

    assert {request.product for request in recorded.twilio.requests} <= products
    assert all(request.authorized for request in recorded.twilio.requests)


def test_nothing_is_ever_written(recorded):
    assert recorded.twilio.requests.methods.keys() == {"GET"}


def test_no_connection_goes_anywhere_else(recorded):
    ports = int(recorded.twilio.base_url.rpartition(":")[2]), recorded.twilio.storage.port
    assert recorded.addresses == {("127.0.0.1", port) for port in ports}


def test_no_credentials_go_to_where_files_lie(recorded):
    fetches = recorded.twilio.storage.fetches
    assert len(fetches) > 4 * 2
    assert {one.status for one in fetches} == {200}
    assert not [one for one in fetches if {"Authorization", "Cookie"} & one.headers.keys()]


def test_names_paths_and_keys_are_declared_once():
    names = Counter(stream.name for stream in STREAMS)
    addresses = Counter(stream.address() for stream in STREAMS)

    assert [name for name, count in names.items() if count > 1] == []
    assert [address for address, count in addresses.items() if count > 1] == []
    assert all(stream.__doc__ for stream in STREAMS)


MEASURED = """
import pathlib, re, sys
from tap_twilio.tap import TapTwilio
sys.argv[0] = "tap-twilio"
try:
    TapTwilio.cli()
finally:
    # What getrusage tells starts from the process that started this one.
    status = pathlib.Path("/proc/self/status").read_text()
    print(re.search(r"VmHWM:\\s+(\\d+)", status)[1], file=sys.stderr)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="asks Linux for the peak")
def test_memory_does_not_grow_with_what_is_read(tmp_path):
    volumes = {"calls": 20, "messages": 20, "alerts": 20, "monitor_events": 100_000}
    with Sandbox(now=utc_now(), days=20, subaccounts=0, volumes=volumes) as twilio:
        files = {
            "config": config_for(twilio, start_date="P30D"),
            "catalog": catalog_of(["calls", "messages", "alerts", "monitor_events"]),
        }
        for name, content in files.items():
            (tmp_path / f"{name}.json").write_text(json.dumps(content))
        options = [f"--{name}={tmp_path / name}.json" for name in files]
        with (tmp_path / "output").open("w") as output:
            done = subprocess.run(
                [sys.executable, "-c", MEASURED, *options],
                stdout=output,
                stderr=subprocess.PIPE,
                text=True,
                check=False,
            )
    assert done.returncode == 0, done.stderr[-2000:]
    # As objects, these rows would take several times as much.
    assert (tmp_path / "output").stat().st_size > 50 * MEGABYTE
    assert int(done.stderr.split()[-1]) * 1024 < 200 * MEGABYTE
