"""One request to Twilio: signed, counted, and its answer told apart from a failure."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, cast
from urllib.parse import urlencode, urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3 import Retry, Timeout
from urllib3.exceptions import HTTPError, SSLError

from tap_twilio.errors import TapError, ThrottledError, TransientError, from_response
from tap_twilio.windows import EPOCH

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from requests.auth import AuthBase
    from urllib3 import HTTPConnectionPool

    from tap_twilio.limiter import Limiter

CONNECT_TIMEOUT = 10.0
"""Seconds to wait for a connection; reading has a setting."""

ONCE: Final = Retry(total=False)
"""Leaves retries, and what failed, to the caller."""


class Transport:
    """The connections of a run: one pool a host, shared by all streams.

    Attributes:
        date: Twilio's moment at its first answer, in UTC; none before that.
    """

    def __init__(
        self,
        *,
        connections: int,
        timeout: float,
        user_agent: str,
        note_date: Callable[[datetime], None],
    ) -> None:
        """Open nothing yet.

        Args:
            connections: Most connections to keep to a host.
            timeout: Seconds to wait for an answer, and between its parts.
            user_agent: How the tap names itself.
            note_date: Told ``date``, once it is known.
        """
        self._timeout = Timeout(connect=CONNECT_TIMEOUT, read=timeout)
        # These two know what the environment says of proxies and certificates.
        self._session = requests.Session()
        self._session.headers.update({"User-Agent": user_agent, "Accept": "application/json"})
        self._adapter = HTTPAdapter(pool_maxsize=connections)
        self._pools: dict[str, tuple[HTTPConnectionPool, str]] = {}
        self._note_date = note_date
        self.date: datetime | None = None

    def get(
        self,
        url: str,
        params: Mapping[str, str],
        *,
        endpoint: str,
        auth: AuthBase,
        limiter: Limiter,
    ) -> bytes:
        """Ask once.

        Args:
            url: Address; a link carries its query itself.
            params: Query parameters besides.
            endpoint: Name of what is asked, for messages.
            auth: The signature.
            limiter: The account's bound on requests in flight.

        Returns:
            The body.

        Raises:
            ResponseError: Twilio refused or failed, or its answer broke off.
        """
        sent = limiter.enter()
        try:
            status, headers, body = self._exchange(url, params, endpoint, auth)
        finally:
            limiter.leave()
        if status == HTTPStatus.OK:
            limiter.succeeded(sent)
            return body
        error = from_response(endpoint, status, body, headers)
        if isinstance(error, ThrottledError):
            concurrent = headers.get("Twilio-Concurrent-Requests", "")
            limiter.throttled(
                sent,
                concurrent=int(concurrent) if concurrent.isdigit() else None,
                retry_after=error.retry_after,
            )
        elif not isinstance(error, TransientError):
            limiter.succeeded(sent)
        raise error

    def _exchange(
        self, url: str, params: Mapping[str, str], endpoint: str, auth: AuthBase
    ) -> tuple[int, Mapping[str, str], bytes]:
        """Send a request and read its answer whole.

        What a session does besides for each request costs more than the request: it looks through
        the environment, keeps cookies, follows redirections, and reads the body in pieces.
        """
        address = urlsplit(url)
        pool, prefix = self._pool(f"{address.scheme}://{address.netloc}")
        query = "&".join(filter(None, (address.query, urlencode(params))))
        request = requests.Request(headers=dict(self._session.headers))
        auth(cast("Any", request))
        try:
            response = pool.urlopen(
                "GET",
                f"{prefix}{address.path}?{query}" if query else prefix + address.path,
                headers=request.headers,
                retries=ONCE,
                timeout=self._timeout,
                preload_content=False,
            )
        except SSLError as untrusted:
            msg = (
                f"{address.hostname}: its certificate can't be verified ({untrusted}). If "
                "it is a proxy's of your own, name the file of its CA in REQUESTS_CA_BUNDLE"
            )
            raise TapError(msg) from untrusted
        except HTTPError as error:
            raise requests.ConnectionError(error) from error
        if self.date is None:
            self._look_at_date(response.headers.get("Date"))
        try:
            body = response.read(decode_content=True)
        except HTTPError as error:
            message = f"the answer broke off ({type(error).__name__})"
            raise TransientError(endpoint, response.status, message=message) from error
        return response.status, response.headers, body

    def _look_at_date(self, value: str | None) -> None:
        try:
            date = parsedate_to_datetime(value or "")
            date = date.astimezone(UTC) if date.tzinfo else date.replace(tzinfo=UTC)
        except (ArithmeticError, LookupError, TypeError, ValueError):
            return
        if date >= EPOCH:
            self.date = date
            self._note_date(date)

    def _pool(self, host: str) -> tuple[HTTPConnectionPool, str]:
        """Give a host's connections, and what its proxy wants before each path."""
        if host not in self._pools:
            known = self._session.merge_environment_settings(host, {}, None, None, None)
            verify, cert, proxies = known["verify"], known["cert"], known["proxies"]
            request = requests.Request("GET", host).prepare()
            adapter: Any = self._adapter
            pool = adapter.get_connection_with_tls_context(
                request, verify, proxies=proxies, cert=cert
            )
            adapter.cert_verify(pool, host, verify, cert)
            prefix = self._adapter.request_url(request, proxies).removesuffix("/")
            self._pools[host] = pool, prefix
        return self._pools[host]
