"""The other host, where exported files lie: it knows nobody, and lets in who has a signed address.

It is a port of its own. A request that carries credentials besides the signature is refused, as
the host does that Twilio uses; so is an address that was changed, or whose time is over.
"""

from __future__ import annotations

import contextlib
import threading
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qs, urlsplit

from sandbox.identifiers import secret
from sandbox.moments import iso8601

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from sandbox.paths import Content

_ERROR: Final = '<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{}</Code></Error>'
_BLOCK: Final = 1 << 16


@dataclass
class Trouble:
    """What becomes of one request.

    Attributes:
        status: Answered instead of the file.
        keep: Bytes of the file that are sent; the rest never comes.
        is_broken: Whether the connection breaks there; else the file seems to end.
        then: Called before that is sent.
    """

    status: int | None = None
    keep: int | None = None
    is_broken: bool = True
    then: Callable[[], object] = lambda: None


@dataclass(frozen=True)
class Fetch:
    """A request, as the log keeps it."""

    path: str
    headers: dict[str, str]
    status: int


@dataclass
class _Grant:
    find: Callable[[], Content | None]
    until: int


@dataclass
class Storage:
    """Files behind signed addresses.

    Attributes:
        seed: What signatures depend on.
        now: Tells the moment.
        life: Seconds that an address is good for.
        troubles: What becomes of the next requests, one each.
        fetches: All requests.
        signatures: All that were ever given.
    """

    seed: int
    now: Callable[[], int]
    life: int = 3600
    troubles: list[Trouble] = field(default_factory=list)
    fetches: list[Fetch] = field(default_factory=list)
    signatures: list[str] = field(default_factory=list)
    _grants: dict[str, _Grant] = field(default_factory=dict)
    _server: ThreadingHTTPServer | None = None

    @property
    def port(self) -> int:
        """Where it listens, from the first address on that was asked for."""
        if self._server is None:
            handler = type("Handler", (_Handler,), {"storage": self})
            self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
            self._server.daemon_threads = True
            threading.Thread(
                target=self._server.serve_forever, args=(0.01,), name="twilio-storage", daemon=True
            ).start()
        return self._server.server_port

    def stop(self) -> None:
        """Stop listening."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def sign(self, path: str, find: Callable[[], Content | None]) -> str:
        """Give the address of a file, good for a while."""
        now = self.now()
        signature = secret(self.seed, "signature", len(self.signatures), path)
        self.signatures.append(signature)
        self._grants[signature] = _Grant(find, now + self.life)
        date = iso8601(now).replace("-", "").replace(":", "")
        return (
            f"http://127.0.0.1:{self.port}{path}?X-Amz-Algorithm=AWS4-HMAC-SHA256"
            f"&X-Amz-Date={date}&X-Amz-Expires={self.life}&X-Amz-Signature={signature}"
        )

    def look(self, target: str, headers: dict[str, str]) -> tuple[int, Content]:
        """Find what is asked for: a status, and a file or what is wrong."""
        if {"authorization", "cookie"} & {name.lower() for name in headers}:
            return HTTPStatus.BAD_REQUEST, _ERROR.format("InvalidArgument").encode()
        signature = parse_qs(urlsplit(target).query).get("X-Amz-Signature", [""])[0]
        grant = self._grants.get(signature)
        if grant is None or grant.until <= self.now():
            return HTTPStatus.FORBIDDEN, _ERROR.format("AccessDenied").encode()
        content = grant.find()
        if content is None:
            return HTTPStatus.NOT_FOUND, _ERROR.format("NoSuchKey").encode()
        return HTTPStatus.OK, content


class _Handler(BaseHTTPRequestHandler):
    storage: Storage
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        storage, headers = self.storage, dict(self.headers)
        status, content = storage.look(self.path, headers)
        trouble = storage.troubles.pop(0) if storage.troubles else Trouble()
        if trouble.status is not None:
            status, content = trouble.status, b"<html>busy</html>"
        storage.fetches.append(Fetch(self.path, headers, status))
        trouble.then()
        with contextlib.suppress(ConnectionError):
            self._send(status, content, trouble)

    def _send(self, status: int, content: Content, trouble: Trouble) -> None:
        self.send_response(status)
        if isinstance(content, bytes):
            kept = content if trouble.keep is None else content[: trouble.keep]
            length = len(content) if trouble.is_broken else len(kept)
            self.send_header("Content-Length", str(length))
            self.end_headers()
            self._write([kept])
            self.close_connection = len(kept) < length
        else:
            # A file that is made while it is read ends with the connection.
            self.send_header("Connection", "close")
            self.end_headers()
            self._write(content())
            self.close_connection = True

    def _write(self, blocks: Iterable[bytes]) -> None:
        for block in blocks:
            for start in range(0, len(block), _BLOCK):
                self.wfile.write(block[start : start + _BLOCK])

    def log_message(self, *_: object) -> None:
        """Say nothing."""
