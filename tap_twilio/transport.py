"""One request to Twilio: signed, counted, and its answer told apart from a failure."""

from __future__ import annotations

from decimal import Decimal
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import msgspec
import requests
from requests.adapters import HTTPAdapter

from tap_twilio.errors import TapError, ThrottledError, TransientError, from_response

if TYPE_CHECKING:
    from collections.abc import Mapping

    from requests.auth import AuthBase

    from tap_twilio.limiter import Limiter

CONNECT_TIMEOUT = 10.0
"""Seconds to wait for a connection; reading has a setting."""

decoder = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal)


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
        self.session = requests.Session()
        self.session.headers.update({"User-Agent": user_agent, "Accept": "application/json"})
        self.session.mount("https://", HTTPAdapter(pool_maxsize=connections))
        self.session.mount("http://", HTTPAdapter(pool_maxsize=connections))

    def get(
        self,
        url: str,
        params: Mapping[str, str],
        *,
        endpoint: str,
        auth: AuthBase,
        limiter: Limiter,
    ) -> tuple[dict[str, Any], int]:
        """Ask once.

        Args:
            url: Address; a link carries its query itself.
            params: Query parameters besides.
            endpoint: Name of what is asked, for messages.
            auth: The signature.
            limiter: The account's bound on requests in flight.

        Returns:
            The decoded body, and its size in bytes.

        Raises:
            ResponseError: Twilio refused, failed or sent something else than an object.
        """
        sent = limiter.enter()
        try:
            response = self.session.get(
                url, params=params, auth=auth, timeout=self._timeout, allow_redirects=False
            )
        except requests.exceptions.SSLError as untrusted:
            msg = (
                f"{urlsplit(url).hostname}: its certificate can't be verified ({untrusted}). If "
                "it is a proxy's of your own, name the file of its CA in REQUESTS_CA_BUNDLE"
            )
            raise TapError(msg) from untrusted
        finally:
            limiter.leave()
        body = response.content
        if response.status_code != HTTPStatus.OK:
            error = from_response(endpoint, response.status_code, body, response.headers)
            if isinstance(error, ThrottledError):
                concurrent = response.headers.get("Twilio-Concurrent-Requests", "")
                limiter.throttled(
                    sent,
                    concurrent=int(concurrent) if concurrent.isdigit() else None,
                    retry_after=error.retry_after,
                )
            elif not isinstance(error, TransientError):
                limiter.succeeded()
            raise error
        try:
            payload = decoder.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            what = "an empty body" if not body else "a body that is no JSON object"
            raise TransientError(endpoint, response.status_code, message=what) from error
        limiter.succeeded()
        return payload, len(body)
