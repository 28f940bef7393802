"""Keys tell all rows of all accounts and parents apart.

In the sandbox, the lists of two accounts and of all parents have the same texts, numbers and
codes, and the same SIDs of whatever is Twilio's own or can be attached to several parents.
"""

from __future__ import annotations

import json
from collections import Counter

import pytest

from harness import STREAMS_BY_NAME, config_for, select, wire_path
from sandbox import faults

QUEUES = wire_path(STREAMS_BY_NAME["queues"])

FEW = {
    "insights_call_summaries",  # the sandbox takes ProcessingState=all for a state
    "routes_sip_domains",  # not every domain has a route
}
"""Streams that may lack rows of one of the accounts."""


def placeholders(stream):
    return {"account_sid", *(part.split("}")[0] for part in stream.path.split("{")[1:])}


def children():
    return [name for name, stream in STREAMS_BY_NAME.items() if stream.parent_stream_type]


def test_both_accounts_have_rows_of_every_stream(everything):
    twilio, output = everything
    accounts = {account.sid for account in twilio.accounts}
    lacking = {
        name
        for name in children()
        if {record["account_sid"] for record in output.records(name)} != accounts
    }

    assert lacking <= FEW


def test_streams_below_parents_have_rows_of_several(everything):
    _, output = everything
    for name, records in output.by_stream.items():
        for field in placeholders(STREAMS_BY_NAME[name]) - {"account_sid"}:
            if STREAMS_BY_NAME[name].parent_stream_type and name not in FEW:
                assert len({record[field] for record in records}) > 1, f"{name}.{field}"


def test_keys_are_unique_over_accounts_and_parents(everything):
    _, output = everything
    for name, records in output.by_stream.items():
        keys = STREAMS_BY_NAME[name].primary_keys
        found = Counter(tuple(record[key] for key in keys) for record in records)
        repeated = [key for key, count in found.items() if count > 1]
        assert not keys or not repeated, f"{name} {keys}: {repeated[:3]}"


def test_keys_are_never_null(everything):
    _, output = everything
    for name, records in output.by_stream.items():
        for key in STREAMS_BY_NAME[name].primary_keys:
            assert None not in {record[key] for record in records}, f"{name}.{key}"


def test_every_record_carries_its_parents(everything):
    _, output = everything
    for name in children():
        for record in output.records(name):
            missing = [key for key in placeholders(STREAMS_BY_NAME[name]) if not record.get(key)]
            assert not missing, f"{name} lacks {missing}"


@pytest.mark.parametrize(
    ("name", "parent"),
    [
        ("numbers_regulations", "account_sid"),
        ("trusthub_policies", "account_sid"),
        ("marketplace_available_add_ons", "account_sid"),
        ("verify_templates", "account_sid"),
        ("intelligence_operators", "account_sid"),
        ("trunking_credential_lists", "trunk_sid"),
        ("sip_credential_list_mappings", "domain_sid"),
        ("messaging_phone_numbers", "service_sid"),
        ("supersim_network_access_profile_networks", "network_access_profile_sid"),
    ],
)
def test_a_sid_alone_is_not_always_a_key(everything, name, parent):
    _, output = everything
    parents = {}
    for record in output.records(name):
        parents.setdefault(record["sid"], set()).add(record[parent])

    assert max(map(len, parents.values())) > 1
    assert parent in STREAMS_BY_NAME[name].primary_keys


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("pricing_voice_countries", "iso_country"),
        ("voice_dialing_permissions_countries", "iso_code"),
        ("available_phone_number_countries", "country_code"),
        ("available_phone_numbers_local", "phone_number"),
        ("events_types", "type"),
    ],
)
def test_what_is_twilios_own_is_each_accounts(everything, name, code):
    _, output = everything
    accounts = {}
    for record in output.records(name):
        accounts.setdefault(record[code], set()).add(record["account_sid"])

    assert max(map(len, accounts.values())) > 1
    assert "account_sid" in STREAMS_BY_NAME[name].primary_keys


# --- Rows without a key --------------------------------------------------------------------------


def types_of(schema):
    kinds = schema.get("type", ["null"])
    return {kinds} if isinstance(kinds, str) else set(kinds)


