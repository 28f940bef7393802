"""The example of a backfill with Airflow, which runs in an environment of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest

import environments
from harness import STREAMS_BY_NAME, truth

EXAMPLE = environments.ROOT / "examples" / "airflow"
AIRFLOW = ("airflow", *(EXAMPLE / "requirements.txt").read_text().split())
TARGET = ("target-jsonl", "target-jsonl==0.1.4")

pytestmark = [pytest.mark.door, pytest.mark.environment(*AIRFLOW), pytest.mark.environment(*TARGET)]


def test_mapped_tasks_read_everything_once(sandbox, tmp_path):
    airflow, target = environments.install(*AIRFLOW), environments.install(*TARGET)
    twilio = sandbox(volumes={"calls": 60, "messages": 60})
    twilio.patch(
        truth(twilio, STREAMS_BY_NAME["messages"])[-1]["sid"], date_sent=None, status="scheduled"
    )
    environment = os.environ | {
        "PATH": f"{airflow}{os.pathsep}{os.environ['PATH']}",
        "AIRFLOW_HOME": str(tmp_path / "airflow"),
        "AIRFLOW__CORE__DAGS_FOLDER": str(EXAMPLE / "dags"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "TAP_TWILIO_ACCOUNT_SID": twilio.account_sid,
        "TAP_TWILIO_AUTH_TOKEN": twilio.auth_token,
        "TAP_TWILIO_BASE_URL": twilio.base_url,
        "TWILIO_ACCOUNTS": " ".join(account.sid for account in twilio.accounts),
        "TWILIO_FOLDER": str(tmp_path / "twilio"),
        "TWILIO_TAP": str(Path(sys.executable).with_name("tap-twilio")),
        "TWILIO_TARGET": str(target / "target-jsonl"),
    }
    since = (twilio.now - timedelta(days=50)).strftime("%Y-%m-%d")
    test = ["dags", "test", "twilio_backfill", "--conf", json.dumps({"since": since})]

    for arguments in (["db", "migrate"], test):
        result = subprocess.run(
            [str(airflow / "airflow"), *arguments],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert result.returncode == 0, result.stdout + result.stderr

    folders = [path.parent for path in (tmp_path / "twilio").glob("*/*/state.json")]
    assert len(folders) >= 2 * len(twilio.accounts)
    for stream in ("calls", "messages", "message_media"):
        lines = [
            line
            for folder in folders
            for file in folder.glob(f"rows/{stream}-*.jsonl")
            for line in file.read_text().splitlines()
        ]
        want = Counter(row["sid"] for row in truth(twilio, STREAMS_BY_NAME[stream]))
        assert Counter(json.loads(line)["sid"] for line in lines) == want
