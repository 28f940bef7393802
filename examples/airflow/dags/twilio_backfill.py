"""Read the history of Twilio accounts into JSON Lines: a task for each account and month.

Every shard has a folder of its own, with its rows and its state: a task that is tried again goes
on where it stopped. Months that are over are read once; the current one is open, and reading it
again reads on.

Credentials come from the environment of the workers: ``TAP_TWILIO_ACCOUNT_SID``,
``TAP_TWILIO_AUTH_TOKEN`` (or ``TAP_TWILIO_API_KEY_SID`` and ``…_SECRET``). Besides:

* ``TWILIO_ACCOUNTS``: SIDs of the accounts to read, with spaces between.
* ``TWILIO_FOLDER``: where rows and states go; all workers must see it.
* ``TWILIO_TAP`` and ``TWILIO_TARGET``: commands of the tap and the target, where they aren't on
  the path, as they are best installed apart from Airflow and from each other.
"""

from __future__ import annotations

import json
import os
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

from airflow.sdk import Param, dag, get_current_context, task

STREAMS = ("calls", "messages", "message_media", "recordings", "conferences", "alerts")
"""Streams that the dates cut. Lists without dates are whole in each shard: read them in one run."""

AT_ONCE = 4
"""Tasks at once. Those of one account share its requests in flight."""

REQUESTS = 16 // AT_ONCE


def months(since: str, today: datetime) -> list[dict]:
    """Cut the time from a day on into months; the last one is open."""
    start = datetime.fromisoformat(since).replace(tzinfo=UTC)
    history = (today - start).days + 1
    ranges = []
    while start < today:
        end = (start.replace(day=1) + timedelta(days=32)).replace(day=1)
        setting = {"TAP_TWILIO_START_DATE": start.strftime("%Y-%m-%d")}
        if end <= today:
            setting["TAP_TWILIO_END_DATE"] = end.strftime("%Y-%m-%d")
        else:
            # Rows that have no date yet belong to no month: the open one looks for them all.
            setting["TAP_TWILIO_LOOKBACK_DAYS"] = str(history)
        ranges.append(setting)
        start = end
    return ranges


@dag(
    schedule=None,
    catchup=False,
    params={"since": Param("2026-01-01", type="string", format="date")},
    default_args={"retries": 3, "retry_delay": timedelta(minutes=5)},
)
def twilio_backfill():
    @task
    def shards() -> list[dict]:
        folder = Path(os.environ["TWILIO_FOLDER"])
        tap = os.environ.get("TWILIO_TAP", "tap-twilio")
        catalog = json.loads(subprocess.check_output([tap, "--discover"]))
        for stream in catalog["streams"]:
            for entry in stream["metadata"]:
                if entry["breadcrumb"] == []:
                    entry["metadata"]["selected"] = stream["tap_stream_id"] in STREAMS
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "catalog.json").write_text(json.dumps(catalog))
        since = get_current_context()["params"]["since"]
        return [
            {"TAP_TWILIO_ACCOUNTS": json.dumps([account]), **month}
            for account in os.environ["TWILIO_ACCOUNTS"].split()
            for month in months(since, datetime.now(UTC))
        ]

    @task(max_active_tis_per_dagrun=AT_ONCE)
    def load(shard: dict) -> str:
        (account,) = json.loads(shard["TAP_TWILIO_ACCOUNTS"])
        top = Path(os.environ["TWILIO_FOLDER"])
        folder = top / account / shard["TAP_TWILIO_START_DATE"]
        rows, state = folder / "rows", folder / "state.json"
        rows.mkdir(parents=True, exist_ok=True)
        (folder / "target.json").write_text(json.dumps({"destination_path": str(rows)}))
        tap = [os.environ.get("TWILIO_TAP", "tap-twilio"), "--config=ENV"]
        tap += ["--catalog", str(top / "catalog.json")]
        if state.exists():
            tap += ["--state", str(state)]
        target = [os.environ.get("TWILIO_TARGET", "target-jsonl")]
        target += ["--config", str(folder / "target.json")]
        environment = {**os.environ, "TAP_TWILIO_MAX_CONCURRENT_REQUESTS": str(REQUESTS), **shard}
        with (
            subprocess.Popen(tap, env=environment, stdout=subprocess.PIPE) as source,
            subprocess.Popen(
                target, stdin=source.stdout, stdout=subprocess.PIPE, text=True
            ) as sink,
        ):
            # The target gives out a state once everything before it is written.
            for line in sink.stdout:
                if line.strip():
                    (folder / "state.new").write_text(line)
                    (folder / "state.new").replace(state)
        if source.returncode or sink.returncode:
            msg = f"the tap ended with {source.returncode}, the target with {sink.returncode}"
            raise RuntimeError(msg)
        return str(folder)

    load.expand(shard=shards())


twilio_backfill()
