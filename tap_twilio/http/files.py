"""Files of rows on other hosts than Twilio's: asked for without credentials, read as they come.

Such a file is compressed, and has one JSON object a line. It may be of any size: never more than a
part of it is in memory. Its address lets everybody in who knows it, and so is in no message.
"""

from __future__ import annotations

import math
import time
import zlib
from http import HTTPStatus
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import msgspec
from msgspec import Raw
from urllib3.exceptions import HTTPError

from tap_twilio.http import pagination
from tap_twilio.http.connections import WHOLE, Network, root
from tap_twilio.http.errors import ExpiredError, ResponseError, TapError, TransientError
from tap_twilio.http.mending import WRONG
from tap_twilio.http.redaction import redactor
from tap_twilio.http.transport import LARGEST, MIB, ONCE

if TYPE_CHECKING:
    from collections.abc import Callable
    from urllib.parse import SplitResult

    from urllib3 import BaseHTTPResponse

PART: Final = MIB
"""Bytes of a file, decompressed, that make a part of it: about as much as a page of a list."""

CHUNK: Final = 64 * 1024
"""Bytes to take from a connection at a time."""

_GZIP_FORM: Final = 16 + zlib.MAX_WBITS

_SEPARATOR: Final = b",\n"
"""Between rows: no line holds it, as none holds a line's end."""

_GONE: Final = frozenset({HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND, HTTPStatus.GONE})


class Files:
    """Opens files; safe in any thread."""

    def __init__(self, *, connections: int, timeout: float, user_agent: str) -> None:
        """Open nothing yet.

        Args:
            connections: Most connections to keep to a host.
            timeout: Seconds to wait for an answer, and between its parts.
        """
        # How long a file takes depends on its size, and on whoever takes the rows.
        self._network = Network(connections=connections, timeout=timeout, whole=math.inf)
        self._seconds = WHOLE * timeout
        # Nothing that signs in, whatever the host.
        self._headers = {"User-Agent": user_agent, "Accept-Encoding": "identity"}

    def open(self, url: str, endpoint: str) -> Download:
        """Ask for a file, once.

        Args:
            url: Its address.
            endpoint: Name of what led to it, for messages.

        Raises:
            ExpiredError: It isn't there any more, or its address has expired.
            TapError: It can't be had.
        """
        address = urlsplit(url)
        redactor.add(address.query)
        try:
            return self._open(address, endpoint)
        except BaseException:
            redactor.discard(address.query)
            raise

    def _open(self, address: SplitResult, endpoint: str) -> Download:
        route = self._network.route(f"{address.scheme}://{address.netloc}")
        try:
            response = route.pool.urlopen(
                "GET",
                f"{route.prefix}{address.path or '/'}?{address.query}",
                headers=self._headers,
                retries=ONCE,
                assert_same_host=False,
                timeout=route.timeout,
                preload_content=False,
            )
        except HTTPError as error:
            # What lies below may quote the address.
            raise route.explain(error, endpoint) from None
        status = response.status
        if status == HTTPStatus.OK:
            return Download(response, f"{endpoint} at {route.host}", self._seconds, address.query)
        response.close()
        if status == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED and route.proxy is not None:
            raise route.unauthenticated()
        kind: type[ResponseError] = ResponseError
        if status in _GONE:
            kind = ExpiredError
        elif status >= HTTPStatus.INTERNAL_SERVER_ERROR or status in {
            HTTPStatus.REQUEST_TIMEOUT,
            HTTPStatus.TOO_MANY_REQUESTS,
        }:
            kind = TransientError
        raise kind(endpoint, status, message=f"{route.host} doesn't give the file")


