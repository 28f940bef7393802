"""Spark, with a simulated Twilio in the environment of its driver."""

from __future__ import annotations

import json
import os
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from pyspark.sql import SparkSession

from harness import STREAMS_BY_NAME, truth, utc_now
from sandbox import Sandbox
from tap_twilio.spark import TwilioDataSource

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent
PII_KEY = "a-key-for-hashes-0123456789"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """They are slower than the tests of the tap itself may be."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.door)


@pytest.fixture(scope="session")
def twilio() -> Iterator[Sandbox]:
    """Two accounts; some rows of each are old and have no date."""
    volumes = {"calls": 150, "messages": 150}
    with Sandbox(seed=7, now=utc_now(), days=45, volumes=volumes, subaccounts=1) as simulated:
        for row in truth(simulated, STREAMS_BY_NAME["messages"])[::40]:
            simulated.patch(row["sid"], date_sent=None, status="scheduled")
        _, *subaccounts = simulated.accounts
        os.environ |= {
            "TAP_TWILIO_ACCOUNT_SID": simulated.account_sid,
            "TAP_TWILIO_AUTH_TOKEN": simulated.auth_token,
            "TAP_TWILIO_BASE_URL": simulated.base_url,
            "TAP_TWILIO_SUBACCOUNT_CREDENTIALS": json.dumps(
                {account.sid: {"auth_token": account.auth_token} for account in subaccounts}
            ),
            "TAP_TWILIO_PII": "keep",
            "TAP_TWILIO_PII_KEY": PII_KEY,
            "TAP_TWILIO_RETRY_DELAY": "0.01",
            "TAP_TWILIO_START_DATE": "P50D",
            "SPARK_LOCAL_IP": "127.0.0.1",
            "PYSPARK_PYTHON": sys.executable,
            "PYSPARK_DRIVER_PYTHON": sys.executable,
            # Far from UTC, as many machines are.
            "TZ": "America/New_York",
        }
        yield simulated


@contextmanager
def session(master: str, **settings: str) -> Iterator[SparkSession]:
    """Spark, with Twilio's streams as tables."""
    builder = SparkSession.builder.master(master).appName("tap-twilio")
    builder = builder.config(
        map={
            "spark.driver.host": "127.0.0.1",
            "spark.sql.session.timeZone": "Asia/Tokyo",
            "spark.sql.shuffle.partitions": "2",
            "spark.sql.python.filterPushdown.enabled": "true",
            "spark.ui.showConsoleProgress": "false",
            **settings,
        }
    )
    spark = builder.getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")
    spark.dataSource.register(TwilioDataSource)
    try:
        yield spark
    finally:
        spark.stop()


def wanted(twilio: Sandbox, stream: str) -> list[str]:
    """SIDs of all rows that the server holds."""
    return sorted(row["sid"] for row in truth(twilio, STREAMS_BY_NAME[stream]))
