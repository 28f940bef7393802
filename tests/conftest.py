from __future__ import annotations

import json
import logging
import os
import shutil
import socket
import subprocess
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import environments
from environments.disk import on_disk
from harness import (
    STREAMS_BY_NAME,
    LogKeeper,
    Recorded,
    Runner,
    config_for,
    utc_now,
)
from sandbox import Sandbox
from sandbox.api import Api
from sandbox.paths import CONFERENCES
from tap_twilio.http.connections import AUTHORITIES
from tap_twilio.resource.schemas import DIRECTORY
from tests.doors.browser import Browser, executable

APART = {"dlt": "doors/dlt", "pyspark": "doors/spark"}
"""Tests that need a package, which only the environment that they are run in has."""

collect_ignore = [folder for package, folder in APART.items() if find_spec(package) is None]

MOST_SECONDS = 30
"""What a test may take of a processor, with what is made for it; those of doors may take more."""

MOST_SECONDS_WITH_COVERAGE = 150

INSTALLING = 4
"""Environments that are installed at once."""

WAITING = 5
"""How many times as long it may last: for what it waits for, and whatever else the machine does."""

MANY_BELOW_PARENTS = (
    "serverless_logs",
    "studio_executions",
    "supersim_usage_records",
    "taskrouter_events",
    "wireless_sim_usage_records",
)
"""Streams of which each parent has dozens of rows, unless a sandbox is told otherwise."""

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness import Output
    from sandbox.api import Access, Reply, Request


def pytest_configure() -> None:
    """Keep files on a disk, also where the folder for temporary ones is in memory."""
    tempfile.tempdir = os.environ["TMPDIR"] = str(on_disk(Path(tempfile.gettempdir())))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the doors: what is long must not come last, with one core idle."""
    items.sort(key=lambda item: item.get_closest_marker("door") is None)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Install what tests will need while others run; those that need it wait for it."""
    if session.config.option.collectonly:
        return
    doors = [item for item in session.items if item.get_closest_marker("door")]
    marks = [mark for item in doors for mark in item.iter_markers("environment")]
    pool = ThreadPoolExecutor(INSTALLING)
    for name, *requirements in dict.fromkeys(mark.args for mark in marks):
        # What goes wrong is told by the test that needs it.
        pool.submit(environments.install, name, *requirements)
    pool.shutdown(wait=False)


BEGAN = pytest.StashKey[tuple[float, float]]()


def clocks() -> tuple[float, float]:
    """Seconds that this process and those it waited for have worked, and those that passed."""
    return sum(os.times()[:4]), time.monotonic()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Iterator[None]:
    """Look at the clocks."""
    item.stash[BEGAN] = clocks()
    return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """Fail a test that takes too long: the suite stays as quick as it is."""
    result = yield
    measured = item.config.pluginmanager.hasplugin("_cov")
    most = MOST_SECONDS_WITH_COVERAGE if measured else MOST_SECONDS
    worked, lasted = (now - then for now, then in zip(clocks(), item.stash[BEGAN], strict=True))
    if item.get_closest_marker("door") is None and (worked > most or lasted > WAITING * most):
        pytest.fail(f"took {worked:.0f} s of a processor, {lasted:.0f} s in all: see MOST_SECONDS")
    return result


@pytest.fixture(autouse=True, scope="session")
def _schemas_are_read_once() -> Iterator[None]:
    """A process of the tap's own reads them but once; this one has many runs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DIRECTORY, "fetch_schema", cache(DIRECTORY.fetch_schema))
        yield


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A browser without a window."""
    program = executable()
    if program is None:
        pytest.skip("no Chromium or Chrome on the path; Debian's package is called chromium")
    with Browser(program, tmp_path_factory.mktemp("profile")) as started:
        yield started


@pytest.fixture
def run(tmp_path: Path) -> Runner:
    """The tap, through its command line."""
    return Runner(tmp_path, LogKeeper())


@pytest.fixture
def sandbox() -> Iterator[Callable[..., Sandbox]]:
    """Makes simulated Twilios that are stopped after the test."""
    started: list[Sandbox] = []

    def start(**options: object) -> Sandbox:
        twilio = Sandbox(**{"now": utc_now(), "days": 45, "subaccounts": 1, **options})
        twilio.start()
        started.append(twilio)
        return twilio

    yield start
    for twilio in started:
        twilio.stop()


@pytest.fixture
def measured() -> Iterator[None]:
    """A handler for metrics alone, as a log configuration may have: without it there are none."""
    logger, handler = logging.getLogger("singer_sdk.metrics"), logging.NullHandler()
    logger.addHandler(handler)
    yield
    logger.removeHandler(handler)


@pytest.fixture
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing that the machine's own environment says of proxies and certificates."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    for name in AUTHORITIES:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of 127.0.0.1 that vouches for itself, and its key."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("needs openssl to make a certificate")
    file = tmp_path_factory.mktemp("tls") / "certificate.pem"
    subject = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    new = [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", *subject]
    subprocess.run(
        [*new, "-keyout", f"{file}.key", "-out", str(file)], check=True, capture_output=True
    )
    file.write_text(file.read_text() + file.with_name(f"{file.name}.key").read_text())
    return file


@pytest.fixture(scope="module")
def small() -> Iterator[Sandbox]:
    """A simulated Twilio with a few rows of everything, for tests that only read it."""
    options = {"volumes": {"calls": 300, "messages": 300}, "subaccounts": 1, "days": 45}
    with Sandbox(seed=3, now=utc_now(), **options) as twilio:
        yield twilio


@pytest.fixture(scope="session")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Recorded]:
    """One run with all streams selected, over two accounts with rows of the same shapes.

    Pages are so small that all lists have several; the first of them shows what the others' rows
    look like.
    """
    run = Runner(tmp_path_factory.mktemp("all"), LogKeeper())
    volumes = {"calls": 24, "messages": 90, "conferences": 20, "recordings": 16}
    volumes |= dict.fromkeys(("alerts", "monitor_events"), 16)
    volumes |= dict.fromkeys(MANY_BELOW_PARENTS, 8)
    answers: list[Any] = []
    addresses: set[Any] = set()
    answer, connect = Api.answer, socket.socket.connect

    def telling(api: Api, request: Request, access: Access) -> Reply:
        reply = answer(api, request, access)
        answers.append((request.host, request.path, access.account.sid, json.loads(reply.body)))
        return reply

    def noting(self: socket.socket, address: Any) -> None:
        addresses.add(address)
        connect(self, address)

    with Sandbox(seed=11, now=utc_now(), days=10, volumes=volumes, subaccounts=1) as twilio:
        for account in twilio.accounts:
            # Participants are listed while the conference runs.
            for row in twilio.truth("api", CONFERENCES, account_sid=account.sid)[:2]:
                twilio.patch(row["sid"], status="in-progress")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Api, "answer", telling)
            patch.setattr(socket.socket, "connect", noting)
            output = run(config_for(twilio, page_size=3), streams=list(STREAMS_BY_NAME))
        yield Recorded(twilio, output, answers, addresses)


@pytest.fixture(scope="session")
def everything(recorded: Recorded) -> tuple[Sandbox, Output]:
    """One run with all streams selected: the simulated Twilio, and what the tap said."""
    return recorded.twilio, recorded.output
