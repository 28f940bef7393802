"""Who may read what: accounts, API keys and the rules of the two kinds of host."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

from sandbox import errors

if TYPE_CHECKING:
    from collections.abc import Callable

Status = Literal["active", "suspended", "closed"]
Kind = Literal["token", "main", "standard", "restricted", "test", "oauth"]

CLASSIC: Final = "api"
"""The host of the 2010-04-01 API, whose paths name the account."""

_MAIN_ONLY: Final = re.compile(
    r"api/2010-04-01/Accounts(\.json|/AC\w{32}(\.json|/(Keys|SigningKeys)\b.*))|iam/v1/Keys\b.*",
    re.ASCII,
)


@dataclass
class Account:
    """A Twilio account or subaccount.

    Attributes:
        sid: Its SID.
        auth_token: Its token.
        friendly_name: What people call it.
        owner: The SID of the account that it belongs to.
        created: When it was opened.
        status: Whether it is in use.
        readable: Whether it answers though it isn't, as Twilio keeps history for a while.
    """

    sid: str
    auth_token: str = field(repr=False)
    friendly_name: str
    owner: str
    created: int
    status: Status = "active"
    readable: bool = False

    def check(self) -> None:
        """Refuse to answer for an account that is not in use.

        Raises:
            TwilioError: If it is not, and doesn't answer all the same.
        """
        if self.status == "closed" and not self.readable:
            raise errors.unauthenticated()
        if self.status == "suspended" and not self.readable:
            raise errors.suspended()


@dataclass(frozen=True)
class ApiKey:
    """An API key: acts for one account, within the limits of its kind."""

    sid: str
    secret: str = field(repr=False)
    account: Account
    kind: Kind
    allowed: tuple[str, ...] = ()


@dataclass(frozen=True)
class Caller:
    """Whom a request's credential stands for."""

    account: Account
    kind: Kind
    allowed: tuple[str, ...] = ()


class Directory:
    """All accounts and keys.

    Args:
        accounts: The parent first, then its subaccounts.
        keys: API keys of any of them.
    """

    def __init__(self, accounts: list[Account], keys: list[ApiKey]) -> None:
        """Keep both."""
        self.accounts = accounts
        self.keys = keys
        self.test_token: str | None = None
        self.bearer: Callable[[str], Caller | None] = lambda _: None

    def get(self, sid: str) -> Account | None:
        """Find an account by its SID."""
        return next((account for account in self.accounts if account.sid == sid), None)

    def visible_to(self, account: Account) -> list[Account]:
        """List an account and its subaccounts."""
        return [one for one in self.accounts if account.sid in (one.sid, one.owner)]

    def authenticate(self, authorization: str | None, *, is_testable: bool = False) -> Caller:
        """Find out who asks.

        Args:
            authorization: The header of that name.
            is_testable: Whether test credentials may ask for it.

        Returns:
            The caller.

        Raises:
            TwilioError: If the credential is none of ours or its account is not active.
        """
        scheme, _, rest = (authorization or "").partition(" ")
        if scheme.lower() == "bearer":
            caller = self.bearer(rest)
        else:
            caller = self._caller(*_basic(authorization))
        if caller is None:
            raise errors.unauthenticated()
        caller.account.check()
        if caller.kind == "test" and not is_testable:
            raise errors.test_credentials()
        return caller

    def authorize(self, caller: Caller, host: str, path: str, named: str | None) -> Account:
        """Decide whose rows a request reads.

        Args:
            caller: Who asks.
            host: The product's host label.
            path: The path on that host.
            named: The account SID in the path, where there is one.

        Returns:
            The account whose rows are meant.

        Raises:
            TwilioError: If the caller may not read them.
        """
        if caller.kind == "standard" and _MAIN_ONLY.fullmatch(f"{host}{path}"):
            raise errors.unauthenticated()
        if caller.kind == "restricted" and not _allows(caller, host, path):
            raise errors.forbidden()
        if host != CLASSIC or named is None:
            return caller.account
        account = self.get(named)
        if account is None:
            raise errors.not_found(path)
        if caller.account.sid not in (account.sid, account.owner):
            raise errors.unauthenticated()
        # The account's own row stays readable, or nobody could tell why the rest is not.
        if not re.fullmatch(r"/2010-04-01/Accounts/AC\w{32}\.json", path):
            account.check()
        return account

    def _caller(self, name: str, password: str) -> Caller | None:
        account = self.get(name)
        if account is not None:
            if password == account.auth_token:
                return Caller(account, "token")
            if password == self.test_token and account is self.accounts[0]:
                return Caller(account, "test")
        for key in self.keys:
            if (key.sid, key.secret) == (name, password):
                return Caller(key.account, key.kind, key.allowed)
        return None


def _basic(authorization: str | None) -> tuple[str, str]:
    scheme, _, encoded = (authorization or "").partition(" ")
    if scheme.lower() != "basic":
        raise errors.unauthenticated()
    try:
        name, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        raise errors.unauthenticated() from None
    return name, password


def _allows(caller: Caller, host: str, path: str) -> bool:
    place = f"{host}{path}".replace(caller.account.sid, "{AccountSid}")
    return any(place.startswith(prefix) for prefix in caller.allowed)
