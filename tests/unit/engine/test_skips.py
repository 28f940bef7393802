"""What may be read, as far as a run has found out."""

from __future__ import annotations

import pytest

from tests.unit.taps import ACCOUNT, SUBACCOUNT, make_engine, refuse


def test_what_was_refused_or_shut_may_not_be_read():
    engine = make_engine("call_recordings", "messages")
    skips, recordings, messages = engine.skips, engine.node, engine.nodes["messages"]

    assert skips.may_read(recordings, ACCOUNT)
    skips.skip(recordings, ACCOUNT, "refused")
    assert not skips.may_read(recordings, ACCOUNT)
    assert skips.may_read(recordings, SUBACCOUNT)
    assert skips.may_read(messages, ACCOUNT)
    skips.shut_out(SUBACCOUNT, "closed")
    assert [skips.may_read(messages, one) for one in (ACCOUNT, SUBACCOUNT)] == [True, False]
    assert engine.run.progress.skipped == {("call_recordings", ACCOUNT): "refused"}


def test_what_nobody_signs_for_may_not_be_read_and_is_told():
    engine = make_engine("studio_flows")

    assert engine.skips.may_read(engine.node, ACCOUNT)
    assert not engine.skips.may_read(engine.node, SUBACCOUNT)
    assert list(engine.run.progress.skipped) == [("studio_flows", SUBACCOUNT)]


@pytest.mark.parametrize(
    ("refused", "is_open"),
    [
        ("studio_flows", False),
        ("studio_executions", False),
        ("studio_execution_steps", False),
        ("calls", True),
    ],
)
def test_a_stream_is_open_as_long_as_all_above_it_are(refused, is_open):
    engine = make_engine("studio_execution_steps", "calls")
    refuse(engine, refused)

    assert engine.skips.is_open(engine.node, ACCOUNT) is is_open


@pytest.mark.parametrize("name", ["accounts", "calls", "call_recordings"])
def test_in_the_2010_api_the_configured_account_signs_for_others(name):
    engine = make_engine("call_recordings")
    node = engine.nodes[name]

    assert engine.skips.signature(node, SUBACCOUNT) is engine.settings.signature
    assert engine.skips.is_open(node, SUBACCOUNT)
    assert engine.run.progress.skipped == {}


@pytest.mark.parametrize(("region", "may"), [(None, True), ("us1", True), ("ie1", False)])
def test_what_one_region_has_is_not_asked_for_in_others(region, may):
    engine = make_engine("bulkexports_messages", region=region)

    assert engine.skips.is_open(engine.node, ACCOUNT) is may
    assert bool(engine.run.progress.skipped) is not may
    reasons = engine.run.progress.skipped.values()
    assert all("in region us1 only, not in ie1" in reason for reason in reasons)
