"""How a host is reached: by which proxy, trusting whom, and what to say where it can't be."""

from __future__ import annotations

import base64
import http.client
import io
import logging
import os
import re
import socket
import ssl
import threading
import time
from dataclasses import dataclass, field
from functools import cached_property, partial
from http import HTTPStatus
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote, urlsplit

from requests.utils import DEFAULT_CA_BUNDLE_PATH, get_environ_proxies, select_proxy
from typing_extensions import override
from urllib3 import PoolManager, ProxyManager, Timeout
from urllib3.exceptions import HTTPError, ProxyError, ReadTimeoutError
from urllib3.util import parse_url
from urllib3.util.ssl_ import create_urllib3_context

from tap_twilio.http.errors import BarredError, TapError, UnreachableError
from tap_twilio.http.redaction import redactor

if TYPE_CHECKING:
    from typing_extensions import Buffer
    from urllib3 import HTTPConnectionPool
    from urllib3.util import Url

CONNECT_TIMEOUT: Final = 10.0
"""Seconds to wait for a connection; reading has a setting."""

WHOLE: Final = 5
"""How many times ``request_timeout`` a whole answer may take, however steadily it comes."""

AUTHORITIES: Final = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")
"""Environment variables that name the certificates to trust; the first that is set counts."""

NO_TLS: Final = frozenset(
    {"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "UNKNOWN_PROTOCOL", "HTTP_REQUEST"}
)
"""OpenSSL's reasons for refusing an answer that is no TLS."""

PASSING: Final = re.compile(r"408|429|5..")
"""A proxy's statuses for a failure to connect that may pass; others are refusals."""

_TUNNEL: Final = re.compile(r"Tunnel connection failed: (\d{3}) ?(.*)")


def is_no_warning(record: logging.LogRecord) -> bool:
    """Tell whether to log a record: urllib3's warnings of odd headers are of no use."""
    return record.levelno != logging.WARNING


logging.getLogger("urllib3.connection").addFilter(is_no_warning)
logging.getLogger("urllib3.response").addFilter(is_no_warning)


@dataclass(frozen=True)
class Proxy:
    """A proxy that the environment names.

    Attributes:
        url: Its address, with the credentials for it.
        variable: The environment variable that names it.
    """

    url: Url = field(repr=False)
    variable: str

    @classmethod
    def to(cls, base: str) -> Proxy | None:
        """Find the proxy to a scheme and host; none if the environment names none, or excepts it.

        Raises:
            TapError: The environment names something that is no proxy, or one that needs PySocks.
        """
        given = select_proxy(base, get_environ_proxies(base))
        if not given:
            return None
        names = (f"{urlsplit(base).scheme}_proxy", "all_proxy")
        spelled = [one for name in names for one in (name.upper(), name)]
        variable = next((name for name in spelled if os.environ.get(name) == given), spelled[0])
        try:
            url = parse_url(given if "://" in given else f"http://{given}")
        except HTTPError:
            url = parse_url("")
        known = url.scheme in {"http", "https", "socks4", "socks4a", "socks5", "socks5h"}
        if not known or not url.host:
            msg = f"{variable}: it names no proxy; one looks like http://127.0.0.1:3128"
            raise TapError(msg)
        proxy = cls(url, variable)
        if proxy.is_socks and find_spec("socks") is None:
            msg = f"{variable}: a SOCKS proxy needs the package PySocks beside the tap"
            raise TapError(msg)
        proxy.keep_secret()
        return proxy

    def __str__(self) -> str:
        """Name it, without credentials."""
        return f"the proxy {self.url.netloc} that {self.variable} names"

    @property
    def is_socks(self) -> bool:
        """Whether it passes bytes on, whatever they are."""
        return str(self.url.scheme).startswith("socks")

    @property
    def credentials(self) -> tuple[str | None, str | None]:
        """User and password, decoded; none where the address has none."""
        if self.url.auth is None:
            return None, None
        user, _, password = self.url.auth.partition(":")
        return unquote(user), unquote(password)

    @property
    def authorization(self) -> dict[str, str]:
        """The header that signs in to it."""
        if self.url.auth is None:
            return {}
        token = base64.b64encode(":".join(map(str, self.credentials)).encode()).decode()
        return {"Proxy-Authorization": f"Basic {token}"}

    def keep_secret(self) -> None:
        """Keep its credentials out of every log."""
        redactor.add(self.url.auth)
        redactor.add((self.url.auth or "").partition(":")[2])
        redactor.add(self.credentials[1])
        for value in self.authorization.values():
            redactor.add(value.removeprefix("Basic "))

    def manager(self, context: ssl.SSLContext | None, connections: int) -> PoolManager:
        """Make a manager that trusts by the context, and keeps so many connections to a host."""
        address = self.url._replace(auth=None).url
        if self.is_socks:
            from urllib3.contrib.socks import SOCKSProxyManager  # noqa: PLC0415

            user, password = self.credentials
            return SOCKSProxyManager(
                address, user, password, maxsize=connections, ssl_context=context
            )
        return ProxyManager(
            address,
            proxy_headers=self.authorization,
            proxy_ssl_context=context,
            maxsize=connections,
            ssl_context=context,
        )


class TooLongError(TimeoutError):
    """An answer came, but not to its end in time."""


class Answer(http.client.HTTPResponse):
    """An answer that has to be whole by a certain time, however its parts come."""

    def __init__(self, sock: socket.socket, *args: Any, seconds: float, **kwargs: Any) -> None:
        """Count the seconds from now on."""
        timed: Any = _Timed(sock, seconds)
        super().__init__(timed, *args, **kwargs)


class _Timed(io.RawIOBase):
    """Reads from a socket, up to a certain time."""

    def __init__(self, sock: socket.socket, seconds: float) -> None:
        self._raw = sock.makefile("rb", buffering=0)
        self._seconds = seconds
        self._until = time.monotonic() + seconds

    def makefile(self, _mode: str) -> io.BufferedReader:
        """Stand in for the socket."""
        return io.BufferedReader(self)

    @override
    def readable(self) -> bool:
        return True

    @override
    def readinto(self, buffer: Buffer) -> int | None:
        if time.monotonic() > self._until:
            msg = f"more than {self._seconds:g} s in all"
            raise TooLongError(msg)
        return self._raw.readinto(buffer)

    @override
    def close(self) -> None:
        self._raw.close()
        super().close()


@dataclass(frozen=True)
class Route:
    """How a host is reached.

    Attributes:
        host: The host, as people write it.
        prefix: Goes before each path: the host's address, for a proxy that forwards.
        check: Tells a user what to look at where the host can't be reached.
        patience: Seconds to wait for an answer, and between its parts.
        timeout: The same, and that for connecting, as connections have them.
    """

    pool: HTTPConnectionPool
    host: str
    prefix: str
    proxy: Proxy | None
    check: str
    patience: float
    timeout: Timeout

    def unauthenticated(self) -> BarredError:
        """Say that the proxy wants a user and a password."""
        return BarredError(
            f"{self.proxy} wants a user and a password, or others than it has (407): write them "
            "into it, as in http://user:password@127.0.0.1:3128"
        )

    def explain(self, error: HTTPError, endpoint: str) -> TapError:
        """Say why no answer came: an :class:`UnreachableError` where another try may go better."""
        cause = root(error)
        place = str(self.proxy) if isinstance(error, ProxyError) else self.host
        if isinstance(cause, ssl.SSLCertVerificationError):
            variable = authority() or AUTHORITIES[0]
            return TapError(
                f"{place}: its certificate can't be verified ({cause.verify_message}). If it is "
                f"signed by a CA of your own, name the file of that in {variable}"
            )
        if isinstance(cause, ssl.SSLError) and cause.reason in NO_TLS:
            return TapError(
                f"{place}: it doesn't speak TLS there. Check {self.check}: an address without TLS "
                "begins with http://"
            )
        if refusal := _TUNNEL.match(str(cause)):
            status, reason = refusal.groups()
            return self._refused(status, reason, endpoint)
        if isinstance(error, ReadTimeoutError) and "handshake" not in str(cause):
            waited = f"no answer within {self.patience:g} s"
            waited = str(cause) if isinstance(cause, TooLongError) else waited
            return UnreachableError(
                f"{endpoint}: {place} is too slow: {waited}. request_timeout allows for more"
            )
        return UnreachableError(
            f"{endpoint}: {place} can't be reached: {reason_of(cause)}. Check {self.check}"
        )

    def _refused(self, status: str, reason: str, endpoint: str) -> TapError:
        """Say that the proxy is there, but doesn't connect to the host."""
        if int(status) == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED:
            return self.unauthenticated()
        msg = f"{endpoint}: {self.proxy} doesn't connect to {self.host} ({status} {reason})"
        if PASSING.fullmatch(status):
            return UnreachableError(msg)
        return TapError(f"{msg}: ask whoever runs it, or name the host in NO_PROXY")


class Network:
    """The routes of a run, one a host, shared by all streams."""

    def __init__(
        self,
        *,
        connections: int,
        timeout: float,
        settings: tuple[str, ...] = (),
        whole: float = WHOLE,
    ) -> None:
        """Open nothing yet.

        Args:
            connections: Most connections to keep to a host.
            timeout: Seconds to wait for an answer, and between its parts.
            settings: Names of the settings that the hosts' addresses come from.
            whole: How many times ``timeout`` a whole answer may take, however steadily it comes.
        """
        self._timeout = timeout
        self._connections = connections
        self._answer = partial(Answer, seconds=whole * timeout)
        self._settings = settings
        self._routes: dict[str, Route] = {}
        self._lock = threading.Lock()

    def route(self, base: str) -> Route:
        """Give the one route to a scheme and host; safe in any thread.

        Raises:
            TapError: What the environment says of proxies or certificates makes no sense.
        """
        route = self._routes.get(base)
        if route is None:
            with self._lock:
                route = self._routes.get(base) or self._new(base)
                self._routes[base] = route
        return route

    def _new(self, base: str) -> Route:
        proxy, target = Proxy.to(base), urlsplit(base)
        if proxy is None:
            manager = PoolManager(maxsize=self._connections, ssl_context=self._context(base))
        else:
            tls = "https" if proxy.url.scheme == "https" else base
            manager = proxy.manager(self._context(tls), self._connections)
        pool: Any = manager.connection_from_url(base)
        attributes = {"response_class": staticmethod(self._answer)}
        pool.ConnectionCls = type("Connection", (pool.ConnectionCls,), attributes)
        forwards = proxy is not None and not proxy.is_socks and target.scheme == "http"
        named = [proxy.variable] if proxy is not None else [*self._settings]
        check = " and ".join([*named, "the network"])
        if proxy is None and not self._settings:
            check += f"; if that needs a proxy, {target.scheme.upper()}_PROXY names it"
        return Route(
            pool,
            host=target.netloc,
            prefix=base if forwards else "",
            proxy=proxy,
            check=check,
            patience=self._timeout,
            timeout=Timeout(connect=CONNECT_TIMEOUT, read=self._timeout),
        )

    def _context(self, base: str) -> ssl.SSLContext | None:
        return self._trusted if base.startswith("https") else None

    @cached_property
    def _trusted(self) -> ssl.SSLContext:
        """Certificates to trust: read once, not for each connection."""
        variable = authority()
        place = os.environ[variable] if variable is not None else DEFAULT_CA_BUNDLE_PATH
        context = create_urllib3_context()
        try:
            if Path(place).is_dir():
                context.load_verify_locations(capath=place)
            else:
                context.load_verify_locations(cafile=place)
        except OSError as error:
            what = "holds no certificates in PEM form"
            if not isinstance(error, ssl.SSLError):
                what = f"can't be read ({error.strerror})"
            msg = f"{variable or 'certifi'}: the file {place} {what}, and so no host can be trusted"
            raise TapError(msg) from error
        return context


def authority() -> str | None:
    """Name the environment variable that says whom to trust, if one does."""
    return next((name for name in AUTHORITIES if os.environ.get(name)), None)


def root(error: BaseException) -> BaseException:
    """Find the innermost error of those that the library wraps in each other."""
    while True:
        parts = [error.__cause__, *error.args]
        inner = next((part for part in parts if isinstance(part, BaseException)), None)
        if inner is None:
            return error
        error = inner


def reason_of(cause: BaseException) -> str:
    """Say in a few words what the innermost error means."""
    if isinstance(cause, socket.gaierror):
        return f"its name can't be resolved ({cause.strerror})"
    if isinstance(cause, TimeoutError):
        kind = "TLS connection" if "handshake" in str(cause) else "connection"
        return f"no {kind} within {CONNECT_TIMEOUT:g} s"
    if isinstance(cause, OSError) and cause.strerror:
        return cause.strerror
    if isinstance(cause, http.client.HTTPException) and not isinstance(cause, OSError):
        return f"what it says is no HTTP ({type(cause).__name__})"
    # The library puts the connection before its own words.
    return str(cause).rpartition("): ")[2] or type(cause).__name__