def test_no_key_may_be_null_and_stand_ins_fit():
    names = {str: "string", int: "integer"}
    for name, stream in STREAMS_BY_NAME.items():
        properties = stream.load()[0]["properties"]
        for key in stream.primary_keys:
            kinds = types_of(properties[key])
            assert len(kinds) == 1, f"{name}.{key}: {kinds}"
            assert "null" not in kinds, f"{name}.{key}"
        for key, value in stream.stand_ins.items():
            assert key in stream.primary_keys, f"{name}.{key}"
            assert types_of(properties[key]) == {names[type(value)]}, f"{name}.{key}"
            assert "format" not in properties[key], f"{name}.{key}"


@pytest.fixture
def twilio(sandbox):
    return sandbox(volumes={"calls": 60, "messages": 0}, subaccounts=0)


def changed(twilio, name, change):
    """Have Twilio change the rows of a list."""
    paths = {"calls": "/Calls.json", "queues": "/Queues.json", "accounts": "/Accounts.json"}
    path = paths.get(name, "/v1/Services")
    twilio.plan(
        faults.rewrite(
            lambda page: (
                page | {name: [change(dict(row)) for row in page[name]]} if name in page else page
            )
        ),
        path,
    )


def without(row, field):
    return {name: value for name, value in row.items() if name != field}


def keyless(row, how):
    return without(row, "sid") if how == "absent" else row | {"sid": None}


@pytest.mark.parametrize("how", ["null", "absent"])
def test_a_row_without_a_key_stays_behind_and_is_counted(run, twilio, how):
    whole = {row["sid"] for row in run(config_for(twilio), streams=["calls"]).records("calls")}
    odd = sorted(whole)[:7]
    changed(twilio, "calls", lambda row: keyless(row, how) if row["sid"] in odd else row)

    output = run(config_for(twilio, page_size=10), streams=["calls"])

    assert output.exit_code == 0
    assert {row["sid"] for row in output.records("calls")} == whole - set(odd)
    assert len(output.records("calls")) == 53
    assert output.log.count("rows without a whole key (sid) are left out") == 1
    assert output.counts("calls")[0] == 53
    assert output.log.count("7 without a key left out") == 1
    assert not any(sid in output.log for sid in odd)
    assert output.bookmark("calls", twilio.account_sid)


def test_nothing_is_said_where_all_have_keys(run, twilio):
    output = run(config_for(twilio), streams=["calls"])

    assert "without a key" not in output.log


def test_pages_that_have_no_keys_at_all_are_not_taken_for_one_page(run, twilio):
    changed(twilio, "queues", lambda row: row | {"sid": None})
    count = len(twilio.truth("api", QUEUES))

    output = run(config_for(twilio, page_size=1), streams=["queues"])

    assert count > 2
    assert output.exit_code == 0
    assert output.counts("queues") == (0, count)
    assert f"queues: {count} without a key left out" in output.log


def test_a_list_of_such_rows_that_leads_in_a_circle_is_still_an_error(run, twilio):
    first = {}

    def circle(page):
        first.setdefault("page", page | {"queues": [page["queues"][0] | {"sid": None}]})
        return first["page"] | {"next_page_uri": page["next_page_uri"]}

    twilio.plan(faults.rewrite(circle), "/Queues.json")

    output = run(config_for(twilio, page_size=1), streams=["queues"])

    assert output.exit_code == 1
    assert "a page came twice in one list" in output.log


PARENT = {
    "name": "senders",
    "product": "messaging",
    "path": "/v1/Services",
    "key": ["friendly_name"],
    "page_size": 1,
    "schema": {"properties": {"sid": {"type": "string"}, "friendly_name": {"type": "string"}}},
}
CHILD = {
    "name": "numbers",
    "product": "messaging",
    "path": "/v1/Services/{service_sid}/PhoneNumbers",
    "parent": "senders",
    "schema": {"properties": {"sid": {"type": "string"}, "service_sid": {"type": "string"}}},
}


def senders_and_numbers(run, twilio):
    config = config_for(twilio, custom_streams=[PARENT, CHILD])
    path = run.folder / "discover.json"
    path.write_text(json.dumps(config))
    catalog = run.raw("--config", str(path), "--discover").messages[0]
    return run(config, catalog=select(catalog, ["senders", "numbers"]))


