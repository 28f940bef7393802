"""The API on a loopback port.

One port serves every product: the first segment of a path is the label of the product's host.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import threading
import time
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl

from aiohttp import web

from sandbox import errors
from sandbox.api import Access, Reply, Request
from sandbox.errors import TwilioError
from sandbox.faults import Fault, Faults, Trouble, error_reply, throttle
from sandbox.log import LoggedRequest, RequestLog
from sandbox.moments import http_date

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sandbox.api import Api

    Control = Callable[[Mapping[str, str]], object]

_CONTROL: Final = "_sandbox"
_UNANSWERED: Final = Reply(0, b"")


@dataclass
class Conduct:
    """How the server behaves.

    Attributes:
        latency: Seconds that every answer takes.
        jitter: Seconds that it may take longer.
        faults: Trouble that comes by itself.
        planned: Trouble planned for some requests.
    """

    latency: float
    jitter: float
    faults: Faults
    planned: list[Fault]


class Server:
    """Serves the API from a thread of its own.

    Args:
        api: What answers.
        lock: Held while an answer is made, so that edits never meet half a page.
        conduct: How to behave.
        log: Where requests are noted.
        seed: What the dice depend on.
        controls: What else is told or done over HTTP, by its path; it is given the query.
        now: Tells the moment that answers are dated by.
    """

    def __init__(  # noqa: PLR0913
        self,
        api: Api,
        lock: threading.RLock,
        conduct: Conduct,
        log: RequestLog,
        *,
        seed: int,
        controls: Mapping[str, Control],
        now: Callable[[], int],
    ) -> None:
        """Prepare everything but the socket."""
        self._api = api
        self._lock = lock
        self._conduct = conduct
        self._log = log
        self._seed = seed
        self._dice = random.Random(seed)  # noqa: S311
        self._controls = controls
        self._now = now
        self._in_flight: Counter[str] = Counter()
        self._all_in_flight = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._thread: threading.Thread | None = None
        self.port = 0

    def start(self, port: int) -> None:
        """Listen, and return once requests are answered.

        Args:
            port: Where; 0 for any free port.

        Raises:
            OSError: If the port is taken.
        """
        ready = threading.Event()
        failures: list[OSError] = []
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._serve(port, ready, failures)),
            name="twilio-sandbox",
            daemon=True,
        )
        self._thread.start()
        ready.wait()
        if failures:
            raise failures[0]

    def stop(self) -> None:
        """Stop listening and drop what is in flight."""
        if self._loop is not None and self._stop is not None and self._thread is not None:
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join()
            self._thread = None

    def join(self) -> None:
        """Wait until the server is stopped."""
        while self._thread is not None and self._thread.is_alive():
            self._thread.join(1)

    async def _serve(self, port: int, ready: threading.Event, failures: list[OSError]) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        runner = web.ServerRunner(web.Server(self._handle, access_log=None), shutdown_timeout=0.1)
        await runner.setup()
        try:
            site = web.TCPSite(runner, "127.0.0.1", port, backlog=1024)
            await site.start()
            self.port = runner.addresses[0][1]
        except OSError as error:
            failures.append(error)
            self._stop.set()
        finally:
            ready.set()
        await self._stop.wait()
        await runner.cleanup()

    async def _handle(self, http: web.BaseRequest) -> web.StreamResponse:
        _, _, rest = http.rel_url.raw_path.partition("/")
        host, _, path = rest.partition("/")
        if host == _CONTROL:
            return await self._control(http, path)
        try:
            body = await http.read() if http.can_read_body else b""
        except ConnectionError:
            # The client has gone in the middle of what it asks for, and so has asked for nothing.
            return web.Response(status=400)
        request = Request(
            http.method,
            host,
            f"/{http.path.partition('/')[2].partition('/')[2]}",
            http.rel_url.raw_query_string,
            http.headers.get("Authorization"),
            body.decode(errors="replace"),
        )
        access, refused = self._admit(request)
        account = access.account.sid if access else ""
        self._in_flight[account] += 1
        self._all_in_flight += 1
        entry = LoggedRequest(
            request.method,
            host,
            request.path,
            parse_qsl(request.query_string, keep_blank_values=True),
            account or None,
            0,
            time.monotonic(),
            0.0,
            self._all_in_flight,
            http.headers.get("User-Agent", ""),
            authorized=request.authorization is not None,
        )
        self._log.open(entry)
        status = 0
        try:
            reply = await self._reply(request, access, refused, account)
            response = await _send(http, reply, self._headers(account, entry))
            status = reply.status
            return response
        finally:
            self._in_flight[account] -= 1
            self._all_in_flight -= 1
            self._log.close(entry, status, time.monotonic())

    def _admit(self, request: Request) -> tuple[Access | None, TwilioError | None]:
        with self._lock:
            try:
                return self._api.admit(request), None
            except TwilioError as error:
                return None, error

    async def _reply(
        self, request: Request, access: Access | None, refused: TwilioError | None, account: str
    ) -> Reply:
        conduct = self._conduct
        most = conduct.faults.max_concurrency
        if most is not None and account and self._in_flight[account] > most:
            effect = throttle(conduct.faults.retry_after)
            return effect(error_reply(errors.too_many_requests()), request)
        if conduct.latency or conduct.jitter:
            await asyncio.sleep(conduct.latency + conduct.jitter * self._dice.random())
        troubles = self._troubles(request, account)
        reply = (
            _UNANSWERED
            if any(trouble.prevents for trouble in troubles)
            else self._answer(request, access, refused)
        )
        for trouble in troubles:
            reply = trouble.effect(reply, request)
        if reply.delay:
            await asyncio.sleep(reply.delay)
        return reply

    def _answer(
        self, request: Request, access: Access | None, refused: TwilioError | None
    ) -> Reply:
        if access is None:
            return error_reply(refused or errors.unauthenticated())
        with self._lock:
            try:
                return self._api.answer(request, access)
            except TwilioError as error:
                return error_reply(error)

    def _troubles(self, request: Request, account: str) -> list[Trouble]:
        conduct = self._conduct
        query = dict(parse_qsl(request.query_string, keep_blank_values=True))
        troubles = [
            Trouble(fault.effect, fault.is_accepted)
            for fault in conduct.planned
            if fault.strikes(request, query, account or None)
        ]
        drawn = conduct.faults.draw(self._dice, request.method)
        return troubles if drawn is None else [*troubles, drawn]

    def _headers(self, account: str, entry: LoggedRequest) -> dict[str, str]:
        return {
            "Date": http_date(self._now()),
            "Twilio-Concurrent-Requests": str(self._in_flight[account]),
            "Twilio-Request-Id": f"RQ{self._seed & 0xFFFFFFFFFFFFFFFF:016x}{self._log.total:016x}",
            "Twilio-Request-Duration": f"{time.monotonic() - entry.started:.3f}",
            "X-Home-Region": "us1",
            "X-API-Domain": f"{entry.product}.twilio.com",
        }

    async def _control(self, http: web.BaseRequest, path: str) -> web.Response:
        if path == "requests":
            wanted = http.rel_url.query.get("entries") == "true"
            return _json(self._log.summary(entries=wanted))
        if path == "reset":
            self._log.reset()
            return _json({"reset": True})
        control = self._controls.get(path)
        if control is None:
            return _json(
                {"known": ["requests", "requests?entries=true", "reset", *self._controls]}, 404
            )
        with self._lock:
            return _json(control(http.rel_url.query))


def _json(body: object, status: int = 200) -> web.Response:
    return web.Response(
        body=json.dumps(body).encode(), status=status, content_type="application/json"
    )


async def _send(http: web.BaseRequest, reply: Reply, headers: dict[str, str]) -> web.StreamResponse:
    headers |= {"Content-Type": reply.content_type, **dict(reply.headers)}
    if reply.cut is None and reply.pieces == 1:
        return web.Response(body=reply.body, status=reply.status, headers=headers)
    response = web.StreamResponse(status=reply.status, headers=headers)
    response.content_length = len(reply.body)
    # Clients may have left by now.
    with contextlib.suppress(ConnectionError):
        if reply.cut is None or reply.cut >= 0:
            await response.prepare(http)
        body = reply.body if reply.cut is None else reply.body[: max(0, reply.cut)]
        step = max(1, -(-len(body) // reply.pieces))
        for start in range(0, len(body), step):
            await response.write(body[start : start + step])
            await asyncio.sleep(reply.pause)
    if reply.cut is not None and http.transport is not None:
        http.transport.abort()
    return response
