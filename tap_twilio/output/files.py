"""Records into files, each of which a BATCH message names once it is whole."""

from __future__ import annotations

import re
import time
import uuid
import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from fsspec.implementations.local import LocalFileSystem
from singer_sdk.helpers._batch import BaseBatchFileEncoding, SDKBatchMessage

from tap_twilio.http.errors import UnwritableError
from tap_twilio.output.lines import CHUNK, encoded

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from tap_twilio.config.batches import Batches
    from tap_twilio.output.sink import Record

LARGEST: Final = 16 * 1024 * 1024
"""Bytes of JSON in a file, or a little more: targets take a file into memory whole."""

MOST_HELD: Final = 32 * 1024 * 1024
"""Bytes that wait to be a file, over all streams."""

LEVEL: Final = 1
"""How hard to compress: the usual 6 takes more than twice as long for files a tenth smaller."""

GZIP: Final = 16 + zlib.MAX_WBITS

PACKER: Final = 256 * 1024
"""Bytes that a compressor takes."""

FILES_TO_STATES: Final = 8
"""How many full files are written for each one that a STATE cuts short."""

SECONDS_BETWEEN_STATES: Final = 60.0
"""How often the state is written, at least, while no file gets full."""


@dataclass
class _Growing:
    """Rows that will be a file."""

    is_compressed: bool
    version: int | None = None
    rows: int = 0
    size: int = 0
    waiting: bytearray = field(default_factory=bytearray)
    packed: bytearray = field(default_factory=bytearray)
    _packer: Any = None

    @property
    def held(self) -> int:
        """Bytes of memory, about."""
        return len(self.waiting) + len(self.packed) + (0 if self._packer is None else PACKER)

    def add(self, lines: bytearray) -> None:
        self.rows += lines.count(b"\n")
        self.size += len(lines)
        self.waiting += lines
        if self.is_compressed and len(self.waiting) >= CHUNK:
            self._pack()

    def content(self) -> bytes:
        """Give the file's content, whole."""
        if not self.is_compressed:
            return bytes(self.waiting)
        self._pack()
        return bytes(self.packed + self._packer.flush())

    def _pack(self) -> None:
        if self._packer is None:
            self._packer = zlib.compressobj(LEVEL, zlib.DEFLATED, GZIP)
        self.packed += self._packer.compress(self.waiting)
        self.waiting.clear()


class Files:
    """Writes records into files of bounded size; what is no file yet waits in memory.

    So a run that is killed leaves no half of a file, but for one that was just being written, and
    that has another name until it is whole. No message names what isn't whole.
    """

    def __init__(self, batches: Batches, write_message: Callable[[SDKBatchMessage], None]) -> None:
        """Make the folder.

        Raises:
            UnwritableError: It can't be made.
        """
        self._batches = batches
        self._write_message = write_message
        self._growing: dict[str, _Growing] = {}
        self._held = 0
        self._full = 0
        self._state_at = time.monotonic()
        self._encoding = BaseBatchFileEncoding("jsonl", "gzip" if batches.is_compressed else "none")
        self._fs = batches.root.fs
        self._is_local = isinstance(self._fs, LocalFileSystem)
        self._path = f"{batches.root.path.rstrip('/')}/{batches.prefix}"
        self._attempt(self._make_folder)

    @property
    def owes_state(self) -> bool:
        """Whether it is time for a STATE: it cuts few files short, or the last one is old."""
        few = self._full > FILES_TO_STATES * len(self._growing)
        return few or time.monotonic() - self._state_at >= SECONDS_BETWEEN_STATES

    def write_records(
        self, stream: str, records: list[Record], extracted: datetime | None, version: int | None
    ) -> None:
        """Take records, and write what is a full file.

        Rows say when they were read, and their version, by the names that targets of the SDK have
        for it: with RECORD messages, a target takes both from the message.
        """
        own: Record = {}
        if extracted is not None:
            own["_sdc_extracted_at"] = extracted.isoformat()
        if version is not None:
            own["_sdc_table_version"] = version
        for record in records:
            record.update(own)
        while records:
            growing = self._growing.get(stream)
            room = self._batches.rows - (growing.rows if growing else 0)
            for lines in encoded(records[:room], b"", b"\n"):
                if lines:
                    self._add(stream, lines, version)
            records = records[room:]

    def _add(self, stream: str, lines: bytearray, version: int | None) -> None:
        growing = self._growing.get(stream)
        if growing is None:
            growing = self._growing[stream] = _Growing(self._batches.is_compressed, version)
        self._held -= growing.held
        growing.add(lines)
        self._held += growing.held
        if growing.rows >= self._batches.rows or growing.size >= LARGEST:
            self.close(stream)
            self._full += 1
        elif self._held > MOST_HELD:
            self.close(max(self._growing, key=lambda name: self._growing[name].held))
            self._full += 1

    def close(self, stream: str) -> None:
        """Write what there is of a stream, and announce it.

        Raises:
            UnwritableError: It can't be written.
        """
        growing = self._growing.get(stream)
        if growing is None:
            return
        self._held -= growing.held
        content = growing.content()
        kind = "jsonl.gz" if self._batches.is_compressed else "jsonl"
        # A stream map may give any name.
        name = re.sub(r"[^A-Za-z0-9_.-]", "_", stream)
        path = f"{self._path}tap-twilio--{name}-{uuid.uuid4()}.{kind}"
        self._attempt(lambda: self._write(path, content))
        del self._growing[stream]
        url = self._fs.unstrip_protocol(path)
        self._write_message(SDKBatchMessage(stream, self._encoding, [url], growing.version))

    def close_all(self) -> None:
        """Write what there is, as a STATE comes that covers it.

        Raises:
            UnwritableError: It can't be written.
        """
        for stream in list(self._growing):
            self.close(stream)
        self._full, self._state_at = 0, time.monotonic()

    def _make_folder(self) -> None:
        self._fs.makedirs(self._path.rpartition("/")[0] or "/", exist_ok=True)

    def _write(self, path: str, content: bytes) -> None:
        if not self._is_local:
            # Stores of objects show none before it is whole.
            self._fs.pipe_file(path, content)
            return
        unfinished = f"{path}.unfinished"
        self._fs.pipe_file(unfinished, content)
        self._fs.mv(unfinished, path)

    def _attempt(self, write: Callable[[], None]) -> None:
        try:
            write()
        except Exception as error:
            # Each kind of store has exceptions of its own.
            reason = getattr(error, "strerror", None) or type(error).__name__
            msg = f"batch_config.storage: files can't be written there: {reason}"
            raise UnwritableError(msg) from error
