"""The sandbox as tests and people use it."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, Self

from sandbox.accounts import Account, ApiKey, Directory, Kind, Status
from sandbox.api import Api, Services
from sandbox.endpoints import SCHEMAS, Endpoint, read_catalogue
from sandbox.exports import Exports, packed
from sandbox.faults import Effect, Fault, Faults
from sandbox.filters import Readings
from sandbox.identifiers import secret, seed_of
from sandbox.log import RequestLog
from sandbox.messaging import MEDIA_SHARE
from sandbox.moments import DAY, iso8601, read_iso
from sandbox.oauth import App, Desk
from sandbox.rows import NAMES, foreign_sid
from sandbox.server import Conduct, Server
from sandbox.storage import Storage
from sandbox.tables import Span, Table
from sandbox.usage import Ledger, is_usage
from sandbox.world import ACCOUNTS, Scale, World
from sandbox.writing import Writer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path
    from types import TracebackType

    from sandbox.api import Request
    from sandbox.frames import Wire
    from sandbox.paths import Content
    from sandbox.refusals import Rules

RESTRICTED_TO: Final = (
    "api/2010-04-01/Accounts/{AccountSid}/Calls",
    "api/2010-04-01/Accounts/{AccountSid}/Messages",
    "monitor/v1/Alerts",
)
_CACHE_BYTES: Final = 256 << 20
_LOG_SIZE: Final = 100_000


class Row(dict[str, Any]):
    """A row as it stands on the wire.

    Attributes:
        path_values: The placeholders of the list that shows it, the account's among them.
    """

    def __init__(self, row: Wire, path_values: Mapping[str, str]) -> None:
        """Keep the way to the row beside it."""
        super().__init__(row)
        self.path_values = dict(path_values)


@dataclass(frozen=True)
class Options:
    """What a sandbox is made of.

    Attributes:
        seed: What all rows, SIDs and secrets depend on.
        now: The moment at which its clock stands, in ISO 8601.
        frozen: Whether answers, and messages that clients write, are dated by that, too; else time
            passes for them.
        days: How far back calls, messages and the like reach.
        volumes: Rows of the main account by stream (`calls`, `messages`, `alerts` …); a subaccount
            has a third.
        media_share: The share of messages that have media.
        subaccounts: How many there are.
        schemas: The folder of schema files.
        readings: How to read what Twilio's documentation leaves open.
        faults: Trouble that comes by itself.
        page_latency: Seconds that every answer takes.
        jitter: Seconds that it may take longer.
        restricted_to: Where the restricted key may read: starts of paths behind the host label.
        port: Where to listen; 0 for any free port.
        log_size: How many requests are kept in full; None for all.
        cache_bytes: How much memory finished pages may take.
    """

    seed: int = 1
    now: str = "2026-11-20T12:00:00Z"
    frozen: bool = False
    days: float = 45
    volumes: Mapping[str, int] | None = None
    media_share: float = MEDIA_SHARE
    subaccounts: int = 1
    schemas: Path = SCHEMAS
    readings: Readings = Readings()  # noqa: RUF009
    faults: Faults = Faults()  # noqa: RUF009
    page_latency: float = 0.0
    jitter: float = 0.0
    restricted_to: tuple[str, ...] = RESTRICTED_TO
    port: int = 0
    log_size: int | None = _LOG_SIZE
    cache_bytes: int = _CACHE_BYTES


class Sandbox:
    """A simulated Twilio on a loopback port.

    Used as a context manager, it listens inside the block:

        with Sandbox(seed=1, volumes={"calls": 500}) as twilio:
            twilio.plan(faults.answer(500), "/Calls.json", skip=2, times=1)
            twilio.patch(twilio.truth("api", CALLS)[0]["sid"], price=None)
            requests.get(f"{twilio.base_url}/api/2010-04-01/Accounts.json", auth=twilio.auth)

    Args:
        options: Any of the fields of `Options`.
    """

    def __init__(self, **options: Any) -> None:
        """Make the world; nothing listens yet."""
        self.options = Options(**options)
        seed = seed_of(self.options.seed)
        now = read_iso(self.options.now)
        self._began = time.monotonic()
        self.catalogue = read_catalogue(self.options.schemas)
        accounts = _accounts(self.options, seed, now)
        self.main_key = _key("main", seed, accounts[0])
        self.standard_key = _key("standard", seed, accounts[0])
        self.restricted_key = _key(
            "restricted", seed, accounts[0], allowed=self.options.restricted_to
        )
        self._subaccount_keys = [
            _key("standard", seed_of(seed, account.sid), account) for account in accounts[1:]
        ]
        self._directory = Directory(
            accounts,
            [self.main_key, self.standard_key, self.restricted_key, *self._subaccount_keys],
        )
        self._directory.test_token = secret(seed, "test")
        self.app = App(foreign_sid("OQ", seed, "app"), secret(seed, "app"), accounts[0])
        self.desk = Desk([self.app], lambda: self._world.moment, seed)
        self._directory.bearer = self.desk.caller
        self._world = World(
            self.catalogue,
            self._directory,
            seed,
            now,
            Scale(self.options.days, self.options.volumes or {}, self.options.media_share),
            passed=self._passed,
        )
        self._writer = Writer(self._world)
        self.storage = Storage(seed, lambda: self._world.moment)
        self._exports = Exports(self._world, self.storage)
        self._lock = threading.RLock()
        self._conduct = Conduct(
            self.options.page_latency, self.options.jitter, self.options.faults, []
        )
        self.requests = RequestLog(self.options.log_size)
        self._server = Server(
            Api(
                self._world,
                Services(self._writer, self._exports, self.desk),
                self.options.readings,
                self.options.cache_bytes,
            ),
            self._lock,
            self._conduct,
            self.requests,
            seed=seed,
            controls={
                "advance": lambda query: self.advance(timedelta(seconds=float(query["seconds"]))),
                "held": lambda _: self.held,
                "consents": lambda _: self.consents,
                "feedback": lambda _: self.feedback,
                "means": lambda _: {"senders": self.senders, "services": self.services},
                "opt_out": lambda query: self.opt_out(query["number"], query.get("service")),
                "opt_in": lambda query: self.opt_in(query["number"], query.get("service")),
            },
            now=lambda: self._world.moment,
        )

    def __enter__(self) -> Self:
        """Start listening."""
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop listening."""
        self.stop()

    def start(self) -> None:
        """Listen, and return once requests are answered."""
        self._server.start(self.options.port)

    def stop(self) -> None:
        """Stop listening."""
        self._server.stop()
        self.storage.stop()

    def join(self) -> None:
        """Wait until somebody stops the sandbox."""
        self._server.join()

    @property
    def subaccount_keys(self) -> dict[str, ApiKey]:
        """A Standard key of each subaccount, by the subaccount's SID."""
        return {key.account.sid: key for key in self._subaccount_keys}

    @property
    def base_url(self) -> str:
        """Where the products' host labels begin."""
        return f"http://127.0.0.1:{self._server.port}"

    @property
    def accounts(self) -> list[Account]:
        """The main account, then its subaccounts."""
        return self._directory.accounts

    @property
    def account_sid(self) -> str:
        """The main account's SID."""
        return self.accounts[0].sid

    @property
    def auth_token(self) -> str:
        """The main account's auth token."""
        return self.accounts[0].auth_token

    @property
    def auth(self) -> tuple[str, str]:
        """The main account's SID and token, as `requests` wants them."""
        return self.account_sid, self.auth_token

    @property
    def test_auth(self) -> tuple[str, str]:
        """The main account's test credentials, which read nothing and for which nothing is kept."""
        return self.account_sid, self._directory.test_token or ""

    @property
    def secrets(self) -> list[str]:
        """Every string that must not show up in anybody's output."""
        tokens = [account.auth_token for account in self.accounts]
        keys = [key.secret for key in self._directory.keys]
        apps = [self.app.secret, *self.desk.tokens]
        return [*tokens, *keys, self.test_auth[1], *apps, *self.storage.signatures]

    @property
    def now(self) -> datetime:
        """The moment at which the clock stands."""
        return datetime.fromisoformat(iso8601(self._world.now))

    @property
    def held(self) -> list[dict[str, Any]]:
        """Every message that clients have created, in the order of acceptance.

        Each has its `account_sid`, its `sid`, the `parameters` as they came (a list where one came
        several times), when it was `created`, when it is to be sent if that is later (`send_at`),
        its `status` by now (`deleted`, if it was) and its `body` by now.
        """
        with self._lock:
            return self._writer.held

    @property
    def consents(self) -> list[dict[str, Any]]:
        """The consents that clients have reported: the last of each contact and sender."""
        with self._lock:
            return [dict(one) for one in self._writer.consents.records.values()]

    @property
    def feedback(self) -> list[dict[str, Any]]:
        """What clients have said of messages, in that order."""
        with self._lock:
            return [dict(one) for one in self._writer.feedback]

    @property
    def rules(self) -> Rules:
        """What messages are refused for, beyond what lists say; may be changed at any time."""
        return self._writer.rules

    @property
    def exports(self) -> Exports:
        """What was exported, and the orders for it."""
        return self._exports

    @property
    def senders(self) -> list[str]:
        """The addresses that the main account may write from: numbers, then channels'."""
        with self._lock:
            senders = self._writer.means(self.accounts[0]).senders
        return [address for address, can_send in senders.items() if can_send]

    @property
    def services(self) -> dict[str, Sequence[str]]:
        """The main account's Messaging Services that have senders, each with these."""
        with self._lock:
            services = self._writer.means(self.accounts[0]).services
        return {sid: pool for sid, pool in services.items() if pool}

    def opt_out(self, number: str, service: str | None = None) -> None:
        """Let somebody reply STOP.

        Args:
            number: Who doesn't want messages any more.
            service: The Messaging Service, or the number, that shall send none; None for all.
        """
        with self._lock:
            self._writer.consents.opt_out(number, service)

    def opt_in(self, number: str, service: str | None = None) -> None:
        """Let somebody reply START: to one service or number, or to all."""
        with self._lock:
            self._writer.consents.opt_in(number, service)

    def _passed(self) -> int:
        """Tell the seconds that time has passed by itself."""
        return 0 if self.options.frozen else int(time.monotonic() - self._began)

    @property
    def faults(self) -> Faults:
        """Trouble that comes by itself; may be set at any time."""
        return self._conduct.faults

    @faults.setter
    def faults(self, faults: Faults) -> None:
        self._conduct.faults = faults

    def advance(self, time: timedelta) -> None:
        """Move the clock: rows come, and recent ones change."""
        with self._lock:
            self._world.advance(int(time.total_seconds()))

    def plan(  # noqa: PLR0913
        self,
        effect: Effect,
        path: str = "",
        *,
        query: Mapping[str, str] | None = None,
        account_sid: str | None = None,
        skip: int = 0,
        times: int | None = None,
        method: str | None = None,
        when: Callable[[Request], object] | None = None,
        share: float = 1.0,
        accepted: bool = False,
    ) -> Fault:
        """Plan trouble for the requests that match.

        Args:
            effect: What becomes of them: something from `sandbox.faults`.
            path: What their path contains; the host label counts as its start.
            query: Parameters that they carry, each with its value.
            account_sid: The account whose rows they read.
            skip: How many that match are spared first.
            times: How many are hit then; None for all.
            method: Their method; None for all.
            when: What else must be true of them, such as `lambda request: "+1" in
                request.form["To"]`.
            share: How many of those that match are hit, by dice that depend on the seed.
            accepted: Whether what they write is written though their answer is another. What only
                changes an answer, or holds it back, never keeps them from writing.

        Returns:
            The plan, which counts its hits.
        """
        fault = Fault(
            effect,
            path,
            query or {},
            account_sid,
            skip,
            times,
            method,
            when,
            share,
            accepted,
            seed_of(self.options.seed, len(self._conduct.planned)),
        )
        self._conduct.planned.append(fault)
        return fault

    def clear_plans(self) -> None:
        """Forget all planned trouble."""
        self._conduct.planned.clear()

    def truth(
        self, host: str, path: str, account_sid: str | None = None, **path_values: str
    ) -> list[Row]:
        """Give exactly the rows that the server holds now for an endpoint.

        Nothing is hidden by default filters; what is beyond its retention is gone.

        Args:
            host: The host label.
            path: The path with its placeholders.
            account_sid: Whose rows; the main account's unless told otherwise.
            path_values: Values of placeholders; what is left open runs over all parents.

        Returns:
            The rows, each knowing its `path_values`.
        """
        endpoint, account = self._endpoint(host, path), self._account(account_sid)
        with self._lock:
            if endpoint.path == ACCOUNTS:
                shelf = self._world.accounts(account, tokens=True)
                return [Row(row, {}) for _, row in shelf.scan(self._world.now)]
            if is_usage(endpoint):
                rows = Ledger(self._world, endpoint, account, {}).rows()
                return [Row(row, {"AccountSid": account.sid}) for row in rows]
            if set(endpoint.placeholders) <= set(path_values):
                places = iter([path_values])
            else:
                places = self._world.places(endpoint, account)
            return [
                Row(row, {"AccountSid": account.sid, **values})
                for values in places
                if path_values.items() <= values.items()
                for row in self._rows(endpoint, account, values)
            ]

    def usage(
        self, path: str, account_sid: str | None = None, **parameters: str
    ) -> list[dict[str, Any]]:
        """Give the usage records that a query with these parameters gets."""
        endpoint = self._endpoint("api", path)
        with self._lock:
            return Ledger(self._world, endpoint, self._account(account_sid), parameters).rows()

    def add(
        self,
        host: str,
        path: str,
        row: Wire,
        account_sid: str | None = None,
        **path_values: str,
    ) -> None:
        """Put in a row by hand; nothing about it is checked.

        Args:
            host: The host label.
            path: The path with its placeholders.
            row: The row as it shall stand on the wire.
            account_sid: Whose row; the main account's unless told otherwise.
            path_values: The values of all placeholders.
        """
        endpoint = self._endpoint(host, path)
        with self._lock:
            table = self._world.editable(endpoint, self._account(account_sid), path_values)
            table.add(dict(row))

    def export(  # noqa: PLR0913
        self,
        kind: str,
        day: str,
        rows: Sequence[Mapping[str, Any]] | None = None,
        *,
        content: Content | None = None,
        has_file: bool = True,
        name: str | None = None,
        account_sid: str | None = None,
    ) -> None:
        """Make the file of a day now; it is there for seven days.

        Once one was made, no other days of the account and kind are listed than those made so.

        Args:
            kind: `Messages`, `Calls`, `Conferences` or `Participants`.
            rows: What the file holds; by default what the lists have of that day.
            content: The file as it is, instead.
            has_file: Whether there is a file to be had.
            name: What it is called.
            account_sid: Whose rows; the main account's unless told otherwise.
        """
        account = self._account(account_sid)
        with self._lock:
            if has_file and content is None:
                content = packed(self._exports.rows(kind, day, account) if rows is None else rows)
            self._exports.make(kind, day, content if has_file else None, account, name)

    def exported(self, kind: str, day: str, account_sid: str | None = None) -> list[Wire]:
        """Give the rows of a day as its file would hold them if it were made now."""
        with self._lock:
            return self._exports.rows(kind, day, self._account(account_sid))

    def patch(self, sid: str, **fields: Any) -> None:
        """Fix fields of a row, whatever it would say otherwise.

        Args:
            sid: The row's SID. A row below a parent must have been read or told by `truth` before.
            fields: The fields as they shall stand on the wire.

        Raises:
            KeyError: If there is no such row.
        """
        with self._lock:
            account = self._directory.get(sid)
            if account is not None:
                account.status = fields.get("status", account.status)
                self._world.patch_account(sid, fields)
                return
            outbox, message = self._world.written(sid)
            if outbox is not None and message is not None:
                outbox.fix(message, fields)
                return
            table = self._owner(sid)
            if not table.patch(sid, self._world.now, fields):
                raise KeyError(sid)

    def replace(self, sid: str, row: Wire) -> None:
        """Put a row in another's place.

        Raises:
            KeyError: If there is no such row.
        """
        with self._lock:
            table = self._owner(sid)
            self.delete(sid)
            table.add(dict(row))

    def delete(self, sid: str) -> None:
        """Take a row away.

        Raises:
            KeyError: If there is no such row.
        """
        with self._lock:
            outbox, message = self._world.written(sid)
            if outbox is not None and message is not None:
                outbox.delete(message)
                return
            if not self._owner(sid).delete(sid, self._world.now):
                raise KeyError(sid)

    def set_status(self, account_sid: str, status: Status, *, readable: bool = False) -> None:
        """Suspend, close or reactivate an account.

        Args:
            account_sid: The account.
            status: What becomes of it.
            readable: Whether its history can be read all the same, as at Twilio for a while.
        """
        self.patch(account_sid, status=status)
        self._account(account_sid).readable = readable

    def _rows(self, endpoint: Endpoint, account: Account, values: dict[str, str]) -> list[Wire]:
        traits = self._world.traits(endpoint)
        span = Span(low=self._world.oldest(traits))
        source = self._world.source(endpoint, account, values)
        rows = source.scan(self._world.now, span, ascending=traits.ascending)
        return [row for _, row in rows]

    def _owner(self, sid: str) -> Table:
        table = self._world.owner(sid)
        if table is None:
            raise KeyError(sid)
        return table

    def _endpoint(self, host: str, path: str) -> Endpoint:
        endpoint = self.catalogue.get(host, path)
        if endpoint is None:
            msg = f"{host}{path}"
            raise KeyError(msg)
        return endpoint

    def _account(self, sid: str | None) -> Account:
        account = self.accounts[0] if sid is None else self._directory.get(sid)
        if account is None:
            raise KeyError(sid)
        return account


def _accounts(options: Options, seed: int, now: int) -> list[Account]:
    opened = now - int((options.days + 10) * DAY)
    parent = foreign_sid("AC", seed, 0)
    return [
        Account(
            sid=parent if place == 0 else foreign_sid("AC", seed, place),
            auth_token=secret(seed, "token", place),
            friendly_name="Main account" if place == 0 else NAMES[place % len(NAMES)],
            owner=parent,
            created=opened + place,
        )
        for place in range(1 + options.subaccounts)
    ]


def _key(kind: Kind, seed: int, account: Account, allowed: tuple[str, ...] = ()) -> ApiKey:
    return ApiKey(foreign_sid("SK", seed, kind), secret(seed, "key", kind), account, kind, allowed)
