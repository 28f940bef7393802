"""Environments of other tools: installed once, whoever asks, from where pip is told to."""

from __future__ import annotations

import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

import environments

pytestmark = pytest.mark.door

FAKE = """#!/bin/sh
echo "$UV_DEFAULT_INDEX: $*" >> {log}
case " $* " in
    *" venv "*) for folder; do :; done; rm -rf "$folder"; mkdir -p "$folder/bin" ;;
    *" no-such-package "*) echo "no version" >&2; echo "of it" >&2; exit 1 ;;
    *) sleep 0.2 ;;
esac
"""


@pytest.fixture
def said(tmp_path, monkeypatch):
    """Where a stand-in for uv writes what it was told."""
    log = tmp_path / "log"
    uv = tmp_path / "uv"
    uv.write_text(FAKE.format(log=log))
    uv.chmod(0o755)
    monkeypatch.setattr(environments, "uv", lambda: str(uv))
    monkeypatch.setattr(environments, "CACHE", tmp_path / "cache")
    return log


@pytest.fixture
def quick(monkeypatch):
    """Without asking pip."""
    monkeypatch.setattr(environments, "as_pip_is_told", os.environ.copy)


@pytest.mark.usefixtures("quick")
def test_the_same_requirements_are_installed_once(said):
    folder = environments.install("tool", "tool==1", "other")

    assert folder.is_dir()
    assert environments.install("tool", "tool==1", "other") == folder
    assert said.read_text().count("pip install") == 1
    assert said.read_text().rstrip().endswith("bin/python tool==1 other")


@pytest.mark.usefixtures("quick")
def test_other_requirements_are_another_environment(said):
    folder = environments.install("tool", "tool==1")

    assert environments.install("tool", "tool==2") != folder
    assert environments.install("second-tool", "tool==1") != folder
    assert said.read_text().count("pip install") == 3


@pytest.mark.usefixtures("quick")
def test_whoever_asks_meanwhile_waits_for_it(said):
    with ThreadPoolExecutor() as pool:
        folders = set(pool.map(lambda _: environments.install("tool", "tool==1"), range(4)))

    assert len(folders) == 1
    assert said.read_text().count("pip install") == 1


@pytest.mark.usefixtures("quick")
def test_what_cannot_be_installed_is_told_and_tried_anew(said):
    for _ in range(2):
        with pytest.raises(environments.InstallError) as caught:
            environments.install("tool", "no-such-package", "tool==1")
        assert str(caught.value) == "tool can't be installed: no version of it"

    assert said.read_text().count("pip install") == 2


def test_uv_asks_where_pip_is_told_to(said, tmp_path, monkeypatch):
    settings = tmp_path / "pip.conf"
    settings.write_text(
        "[global]\nindex-url = https://global.example\nextra-index-url =\n  https://a.example\n"
        "  https://b.example\n[install]\nindex-url = https://install.example\n"
    )
    monkeypatch.setenv("PIP_CONFIG_FILE", str(settings))
    for name in ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "UV_DEFAULT_INDEX", "UV_INDEX"):
        monkeypatch.delenv(name, raising=False)

    told = environments.as_pip_is_told()

    assert told["UV_INDEX"] == "https://a.example https://b.example"
    environments.install("tool", "tool==1")
    assert "https://install.example: --quiet pip install" in said.read_text()
    monkeypatch.setenv("PIP_INDEX_URL", "https://environment.example")
    assert environments.as_pip_is_told()["UV_DEFAULT_INDEX"] == "https://environment.example"
    monkeypatch.setenv("UV_DEFAULT_INDEX", "https://own.example")
    assert environments.as_pip_is_told()["UV_DEFAULT_INDEX"] == "https://own.example"


@pytest.mark.usefixtures("said", "quick")
def test_what_nobody_used_for_long_makes_room():
    old, used, other = (
        environments.install(*requirements).parent
        for requirements in (("tool", "tool==1"), ("tool", "tool==2"), ("tool-box", "tool==1"))
    )
    long_ago = time.time() - 40 * 24 * 60 * 60
    for folder in (old, used, other):
        os.utime(folder / "installed.txt", (long_ago, long_ago))
    environments.install("tool", "tool==2")

    environments.install("tool", "tool==3")

    assert not old.exists()
    assert used.exists()
    assert other.exists()


@pytest.mark.usefixtures("quick")
def test_it_is_of_the_running_python(said, monkeypatch):
    folder = environments.install("tool", "tool==1")
    assert f"--python {sys.executable}" in said.read_text()

    monkeypatch.setattr(sys, "executable", "/another/python")

    assert environments.install("tool", "tool==1") != folder