class Download:
    """A file on its way, decompressed as it is read."""

    def __init__(
        self, response: BaseHTTPResponse, endpoint: str, seconds: float, secret: str
    ) -> None:
        """Read nothing yet.

        Args:
            endpoint: Name of what is read, for messages.
            seconds: How long each part may take.
            secret: What in its address nobody may see.
        """
        self._response = response
        self._endpoint = endpoint
        self._seconds = seconds
        self._secret = secret
        self._until = math.inf
        self._inflater = zlib.decompressobj(_GZIP_FORM)
        self._left = b""
        self._is_between = True

    def begin_part(self) -> None:
        """Count the seconds from now on."""
        self._until = time.monotonic() + self._seconds

    def read(self, most: int) -> bytes:
        """Give some bytes of the content, decompressed; none at its end, once that is proven.

        Raises:
            TransientError: It broke off, or isn't what was compressed.
        """
        while True:
            if self._inflater.eof:
                self._left = self._inflater.unused_data
                self._inflater, self._is_between = zlib.decompressobj(_GZIP_FORM), True
            data = self._left or self._receive()
            if not data:
                if self._is_between:
                    return b""
                reason = "its end is missing"
                raise self._broken(reason)
            if self._is_between:
                # Parts that were compressed one by one may have zeros between them.
                data = data.lstrip(b"\0")
            try:
                found = self._inflater.decompress(data, most)
            except zlib.error:
                reason = "it can't be decompressed"
                raise self._broken(reason) from None
            self._left, self._is_between = self._inflater.unconsumed_tail, False
            if found:
                return found

    def close(self) -> None:
        """Break the connection, unless all came; its address is of no more use."""
        self._response.close()
        redactor.discard(self._secret)

    def _receive(self) -> bytes:
        if time.monotonic() > self._until:
            reason = f"a part took more than {self._seconds:g} s"
            raise self._broken(reason)
        try:
            return self._response.read1(CHUNK, decode_content=False)
        except (HTTPError, ValueError) as error:
            cause = root(error)
            reason = str(cause) if isinstance(cause, TimeoutError) else type(cause).__name__
            raise self._broken(reason) from None

    def _broken(self, reason: str) -> TransientError:
        message = f"the file broke off ({reason})"
        return TransientError(self._endpoint, self._response.status, message=message)


class RowFile:
    """A file of rows, read from its beginning to its end, over as many connections as that takes.

    Where one breaks off, the file is asked for anew, and what was read before is passed over.

    Attributes:
        is_done: Whether all of it was given.
    """

    def __init__(self) -> None:
        """Ask for nothing yet."""
        self.is_done = False
        self._download: Download | None = None
        self._parts = 0
        self._offset = 0
        self._checksum = 0
        self._held = bytearray()

    def read(self, number: int, ask: Callable[[], Download]) -> Raw:
        """Give the rows of a part, as JSON.

        Args:
            number: The part's, from 0 on: each is given once, in its turn.
            ask: Asks for the file.

        Raises:
            RuntimeError: It is another part's turn.
            TapError: It can't be had; another try goes on where this one ended.
        """
        if number != self._parts:
            msg = f"part {number} of a file is asked for in the turn of part {self._parts}"
            raise RuntimeError(msg)
        try:
            lines = self._read(ask)
        except BaseException:
            self.close()
            raise
        self._parts += 1
        return Raw(b"[" + _SEPARATOR.join(lines) + b"]")

    def close(self) -> None:
        """Let go of the connection, if there is one."""
        download, self._download = self._download, None
        if download is not None:
            download.close()

    def _read(self, ask: Callable[[], Download]) -> list[bytes]:
        if self._download is None:
            self._download = ask()
            self._pass_over(self._download)
        download, held = self._download, self._held
        download.begin_part()
        searched = 0
        while True:
            end = held.rfind(b"\n", searched) if len(held) >= PART else -1
            if end >= 0:
                break
            searched = len(held) if len(held) >= PART else 0
            if len(held) > LARGEST:
                msg = f"a line of the file is longer than {LARGEST // MIB} MiB"
                raise TapError(msg)
            data = download.read(PART)
            if not data:
                self.is_done, end = True, len(held)
                self.close()
                break
            self._offset += len(data)
            self._checksum = zlib.crc32(data, self._checksum)
            held += data
        lines = bytes(held[:end]).split(b"\n")
        del held[: end + 1]
        return [line for line in lines if line and not line.isspace()]

    def _pass_over(self, download: Download) -> None:
        """Go on where the connection before broke off, if it is still the same file."""
        left, checksum = self._offset, 0
        while left:
            download.begin_part()
            data = download.read(min(left, PART))
            if not data:
                break
            left -= len(data)
            checksum = zlib.crc32(data, checksum)
        if left or checksum != self._checksum:
            msg = "the file was made anew while it was read; the next run reads it"
            raise TapError(msg)


def salvage(rows: Raw) -> tuple[Raw, int, list[str]]:
    """Mend rows of a file that were refused.

    Returns:
        The rows without those that are no objects; how many those were; what to report of others.
    """
    kept: list[bytes] = []
    lost, oddities = 0, []
    for line in bytes(rows)[1:-1].split(_SEPARATOR):
        one = Raw(b"[" + line + b"]")
        try:
            one, lost_here, odd = pagination.salvage(one)
            msgspec.json.decode(one)
        except WRONG:
            lost += 1
            continue
        lost += lost_here
        oddities += odd
        if not lost_here:
            kept.append(bytes(one)[1:-1])
    return Raw(b"[" + b",".join(kept) + b"]"), lost, list(dict.fromkeys(oddities))
