"""Keys tell all rows of all accounts and parents apart.

In the sandbox, the lists of two accounts and of all parents have the same texts, numbers and
codes, and the same SIDs of whatever is Twilio's own or can be attached to several parents.
"""

from __future__ import annotations

from collections import Counter

import pytest

from tests.harness import STREAMS_BY_NAME

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
