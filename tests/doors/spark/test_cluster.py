"""Streams as tables, on a standalone master with two workers."""

from __future__ import annotations

import os
import re
import subprocess
import time
from contextlib import ExitStack
from pathlib import Path

import pyspark
import pytest

from sandbox import faults
from tests.doors.spark.conftest import session, wanted

PATIENCE = 90


@pytest.fixture(scope="module")
def spark(twilio, tmp_path_factory):  # noqa: ARG001 - its address is in the environment
    folder = tmp_path_factory.mktemp("cluster")
    home = Path(pyspark.__file__).parent
    # Workers know nothing of Twilio but what the driver sends them.
    kept = {name: text for name, text in os.environ.items() if not name.startswith("TAP_")}
    environment = kept | {"SPARK_HOME": str(home), "SPARK_WORKER_DIR": str(folder)}

    def start(name, *arguments):
        command = [str(home / "bin" / "spark-class"), f"org.apache.spark.deploy.{name}"]
        log = folder / f"{arguments[-1].replace('/', '')}.log"
        process = subprocess.Popen(
            [*command, "--host", "127.0.0.1", "--webui-port", "0", *arguments],
            env=environment,
            stdout=log.open("a"),
            stderr=subprocess.STDOUT,
        )
        stack.callback(process.wait)
        stack.callback(process.terminate)
        return log

    with ExitStack() as stack:
        log = start("master.Master", "--port", "0")
        deadline = time.monotonic() + PATIENCE
        while not (said := re.search(r"Starting Spark master at (spark://\S+)", log.read_text())):
            assert time.monotonic() < deadline, "no master in time"
            time.sleep(0.2)
        master = said[1]
        for number in range(2):
            worker = ("--cores", "1", "--memory", "1g", "--work-dir", str(folder / str(number)))
            start("worker.Worker", *worker, master)
        while log.read_text().count("Registering worker") < 2:
            assert time.monotonic() < deadline, "no two workers in time"
            time.sleep(0.2)
        with session(master, **{"spark.executor.memory": "512m"}) as spark:
            yield spark


def test_two_workers_read_every_row_once_whatever_is_tried_again(spark, twilio):
    broken = twilio.plan(faults.answer(500), "/Messages.json", skip=3, times=1)
    options = {"stream": "messages", "stretches": "2", "max_retries": "0"}
    frame = spark.read.format("twilio").options(**options).load().select("sid")

    rows = frame.collect()

    assert broken.hits == 1
    assert sorted(row.sid for row in rows) == wanted(twilio, "messages")
    executors = spark.sparkContext._jsc.sc().getExecutorMemoryStatus().size()  # noqa: SLF001
    assert executors == 1 + 2
