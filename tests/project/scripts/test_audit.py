"""The audit fails on a known weakness, and tells when it couldn't ask."""

from __future__ import annotations

from audit import tell

WEAK = {"id": "PYSEC-1", "fix_versions": ["2.0"]}


def test_a_known_weakness_fails(capsys):
    found = [
        {"name": "good", "version": "1", "vulns": []},
        {"name": "bad", "version": "1", "vulns": [WEAK]},
        {"name": "own", "skip_reason": "not on the index"},
    ]

    assert tell(found) == 1
    said = capsys.readouterr().out
    assert "bad 1: PYSEC-1, mended in 2.0" in said
    assert "Audited 2 of 3 packages: 1 known weaknesses" in said


def test_nothing_known_is_good():
    assert tell([{"name": "good", "version": "1", "vulns": []}]) == 0


def test_what_could_not_be_asked_is_said(capsys):
    assert tell([{"name": "x", "skip_reason": "the service gave no answer"}]) == 0
    assert "Nothing was audited: the service gave no answer" in capsys.readouterr().out
