"""Which tests stay together in one process, as a plugin of pytest: `-p tests.distribution`."""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING

import pytest
from xdist.plugin import pytest_xdist_auto_num_workers as cores
from xdist.scheduler import LoadFileScheduling

if TYPE_CHECKING:
    from collections.abc import Iterator

    from xdist.remote import Producer

TOGETHER = {
    # They share a run that is long.
    "tests/behaviour/test_keys.py": "tests/behaviour/test_all_streams.py",
    # Each needs the Meltano project to itself, and would wait for the others.
    "tests/doors/pipelines": "tests/doors/pipelines",
}
"""Files and folders that stay with others besides."""

LONGEST = ("tests/doors/pipelines", "tests/doors/test_spark.py")
"""What takes longest of all, and so begins first."""

UNMEASURED = tuple(
    f"tests/behaviour/test_{name}.py"
    for name in (
        "all_streams",
        "custom_streams",
        "failures",
        "keys",
        "main_job",
        "new_fields",
        "pii",
        "sdk",
        "sign_in",
        "skips",
        "undated",
    )
)
"""Tests of many rows: others run the same lines for fewer, and coverage takes half of the time."""

WAITING = 1.5
"""Processes to each core: tests wait a third of their time, for other processes most of all."""


class Scheduling(LoadFileScheduling):
    """Files stay together: their tests share what is slow to make."""

    def _split_scope(self, nodeid: str) -> str:
        file: str = super()._split_scope(nodeid)
        folder, _, _ = file.rpartition("/")
        return TOGETHER.get(file) or TOGETHER.get(folder, file)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Scheduling:
    """Distribute tests in this way, whatever `--dist` says."""
    return Scheduling(config, log)


@pytest.hookimpl(tryfirst=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Start more processes than there are cores, where their number is left open."""
    return round(WAITING * cores(config))


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the doors, which wait most: all others fill what they leave of the processor."""
    items.sort(
        key=lambda item: (
            not item.nodeid.startswith(LONGEST),
            item.get_closest_marker("door") is None,
        )
    )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[object]:
    """Measure no coverage while these run, and while their fixtures are made."""
    measures = sys.gettrace()
    if measures is None or not item.nodeid.startswith(UNMEASURED):
        return (yield)
    # pytest-cov's own way goes on measuring in the processes of pytest-xdist.
    in_threads = threading.gettrace()
    sys.settrace(None)
    threading.settrace(None)
    try:
        return (yield)
    finally:
        threading.settrace(in_threads)
        sys.settrace(measures)
