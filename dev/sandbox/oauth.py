"""OAuth apps: tokens for client credentials, good until the sandbox's clock says otherwise."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl

from sandbox import errors
from sandbox.accounts import Account, Caller, Directory
from sandbox.identifiers import secret

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

PLACE: Final = ("POST", "oauth", "/v2/token")
"""How tokens are asked for, and where."""

HOUR: Final = 3600


@dataclass
class App:
    """Client credentials of an account.

    Attributes:
        lifetime: Seconds for which its tokens are good.
    """

    client_id: str
    secret: str = field(repr=False)
    account: Account
    lifetime: int = HOUR


@dataclass(frozen=True)
class Grant:
    """A request for a token that is granted: whose, and for whom."""

    app: App
    account: Account


class Desk:
    """Gives tokens, and knows them again.

    Args:
        apps: Whom it gives any.
        clock: Tells the sandbox's moment.
        seed: What tokens depend on.
    """

    def __init__(self, apps: list[App], clock: Callable[[], int], seed: int) -> None:
        """Start without tokens."""
        self.apps = apps
        self.tokens: dict[str, tuple[Account, int]] = {}
        self._clock = clock
        self._seed = seed
        self._given = 0

    def grant(self, form: Mapping[str, str], query_string: str, directory: Directory) -> Grant:
        """Decide on a request for a token.

        Raises:
            TwilioError: If the client credentials are none of ours, or not good for the account.
        """
        kind = "grant_type"
        if form.get(kind) != "client_credentials":
            raise errors.invalid(kind, form.get(kind, ""))
        own = (form.get("client_id"), form.get("client_secret"))
        app = next((app for app in self.apps if (app.client_id, app.secret) == own), None)
        if app is None:
            raise errors.unauthenticated()
        app.account.check()
        named = dict(parse_qsl(query_string)).get("account_sid", app.account.sid)
        account = directory.get(named)
        if account is None or app.account.sid not in (account.sid, account.owner):
            raise errors.unauthenticated()
        return Grant(app, account)

    def issue(self, grant: Grant) -> dict[str, Any]:
        """Give a token."""
        self._given += 1
        end = self._clock() + grant.app.lifetime
        claims = {"sub": grant.account.sid, "exp": end}
        parts = [_coded({"alg": "HS256", "typ": "JWT"}), _coded(claims)]
        token = ".".join([*parts, secret(self._seed, "oauth", self._given)])
        self.tokens[token] = grant.account, end
        return {
            "access_token": token,
            "token_type": "Bearer",
            "expires_in": grant.app.lifetime,
            "id_token": None,
            "refresh_token": None,
        }

    def caller(self, token: str) -> Caller | None:
        """Tell whom a token stands for, while it is good."""
        account, end = self.tokens.get(token, (None, 0))
        return Caller(account, "oauth") if account is not None and self._clock() < end else None

    def revoke(self) -> None:
        """End all tokens."""
        self.tokens = {token: (account, 0) for token, (account, _) in self.tokens.items()}


def _coded(part: dict[str, Any]) -> str:
    text = json.dumps(part, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(text).decode().rstrip("=")