@pytest.mark.parametrize("breaks", [False, True])
def test_what_hangs_below_a_row_without_a_key_is_read_once(run, twilio, breaks):
    before = senders_and_numbers(run, twilio)
    senders = [row["sid"] for row in before.records("senders")]
    odd = senders[:3]
    assert {row["service_sid"] for row in before.records("numbers")} >= set(odd)
    changed(
        twilio,
        "services",
        lambda row: row | {"friendly_name": None} if row["sid"] in odd else row,
    )
    if breaks:
        twilio.plan(faults.answer(404, 20404), "/v1/Services", query={"Page": "2"}, times=1)

    output = senders_and_numbers(run, twilio)

    assert output.exit_code == 0
    assert [row["sid"] for row in output.records("senders")] == senders[3:]
    assert output.records("numbers") == before.records("numbers")
    assert "3 without a key left out" in output.log
    assert ("is read again from its start" in output.log) == breaks


def test_rows_without_key_and_date_are_counted_once_however_many_windows_have_them(run, twilio):
    changed(twilio, "calls", lambda row: row | {"sid": None, "start_time": None})

    output = run(config_for(twilio, page_size=10), streams=["calls"])

    assert output.exit_code == 0
    assert output.counts("calls")[0] == 0
    assert "calls: 60 without a key left out" in output.log


def test_a_stand_in_takes_the_place_of_what_twilio_leaves_empty(run, twilio, monkeypatch):
    monkeypatch.setattr(STREAMS_BY_NAME["queues"], "primary_keys", ("sid", "friendly_name"))
    monkeypatch.setattr(STREAMS_BY_NAME["queues"], "stand_ins", {"friendly_name": "none"})
    names = {row["sid"]: row["friendly_name"] for row in twilio.truth("api", QUEUES)}
    before = run(config_for(twilio, page_size=1), streams=["queues"]).records("queues")
    whole, null, absent, keyless = [row["sid"] for row in before][:4]

    def change(row):
        if row["sid"] in {null, keyless}:
            row["friendly_name"] = None
        if row["sid"] == keyless:
            row["sid"] = None
        return without(row, "friendly_name") if row["sid"] == absent else row

    changed(twilio, "queues", change)

    output = run(config_for(twilio, page_size=1), streams=["queues"])

    assert output.exit_code == 0
    expected = names | {null: "none", absent: "none"}
    assert expected.pop(keyless)
    assert {row["sid"]: row["friendly_name"] for row in output.records("queues")} == expected
    assert expected[whole] == names[whole] != "none"
    assert "1 without a key left out" in output.log


@pytest.mark.parametrize("how", ["null", "absent"])
def test_an_account_without_a_sid_is_none_to_read(run, sandbox, how):
    twilio = sandbox(volumes={"calls": 5, "messages": 0}, subaccounts=2)
    main, odd, other = (account.sid for account in twilio.accounts)
    changed(twilio, "accounts", lambda row: keyless(row, how) if row["sid"] == odd else row)

    output = run(config_for(twilio), streams=["accounts", "calls"])

    assert output.exit_code == 0
    assert {row["sid"] for row in output.records("accounts")} == {main, other}
    assert {row["account_sid"] for row in output.records("calls")} == {main, other}
    assert output.counts("accounts") == (2, 1)
    assert "accounts: 1 without a key left out" in output.log


@pytest.mark.parametrize(
    ("name", "path", "field"),
    [
        ("bulkexports_days", "/Days", "day"),
        ("insights_call_metrics", "/Metrics", "timestamp"),
    ],
)
def test_a_key_is_what_twilio_sends_whatever_its_form(run, sandbox, name, path, field):
    twilio = sandbox(volumes={"calls": 10, "messages": 0}, subaccounts=0)
    sent = iter(range(10**6))

    def change(page):
        (rows,) = (value for value in page.values() if isinstance(value, list))
        for row in rows:
            row[field] = f"the {next(sent)}th"
        return page

    twilio.plan(faults.rewrite(change), path)

    output = run(config_for(twilio), streams=[name])

    assert output.exit_code == 0
    assert len(output.records(name)) > 1
    assert all(row[field].startswith("the ") for row in output.records(name))
