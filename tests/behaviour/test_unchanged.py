"""With ``skip_unchanged``, a look-back is read again, and only what changed is written again."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from harness import STREAMS_BY_NAME, config_for, keyed, truth
from tap_twilio.output import singer

STREAMS = ["messages", "calls"]
DAYS = 3


@pytest.fixture
def twilio(sandbox):
    """A simulated Twilio some days ago."""
    now = (datetime.now(UTC) - timedelta(days=DAYS + 1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    return sandbox(now=now, days=8, volumes={"messages": 120, "calls": 30}, subaccounts=1)


class Target:
    """A table each, upserted by key."""

    def __init__(self, *names):
        self.tables = {name: {} for name in names}
        self.came = Counter()

    def take(self, messages):
        for message in messages:
            if message["type"] == "RECORD":
                name, row = message["stream"], message["record"]
                key = tuple(row[field] for field in STREAMS_BY_NAME[name].primary_keys)
                self.tables[name][key] = row
                self.came[name] += 1

    def assert_true(self, twilio):
        for name, table in self.tables.items():
            stream = STREAMS_BY_NAME[name]
            assert table == keyed(truth(twilio, stream), stream.primary_keys), name


def change(twilio, *places):
    """What Twilio changes late, and without a word of when: redactions and prices."""
    for account in twilio.accounts:
        rows = truth(twilio, STREAMS_BY_NAME["messages"])
        own = [row for row in rows if row["account_sid"] == account.sid and row["body"]]
        for place in places:
            twilio.patch(own[place]["sid"], body="")
            twilio.patch(own[place + 1]["sid"], price="-0.12345")


def test_what_changed_comes_again_and_nothing_else(run, twilio):
    plain, sparing = Target(*STREAMS), Target(*STREAMS)
    states = {True: {}, False: {}}
    for day in range(DAYS):
        if day:
            change(twilio, 10 * day)
        for skips, target in ((False, plain), (True, sparing)):
            config = config_for(twilio, skip_unchanged=skips, page_size=50)
            output = run(config, streams=STREAMS, state=states[skips])
            assert output.exit_code == 0
            states[skips] = output.state
            target.take(output.messages)
            if not day:
                target.came.clear()
            target.assert_true(twilio)
        twilio.advance(timedelta(days=1))

    # Two runs look back at eight days and more of messages, of which a day is new each time.
    assert sparing.came["messages"] < plain.came["messages"] / 3
    assert sparing.came["calls"] < plain.came["calls"]


def test_a_run_without_news_writes_nothing_of_the_look_back(run, twilio):
    config = config_for(twilio, skip_unchanged=True)
    first = run(config, streams=["messages"])

    second = run(config, streams=["messages"], state=first.state)

    assert len(first.records("messages")) == len(truth(twilio, STREAMS_BY_NAME["messages"]))
    dated = [row for row in second.records("messages") if row["date_sent"] is not None]
    # But of the minute in which the look-back begins.
    assert len(dated) <= 4
    partitions = second.state["bookmarks"]["messages"]["partitions"]
    digests = [text for held in partitions for text in held["digests"].values()]
    minutes = {
        row["account_sid"] + row["date_sent"][:16]
        for row in first.records("messages")
        if row["date_sent"]
    }
    assert sum(map(len, digests)) <= len(minutes) * 11 + 4 * len(digests)


def test_a_run_that_is_killed_loses_nothing(run, twilio, monkeypatch):
    # Each window is followed by its STATE.
    monkeypatch.setattr(singer, "RECORDS_TO_STATES", 0)
    config = config_for(twilio, skip_unchanged=True, page_size=10)
    first = run(config, streams=STREAMS)
    twilio.advance(timedelta(days=1))
    change(twilio, 5, 12)
    second = run(config, streams=STREAMS, state=first.state)
    states = [at for at, one in enumerate(second.messages) if one["type"] == "STATE"]
    assert len(states) > 5
    twilio.advance(timedelta(days=1))
    change(twilio, 20)

    for at in states[:: len(states) // 3]:
        target = Target(*STREAMS)
        target.take(first.messages)
        # It got as far as the target, and a bit further.
        target.take(second.messages[: at + 30])
        third = run(config, streams=STREAMS, state=second.messages[at]["value"])
        assert third.exit_code == 0
        target.take(third.messages)
        target.assert_true(twilio)


def test_a_run_that_did_not_keep_count_makes_all_come_again(run, twilio):
    config = config_for(twilio, skip_unchanged=True)
    first = run(config, streams=["messages"])
    second = run(config | {"skip_unchanged": False}, streams=["messages"], state=first.state)

    third = run(config, streams=["messages"], state=second.state)

    assert not [
        one for one in second.state["bookmarks"]["messages"]["partitions"] if "digests" in one
    ]
    assert len(third.records("messages")) == len(second.records("messages"))


def test_parents_that_are_read_for_a_new_child_are_no_news(run, twilio):
    config = config_for(twilio, skip_unchanged=True)
    first = run(config, streams=["messages"])
    change(twilio, 3)

    second = run(config, streams=["messages", "message_media"], state=first.state)
    target = Target("messages", "message_media")
    target.take([*first.messages, *second.messages])

    target.assert_true(twilio)
    assert len(second.records("messages")) < len(first.records("messages")) / 3
    # Nor do those that stay behind keep what is below them from coming.
    third = run(config, streams=["messages", "message_media"], state=second.state)
    assert len(third.records("message_media")) == len(second.records("message_media"))


@pytest.mark.parametrize("digests", [5, ["x"], {"2026-11-20": 5}])
def test_digests_of_another_form_are_no_state(run, small, digests):
    held = {"context": {"account_sid": small.account_sid}, "digests": digests}
    state = {"bookmarks": {"messages": {"partitions": [held]}}}

    output = run(config_for(small), streams=["messages"], state=state)

    assert output.exit_code == 1
    assert "has the wrong form" in output.log
