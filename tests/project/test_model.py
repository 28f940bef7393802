"""The cost model foretells the requests that a backfill makes; timings are nobody's promise."""

from __future__ import annotations

import pytest

from benchmarks.model import UNDATED
from harness import config_for
from tap_twilio.engine.cost import Read, Terms, predict

TOLERANCE = 0.25


@pytest.mark.parametrize("stream", ["calls", "messages"])
@pytest.mark.parametrize(("rows", "page"), [(300, 100), (1200, 50), (4000, 100), (4000, 1000)])
def test_requests_are_as_foretold(run, sandbox, stream, rows, page):
    twilio = sandbox(volumes={stream: rows}, subaccounts=2)

    output = run(config_for(twilio, page_size=page, start_date="P50D"), streams=[stream])

    reads = [Read(rows // share, page, UNDATED[stream]) for share in (1, 3, 3)]
    cost = predict(reads, Terms(latency=0, concurrency=24, accounts=3))
    assert output.exit_code == 0
    assert twilio.requests.total == pytest.approx(cost.requests, rel=TOLERANCE)


def test_requests_below_parents_are_as_foretold(run, sandbox):
    twilio = sandbox(volumes={"messages": 1000}, subaccounts=0)

    output = run(config_for(twilio), streams=["messages", "message_media"])

    rows = output.records("messages")
    parents = sum(row["num_media"] > 0 for row in rows)
    reads = [Read(len(rows), undated=UNDATED["messages"]), Read(0, parents=parents)]
    cost = predict(reads, Terms(latency=0, concurrency=24))
    assert parents > 10
    assert twilio.requests.total == pytest.approx(cost.requests, rel=TOLERANCE)


def test_shards_and_latency_count_as_documented():
    reads = [Read(1_000_000, undated=UNDATED["calls"])] * 300

    alone = predict(reads, Terms(latency=0.3, concurrency=24, accounts=300))
    shared = predict(reads, Terms(latency=0.3, concurrency=24, accounts=300, shards=16))

    assert shared.requests == alone.requests + 15
    # The core is the bound of one run, and of each of 16.
    assert alone.seconds == pytest.approx(300_000_000 * 30e-6, rel=0.01)
    assert shared.seconds == pytest.approx(alone.seconds / 16, rel=0.01)
