"""The ledger: what was sent, so that nothing is sent twice.

It is a SQLite database. What is about to be sent is in it, on the disk, before the request goes
out, and what became of it right after the answer. It holds no address and no text, only hashes
that need its own salt.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import sqlite3
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from tap_twilio.http.errors import TapError
from target_twilio.keys import plain

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

VERSION: Final = 1

SENDING: Final = "sending"
"""Outcome of what is about to be sent: at the beginning of a run, nobody knows whether it was."""

UNKNOWN: Final = "unknown"

REJECTED: Final = "rejected"
SUPPRESSED: Final = "suppressed"

UNSETTLED: Final = frozenset({SENDING, UNKNOWN})
UNDONE: Final = frozenset({REJECTED, SUPPRESSED})
"""Outcomes of rows that are tried again when they come again."""

_TABLES: Final = (
    "CREATE TABLE about (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID",
    """CREATE TABLE entries (
        id BLOB PRIMARY KEY,
        stream TEXT NOT NULL,
        key TEXT NOT NULL,
        action TEXT NOT NULL,
        content BLOB NOT NULL,
        outcome TEXT NOT NULL,
        sid TEXT,
        code INTEGER,
        at TEXT NOT NULL,
        recipient BLOB,
        text BLOB,
        sender BLOB,
        service BLOB
    ) WITHOUT ROWID""",
    "CREATE INDEX unsettled ON entries (outcome) WHERE outcome IN ('sending', 'unknown')",
    "CREATE INDEX messages ON entries (sid) WHERE action = 'messages'",
)

_PUT: Final = "INSERT OR REPLACE INTO entries VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"


@dataclass(frozen=True)
class Entry:
    """What is known of a key.

    Attributes:
        id: Hash of stream and key.
        key: The key as results show it.
        content: Hash of what the row said besides.
        at: Twilio's moment, just before the last attempt.
        recipient: Hash of the recipient, while it may be needed, like those that follow.
        text: None where it can't be compared.
    """

    id: bytes
    stream: str
    key: dict[str, Any]
    action: str
    content: bytes
    outcome: str
    at: datetime
    sid: str | None = None
    code: int | None = None
    recipient: bytes | None = None
    text: bytes | None = None
    sender: bytes | None = None
    service: bytes | None = None

    @property
    def is_unsettled(self) -> bool:
        """Whether nobody knows what became of it."""
        return self.outcome in UNSETTLED

    def became(self, outcome: str, *, sid: str | None = None, code: int | None = None) -> Entry:
        """Give the same with an outcome; where that is certain, the hashes are of no more use."""
        known = replace(self, outcome=outcome, sid=sid or self.sid, code=code)
        if known.is_unsettled:
            return known
        return replace(known, recipient=None, text=None, sender=None, service=None)


class LedgerError(TapError):
    """The ledger can't be used, so that nothing may be sent."""


