"""Nodes: those above and below, and which of them are read by windows or leave rows out."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tap_twilio.resource.resource import Node, Warner
from tap_twilio.resource.windows import DateFilter
from tap_twilio.streams.api import CallRecordings
from tests.unit.taps import make_engine, make_tap, nodes_of, resource_of


class DatedRecordings(CallRecordings):
    """Recordings of a call, were they read by windows."""

    replication_key = "date_created"
    window = DateFilter("DateCreated")


def names(nodes):
    return sorted(node.name for node in nodes)


# --- Parents and children ------------------------------------------------------------------------


def test_children_are_those_selected_or_with_selected_ones_below():
    nodes = make_engine(
        "studio_execution_steps",
        "studio_flow_revisions",
        unselected=["studio_test_users", "studio_execution_context"],
    ).nodes
    flows = nodes["studio_flows"]

    assert names(flows.children) == ["studio_executions", "studio_flow_revisions"]
    assert names(flows.descendants) == [
        "studio_execution_steps",
        "studio_executions",
        "studio_flow_revisions",
    ]
    assert names(flows.branch) == ["studio_execution_steps", "studio_flow_revisions"]
    assert [flows.height, nodes["studio_executions"].height] == [2, 1]
    assert nodes["studio_flow_revisions"].height == 0


def test_a_lineage_is_the_node_and_its_parent_first():
    node = make_engine("studio_execution_steps").node

    assert [one.name for one in node.lineage] == [
        "studio_execution_steps",
        "studio_executions",
        "studio_flows",
        "accounts",
    ]
    assert node.lineage[-1].lineage == [node.lineage[-1]]


@pytest.mark.parametrize(
    ("name", "placeholder", "is_accounts_own"),
    [
        ("calls", "account_sid", True),
        ("studio_flows", "account_sid", True),
        ("studio_executions", "flow_sid", False),
        ("call_recordings", "call_sid", False),
        ("bulkexports_days", "account_sid", False),
    ],
)
def test_the_last_placeholder_is_what_the_parent_gives(name, placeholder, is_accounts_own):
    node = make_engine(name).node

    assert node.placeholder == placeholder
    assert node.is_accounts_own is is_accounts_own


def test_the_list_of_accounts_is_no_accounts_own():
    assert Node(resource_of("accounts")).is_accounts_own is False


def test_there_is_a_read_for_each_combination_of_path_values():
    values = {"kind": ("a", "b"), "size": ("s", "l")}

    assert Node(resource_of("queues")).variants == [{}]
    assert Node(replace(resource_of("queues"), path_values=values)).variants == [
        {"kind": kind, "size": size} for kind, size in itertools.product("ab", "sl")
    ]


# --- Which nodes have bookmarks ------------------------------------------------------------------


def test_a_stream_with_a_date_filter_is_incremental():
    found = {
        name: make_engine(name).node.is_incremental
        for name in ("calls", "usage_records_daily", "queues", "usage_records", "call_recordings")
    }

    assert [name for name, is_so in found.items() if is_so] == ["calls", "usage_records_daily"]


def test_no_catalog_makes_a_stream_without_date_filter_incremental():
    tap = make_tap("queues")
    tap.streams["queues"].forced_replication_method = "INCREMENTAL"
    node = nodes_of(tap)["queues"]

    assert node.goes_by_dates
    assert not node.is_incremental


def test_below_a_stream_that_is_incremental_no_other_is():
    tap = make_tap(DatedRecordings)
    assert not nodes_of(tap)["call_recordings"].is_incremental

    tap = make_tap(DatedRecordings)
    tap.streams["calls"].forced_replication_method = "FULL_TABLE"
    assert nodes_of(tap)["call_recordings"].is_incremental


@pytest.mark.parametrize(
    ("name", "config", "skips"),
    [
        ("queues", {"skip_unchanged": True}, True),
        ("queues", {}, False),
        ("conferences", {"skip_unchanged": True}, False),
        ("call_recordings", {"skip_unchanged": True}, False),
        ("balance", {"skip_unchanged": True}, False),
        ("studio_flows", {"skip_unchanged": True}, True),
    ],
)
def test_only_an_accounts_own_list_that_tells_changes_leaves_out_unchanged_rows(
    name, config, skips
):
    assert make_engine(name, **config).node.skips_unchanged is skips


@pytest.mark.parametrize(
    ("name", "config", "skips"),
    [
        ("calls", {"skip_unchanged": True}, True),
        ("calls", {}, False),
        ("usage_records_daily", {"skip_unchanged": True}, True),
        ("queues", {"skip_unchanged": True}, False),
        ("call_recordings", {"skip_unchanged": True}, False),
        ("studio_executions", {"skip_unchanged": True}, False),
    ],
)
def test_only_an_accounts_own_list_that_is_read_by_windows_leaves_out_what_was_written(
    name, config, skips
):
    assert make_engine(name, **config).node.skips_written is skips


def test_a_list_that_is_not_selected_leaves_nothing_out():
    nodes = make_engine("queue_members", skip_unchanged=True).nodes

    assert nodes["queues"].may_skip
    assert not nodes["queues"].skips_unchanged


def test_a_field_that_is_no_moment_tells_no_changes():
    def skips(field):
        schema = {"properties": {"date_updated": field}}
        resource, parent = resource_of("queues"), Node(resource_of("accounts"))
        return Node(
            replace(resource, schema=schema), parent, is_selected=True, may_skip=True
        ).skips_unchanged

    assert skips({"type": "string", "format": "date-time"})
    assert not skips({"type": "string"})


# --- What is told --------------------------------------------------------------------------------


@settings(max_examples=20)
@given(messages=st.lists(st.sampled_from("abc"), max_size=12))
def test_a_warning_comes_once(messages):
    warn_once = Warner("queues")
    told = []

    def note(record):
        told.append(record.getMessage())

    warn_once.logger.addFilter(note)
    try:
        for message in messages:
            warn_once(message)
    finally:
        warn_once.logger.removeFilter(note)

    assert told == [f"queues: {message}" for message in dict.fromkeys(messages)]
