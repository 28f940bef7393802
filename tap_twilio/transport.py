"""One request to Twilio: signed, counted, and its answer told apart from a failure."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError

from tap_twilio.errors import TapError, ThrottledError, TransientError, from_response

if TYPE_CHECKING:
    from collections.abc import Mapping

    from requests.auth import AuthBase

    from tap_twilio.limiter import Limiter

CONNECT_TIMEOUT = 10.0
"""Seconds to wait for a connection; reading has a setting."""


class Transport:
    """The connections of a run: one pool a host, shared by all streams."""

    def __init__(self, *, connections: int, timeout: float, user_agent: str) -> None:
        """Open nothing yet.

        Args:
            connections: Most connections to keep to a host.
            timeout: Seconds to wait for an answer, and between its parts.
            user_agent: How the tap names itself.
        """
        self._timeout = (CONNECT_TIMEOUT, timeout)
        self._session = requests.Session()
        self._session.headers.update({"User-Agent": user_agent, "Accept": "application/json"})
        self._session.mount("https://", HTTPAdapter(pool_maxsize=connections))
        self._session.mount("http://", HTTPAdapter(pool_maxsize=connections))
        self._environment: dict[str, dict[str, Any]] = {}

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
        except requests.exceptions.SSLError as untrusted:
            msg = (
                f"{urlsplit(url).hostname}: its certificate can't be verified ({untrusted}). If "
                "it is a proxy's of your own, name the file of its CA in REQUESTS_CA_BUNDLE"
            )
            raise TapError(msg) from untrusted
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
        """Send a request and read its answer at once.

        What a session does besides for each request is left out: looking through the environment
        again, cookies, redirections, and reading the body in pieces, which takes five times as
        long as reading it whole.
        """
        request = requests.PreparedRequest()
        request.prepare("GET", url, headers=self._session.headers, params=params, auth=auth)
        response = self._session.get_adapter(url).send(
            request, timeout=self._timeout, stream=True, **self._settings_of(url)
        )
        try:
            body = response.raw.read(decode_content=True)
        except HTTPError as error:
            message = f"the answer broke off ({type(error).__name__})"
            raise TransientError(endpoint, response.status_code, message=message) from error
        return response.status_code, response.headers, body

    def _settings_of(self, url: str) -> dict[str, Any]:
        """Tell the proxies and certificates that the environment sets for a host."""
        address = urlsplit(url)
        host = f"{address.scheme}://{address.netloc}"
        if host not in self._environment:
            merged = self._session.merge_environment_settings(host, {}, None, None, None)
            self._environment[host] = {name: merged[name] for name in ("proxies", "verify", "cert")}
        return self._environment[host]