class Ledger:
    """What was sent.

    Attributes:
        salt: What all its hashes depend on.
    """

    def __init__(self, connection: sqlite3.Connection, name: str, account_sid: str) -> None:
        """Take a connection that nobody else has; make the tables if there are none."""
        self._connection = connection
        self._name = name
        self._cursor = connection.cursor()
        about = self._about()
        if not about:
            about = {
                "version": VERSION,
                "account_sid": account_sid,
                "salt": secrets.token_bytes(32),
            }
            with self._transaction():
                for statement in _TABLES:
                    self._cursor.execute(statement)
                self._cursor.executemany("INSERT INTO about VALUES (?, ?)", about.items())
        if about["version"] != VERSION:
            msg = f"{name}: the ledger is of another version of the target ({about['version']})"
            raise LedgerError(msg)
        if about["account_sid"] != account_sid:
            msg = f"{name}: the ledger is of another account, {about['account_sid']}; name its own"
            raise LedgerError(msg)
        self.salt: bytes = about["salt"]

    @classmethod
    def temporary(cls, account_sid: str) -> Ledger:
        """Make one that nobody keeps, for a dry run."""
        return cls(sqlite3.connect(":memory:", isolation_level=None), "a dry run", account_sid)

    @classmethod
    def open(cls, path: Path, account_sid: str) -> Ledger:
        """Open a ledger, or begin it; nobody else can until this process ends.

        Raises:
            LedgerError: It can't be opened, is no ledger, or another run has it.
        """
        name = f"ledger_path: {path}"
        # SQLite locks the file itself, whatever its name, but keeps what it writes beside a name.
        real = path.resolve()
        try:
            os.close(os.open(real, os.O_RDWR | os.O_CREAT, 0o600))
            if real.stat().st_nlink > 1:
                msg = f"{name}: the file has more than one name (hard links); leave it only one"
                raise LedgerError(msg)
            connection = sqlite3.connect(real, timeout=0, isolation_level=None)
        except (OSError, sqlite3.Error) as error:
            msg = f"{name}: it can't be opened ({error})"
            raise LedgerError(msg) from error
        with _telling(name):
            connection.execute("PRAGMA locking_mode = EXCLUSIVE")
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            # Taken with the first write, and kept.
            connection.execute("BEGIN EXCLUSIVE")
            connection.execute("COMMIT")
            return cls(connection, name, account_sid)

    def close(self) -> None:
        """Let others have it."""
        self._connection.close()

    def find(self, id_: bytes) -> Entry | None:
        """Give what is known of a key."""
        with _telling(self._name):
            row = self._cursor.execute("SELECT * FROM entries WHERE id = ?", (id_,)).fetchone()
        return row and _entry(row)

    def unsettled(self) -> list[Entry]:
        """Give the keys of which nobody knows what became."""
        with _telling(self._name):
            rows = self._cursor.execute(
                "SELECT * FROM entries WHERE outcome IN ('sending', 'unknown') ORDER BY at, id"
            ).fetchall()
        return [_entry(row) for row in rows]

    def has_message(self, sid: str) -> bool:
        """Tell whether a message is known to be a key's."""
        with _telling(self._name):
            found = self._cursor.execute(
                "SELECT 1 FROM entries WHERE action = 'messages' AND sid = ?", (sid,)
            )
            return found.fetchone() is not None

    def put(self, *entries: Entry) -> None:
        """Write entries down; they are on the disk when this returns."""
        rows = [_row(entry) for entry in entries]
        with _telling(self._name):
            if len(rows) == 1:
                self._cursor.execute(_PUT, rows[0])
                return
            with self._transaction():
                self._cursor.executemany(_PUT, rows)

    def withdraw(self, before: Sequence[tuple[bytes, Entry | None]]) -> None:
        """Put keys back to what was known of them: what was about to be sent surely was not."""
        with _telling(self._name), self._transaction():
            for id_, entry in before:
                if entry is None:
                    self._cursor.execute("DELETE FROM entries WHERE id = ?", (id_,))
                else:
                    self._cursor.execute(_PUT, _row(entry))

    def _about(self) -> dict[str, Any]:
        found = self._cursor.execute("SELECT 1 FROM sqlite_master WHERE name = 'about'").fetchone()
        if found is None:
            if self._cursor.execute("SELECT 1 FROM sqlite_master").fetchone():
                msg = f"{self._name}: the file is another database; name one of its own"
                raise LedgerError(msg)
            return {}
        return dict(self._cursor.execute("SELECT name, value FROM about").fetchall())

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        self._cursor.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._cursor.execute("ROLLBACK")
            raise
        self._cursor.execute("COMMIT")


@contextlib.contextmanager
def _telling(name: str) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        reason = str(error)
        if "locked" in reason or "busy" in reason:
            msg = f"{name}: another run has it; wait for that to end"
        elif "not a database" in reason:
            msg = f"{name}: the file is no ledger; name one of its own"
        else:
            msg = f"{name}: it can't be written or read ({reason}), and so nothing is sent"
        raise LedgerError(msg) from error


def _row(entry: Entry) -> tuple[Any, ...]:
    return (
        entry.id,
        entry.stream,
        json.dumps(entry.key, ensure_ascii=False, default=plain),
        entry.action,
        entry.content,
        entry.outcome,
        entry.sid,
        entry.code,
        entry.at.isoformat(),
        entry.recipient,
        entry.text,
        entry.sender,
        entry.service,
    )


def _entry(row: Sequence[Any]) -> Entry:
    id_, stream, key, action, content, outcome, sid, code, at, *hashes = row
    recipient, text, sender, service = hashes
    return Entry(
        id=id_,
        stream=stream,
        key=json.loads(key),
        action=action,
        content=content,
        outcome=outcome,
        at=datetime.fromisoformat(at),
        sid=sid,
        code=code,
        recipient=recipient,
        text=text,
        sender=sender,
        service=service,
    )
