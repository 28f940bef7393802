from __future__ import annotations

import os
import sqlite3
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from target_twilio.ledger import Entry, Ledger, LedgerError

ACCOUNT = "AC" + "0" * 32
AT = datetime(2026, 11, 20, 12, 34, 56, tzinfo=UTC)
ENTRY = Entry(
    id=b"1",
    stream="messages",
    key={"id": 1},
    action="messages",
    content=b"c",
    outcome="sending",
    at=AT,
    recipient=b"r",
    text=b"t",
    sender=b"s",
    service=b"m",
)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "ledger.db"


@pytest.fixture
def ledger(path):
    ledger = Ledger.open(path, ACCOUNT)
    yield ledger
    ledger.close()


def test_what_is_written_is_there_for_the_next_run(path):
    first = Ledger.open(path, ACCOUNT)
    first.put(ENTRY)
    first.close()
    second = Ledger.open(path, ACCOUNT)

    assert second.find(b"1") == ENTRY
    assert second.unsettled() == [ENTRY]
    assert second.salt == first.salt
    second.close()


def test_what_is_written_is_on_the_disk_at_once(path, monkeypatch):
    connect, made = sqlite3.connect, []
    monkeypatch.setattr(
        sqlite3, "connect", lambda *a, **k: made.append(connect(*a, **k)) or made[0]
    )
    ledger = Ledger.open(path, ACCOUNT)
    monkeypatch.undo()
    assert made[0].execute("PRAGMA synchronous").fetchone() == (2,)
    assert made[0].execute("PRAGMA journal_mode").fetchone() == ("wal",)
    ledger.put(ENTRY)

    # As after a power failure: only what is in the files.
    copy = path.with_name("copy.db")
    for end in ("", "-wal"):
        copy.with_name(copy.name + end).write_bytes(path.with_name(path.name + end).read_bytes())
    with sqlite3.connect(copy) as other:
        assert other.execute("SELECT outcome FROM entries").fetchall() == [("sending",)]
    other.close()
    ledger.close()


def test_only_one_has_it(ledger, path, tmp_path):
    link = tmp_path / "link"
    link.symlink_to(path)
    ledger.put(ENTRY)
    for name in (path, link):
        with pytest.raises(LedgerError, match="another run has it"):
            Ledger.open(name, ACCOUNT)
    ledger.put(replace(ENTRY, id=b"2"))


@pytest.mark.usefixtures("ledger")
def test_a_new_one_is_locked_before_anything_is_written(path):
    with pytest.raises(LedgerError, match="another run has it"):
        Ledger.open(path, ACCOUNT)


def test_a_file_with_two_names_is_refused(path, tmp_path):
    Ledger.open(path, ACCOUNT).close()
    os.link(path, tmp_path / "other")

    with pytest.raises(LedgerError, match="more than one name"):
        Ledger.open(path, ACCOUNT)


def test_certain_outcomes_need_no_hashes(ledger):
    ledger.put(ENTRY)
    ledger.put(ENTRY.became("sent", sid="SM1"))

    found = ledger.find(b"1")
    assert (found.outcome, found.sid) == ("sent", "SM1")
    assert (found.recipient, found.text, found.sender, found.service) == (None,) * 4
    assert ledger.unsettled() == []
    assert ledger.has_message("SM1")


def test_unknown_outcomes_keep_them(ledger):
    ledger.put(ENTRY.became("unknown", code=20500))

    (found,) = ledger.unsettled()
    assert (found.recipient, found.text, found.code) == (b"r", b"t", 20500)


def test_only_messages_of_keys_are_known(ledger):
    ledger.put(replace(ENTRY, action="message_redactions", outcome="redacted", sid="SM1"))

    assert not ledger.has_message("SM1")
    assert not ledger.has_message("SM2")


def test_what_was_not_sent_is_withdrawn(ledger):
    before = replace(ENTRY, outcome="rejected", code=21211)
    ledger.put(before)
    ledger.put(ENTRY, replace(ENTRY, id=b"2"))

    ledger.withdraw([(b"1", before), (b"2", None)])

    assert ledger.find(b"1") == before
    assert ledger.find(b"2") is None


def test_several_are_written_or_none(ledger):
    broken = replace(ENTRY, id=b"2", stream=None)

    with pytest.raises(LedgerError):
        ledger.put(ENTRY, broken)

    assert ledger.find(b"1") is None


def test_another_version_is_left_alone(path):
    Ledger.open(path, ACCOUNT).close()
    with sqlite3.connect(path) as other:
        other.execute("UPDATE about SET value = 99 WHERE name = 'version'")
    other.close()

    with pytest.raises(LedgerError, match="of another version"):
        Ledger.open(path, ACCOUNT)


def test_a_temporary_one_is_nowhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ledger = Ledger.temporary(ACCOUNT)
    ledger.put(ENTRY)
    ledger.close()

    assert list(tmp_path.iterdir()) == []
