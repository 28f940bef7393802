"""The world behind the API: the clock, the accounts and every table, made when first asked for."""

from __future__ import annotations

import math
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sandbox import errors
from sandbox.endpoints import identifying_field
from sandbox.identifiers import hash_of, seed_of
from sandbox.moments import DAY, HOUR, first_moment, rfc2822
from sandbox.outbox import Joined, Message, Outbox
from sandbox.paths import ACCOUNT, DAYS, JOBS, MESSAGE_MEDIA, MESSAGES
from sandbox.resources import FREE_VALUES, PLAIN, SHARED, TRAITS, VIEWS, prefix_of
from sandbox.tables import Shelf, Source, Table
from sandbox.timeline import EveryNth, Rhythm, Steady, Timeline
from sandbox.views import Filtered, places_below

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from sandbox.accounts import Account, Directory
    from sandbox.endpoints import Catalogue, Endpoint
    from sandbox.frames import Wire
    from sandbox.traits import Traits

ACCOUNTS: Final = "/2010-04-01/Accounts.json"
_TABLES_KEPT: Final = 20_000
_SUBACCOUNT_SHARE: Final = 3
_GROWING_BELOW_PARENT: Final = 40


@dataclass(frozen=True)
class Scale:
    """How much there is.

    Attributes:
        days: How far back calls, messages and the like reach.
        volumes: Rows of the main account, by stream; a subaccount has a third.
        media_share: The share of messages that have media.
    """

    days: float
    volumes: Mapping[str, int]
    media_share: float


class World:
    """All that the API has to tell.

    Args:
        catalogue: The endpoints.
        directory: The accounts.
        seed: What tells this world from others.
        now: Its moment.
        scale: How much there is.
        passed: Tells the seconds that have passed since, for what doesn't stand still.
    """

    def __init__(  # noqa: PLR0913
        self,
        catalogue: Catalogue,
        directory: Directory,
        seed: int,
        now: int,
        scale: Scale,
        *,
        passed: Callable[[], int],
    ) -> None:
        """Set the clock."""
        self.catalogue = catalogue
        self.directory = directory
        self.seed = seed
        self.now = now
        self.version = 0
        self._origin = now
        self._scale = scale
        self._tables: OrderedDict[tuple[str, ...], Table] = OrderedDict()
        self._edited: dict[tuple[str, ...], Table] = {}
        self._accounts: dict[str, Wire] = {}
        self._passed = passed
        self._outboxes: dict[str, Outbox] = {}
        self.exports: Callable[[str, str, Account], Shelf | None] = lambda *_: None

    @property
    def moment(self) -> int:
        """The moment that answers are dated by, and that written messages live by."""
        return self.now + self._passed()

    def advance(self, seconds: int) -> None:
        """Move the clock."""
        self.now += seconds
        self.version += 1

    def oldest(self, traits: Traits) -> int | None:
        """Tell from when on rows of a resource are kept, if they aren't for ever.

        Those that would be forgotten in the first hour are gone from the start: a client has a
        clock of its own, and with that it may look no further back than its own moment allows.
        """
        if traits.retention is None:
            return None
        return max(self.now, self._origin + HOUR) - traits.retention * DAY

    def traits(self, endpoint: Endpoint) -> Traits:
        """Give what is peculiar to a resource."""
        return TRAITS.get((endpoint.host, endpoint.path), PLAIN)

    def outbox(self, account: Account) -> Outbox:
        """Give the messages that clients have created for an account, with room for more."""
        outbox = self._outboxes.get(account.sid)
        if outbox is None:
            outbox = self._outboxes[account.sid] = Outbox(
                account.sid, self.seed, lambda: self.moment
            )
        return outbox

    def written(self, sid: str) -> tuple[Outbox, Message] | tuple[None, None]:
        """Find a message that a client has created, and where it lies."""
        for outbox in self._outboxes.values():
            message = outbox.get(sid)
            if message is not None:
                return outbox, message
        return None, None

    def is_still(self, endpoint: Endpoint, account: Account) -> bool:
        """Tell whether a list says the same until the clock is set or a row edited."""
        return endpoint.path not in (MESSAGES, MESSAGE_MEDIA) or account.sid not in self._outboxes

    def rows(self, host: str, path: str, account: Account, **values: str) -> list[Wire]:
        """Give all rows of a list that may not be in the catalogue."""
        endpoint = self.catalogue.get(host, path)
        if endpoint is None:
            return []
        return [row for _, row in self.source(endpoint, account, values).scan(self.now)]

    def source(
        self,
        endpoint: Endpoint,
        account: Account,
        values: dict[str, str],
        recipient: str | None = None,
    ) -> Source:
        """Give the rows of a list.

        Args:
            endpoint: The list.
            account: Whose rows.
            values: The placeholders of its path, without the account's.
            recipient: To whom messages must be; others may come too.

        Returns:
            The rows.

        Raises:
            TwilioError: If a SID in the path is none.
        """
        parent = self._parent_row(endpoint, account, values)
        view = VIEWS.get((endpoint.host, endpoint.path))
        if view is not None and (base := self._related(view.base, account)):
            where = {
                name: values[value[1:-1]] if value.startswith("{") else value
                for name, value in view.where.items()
            }
            places = None
            if values:
                placeholder, sid = list(values.items())[-1]
                above = self.catalogue.parent(endpoint, placeholder)
                table = self._related(above.path, account) if above else None
                places = places_below(base, table, sid) if table else None
            without = base.endpoint.properties.keys() - endpoint.properties.keys()
            return Filtered(base, where, places, frozenset(without))
        if endpoint.path in (DAYS, JOBS) and (
            exports := self.exports(endpoint.path, values["ResourceType"], account)
        ):
            return exports
        live = self.traits(endpoint).live
        if live is not None and parent is not None and not live(parent):
            return Shelf(lambda _: [])
        if endpoint.path == MESSAGE_MEDIA:
            _, message = self.written(values["MessageSid"])
            if message is not None:
                return message.media()
        return self._joined(self.table(endpoint, account, values, parent), recipient)

    def accounts(self, caller: Account, *, tokens: bool) -> Shelf:
        """Give the accounts that one may see.

        Args:
            caller: Who asks.
            tokens: Whether auth tokens are shown.
        """

        def rows(_: int) -> list[Wire]:
            newest_first = sorted(
                self.directory.visible_to(caller), key=lambda one: one.created, reverse=True
            )
            return [self._account_row(one, tokens=tokens) for one in newest_first]

        return Shelf(rows)

    def table(
        self,
        endpoint: Endpoint,
        account: Account,
        values: dict[str, str],
        parent: Wire | None = None,
    ) -> Table:
        """Give the table of a list, made when first asked for."""
        key = (endpoint.host, endpoint.path, account.sid, *values.values())
        table = self._edited.get(key) or self._tables.get(key)
        if table is not None:
            if key in self._tables:
                self._tables.move_to_end(key)
            return table
        if parent is None:
            parent = self._parent_row(endpoint, account, values)
        seed = seed_of(self.seed, *key)
        is_shared = (endpoint.host, endpoint.path) in SHARED
        traits = self.traits(endpoint)
        base = self._related(traits.base, account) if traits.base else None
        sid = endpoint.properties.get("sid")
        table = self._tables[key] = Table(
            endpoint,
            account,
            values,
            seed=seed_of(self.seed, *key[:2]) if is_shared else seed,
            prefix=(sid.sid if sid and sid.sid else prefix_of(endpoint.data_key, endpoint.path)),
            timeline=self._timeline(endpoint, account, seed, base, parent),
            traits=traits,
            child_endpoints=self.catalogue.children(endpoint),
            base=base,
            relate=lambda path: self._related(path, account),
            media_share=self._scale.media_share,
        )
        if len(self._tables) > _TABLES_KEPT:
            self._tables.popitem(last=False)
        return table

    def editable(self, endpoint: Endpoint, account: Account, values: dict[str, str]) -> Table:
        """Give a table that is about to be edited, and keep it for good."""
        view = VIEWS.get((endpoint.host, endpoint.path))
        if view is not None:
            base = self._related(view.base, account)
            if base is not None:
                endpoint, values = base.endpoint, base.values
        table = self.table(endpoint, account, values)
        self._keep(table)
        return table

    def owner(self, sid: str) -> Table | None:
        """Find the table that a SID belongs to.

        Tables below a parent are found only once they have been read.
        """
        for attempt in range(2):
            for table in (*self._edited.values(), *self._tables.values()):
                if table.owns(sid):
                    self._keep(table)
                    return table
            if attempt == 0:
                for endpoint in self.catalogue.endpoints:
                    if not endpoint.placeholders:
                        for account in self.directory.accounts:
                            self.table(endpoint, account, {})
        return None

    def patch_account(self, sid: str, fields: Wire) -> None:
        """Fix fields of an account's row."""
        self._accounts.setdefault(sid, {}).update(fields)
        self.version += 1

    def places(self, endpoint: Endpoint, account: Account) -> Iterator[dict[str, str]]:
        """Give the placeholders of every list that an endpoint has, one set a parent row."""
        found: list[dict[str, str]] = [{}]
        for placeholder in endpoint.placeholders:
            parent = self.catalogue.parent(endpoint, placeholder)
            deeper = []
            for values in found:
                if parent is None:
                    deeper += [
                        {**values, placeholder: one} for one in FREE_VALUES.get(placeholder, ())
                    ]
                    continue
                above = {name: values[name] for name in parent.placeholders if name in values}
                field = identifying_field(parent, placeholder)
                deeper += [
                    {**values, placeholder: str(row[field])}
                    for _, row in self.source(parent, account, above).scan(self.now)
                    if row.get(field) is not None
                ]
            found = deeper
        yield from found

    def count(self, path: str, account: Account, low: int, high: int) -> int:
        """Count the rows of a list that came to be in a range of time; of messages, those sent."""
        table = self._related(path, account)
        if table is None or high <= low:
            return 0
        outbox = self._outboxes.get(account.sid) if path == MESSAGES else None
        sent = 0 if outbox is None else outbox.sent_between(low, high)
        return sent + table.timeline.before(min(high, self.now)) - table.timeline.before(low)

    def _joined(self, table: Table, recipient: str | None = None) -> Source:
        """Add what clients have written to a table of messages."""
        outbox = self._outboxes.get(table.account.sid)
        if outbox is None or table.endpoint.path != MESSAGES:
            return table
        letters = outbox.letters if recipient is None else outbox.letters_to(recipient)
        return Joined(table, letters)

    def _keep(self, table: Table) -> None:
        key = (
            table.endpoint.host,
            table.endpoint.path,
            table.account.sid,
            *table.values.values(),
        )
        self._edited[key] = table
        # What hangs on an edited row, such as the media of a message, must be counted anew.
        for one in [key for key, other in self._tables.items() if other.values]:
            del self._tables[one]
        self.version += 1

    def _related(self, path: str, account: Account) -> Table | None:
        for host in ("api", "insights"):
            endpoint = self.catalogue.get(host, path)
            if endpoint is not None:
                return self.table(endpoint, account, {})
        return None

    def _parent_row(
        self, endpoint: Endpoint, account: Account, values: dict[str, str]
    ) -> Wire | None:
        row: Wire | None = None
        for placeholder in endpoint.placeholders:
            parent = self.catalogue.parent(endpoint, placeholder)
            value = values[placeholder]
            if parent is None:
                known = FREE_VALUES.get(placeholder)
                if known and value not in known:
                    raise errors.not_found(endpoint.locate({**values, "AccountSid": account.sid}))
                continue
            above = {name: values[name] for name in parent.placeholders if name in values}
            field = identifying_field(parent, placeholder)
            row = self._find(parent, account, above, field, value)
            if row is None:
                raise errors.not_found(endpoint.locate({**values, "AccountSid": account.sid}))
        return row

    def _find(
        self, endpoint: Endpoint, account: Account, values: dict[str, str], field: str, value: str
    ) -> Wire | None:
        table = self.table(endpoint, account, values)
        if field == table.traits.identifier:
            return self._joined(table).find(value, self.now)
        return next((row for _, row in table.scan(self.now) if str(row.get(field)) == value), None)

    def _timeline(
        self,
        endpoint: Endpoint,
        account: Account,
        seed: int,
        base: Table | None,
        parent: Wire | None,
    ) -> Timeline:
        traits = self.traits(endpoint)
        asked = self._volume(endpoint, account)
        if traits.every is not None:
            start = int(self._origin - self._scale.days * DAY)
            return Steady(start - start % DAY, traits.every, seed)
        if base is not None:
            share = traits.share
            if asked:
                share = base.timeline.before(self._origin) // asked
            limit = 0 if asked == 0 else math.inf
            return EveryNth(base.timeline, max(1, share), traits.delay, seed, limit)
        if endpoint.placeholders:
            start = first_moment(parent or {}, ("date_created", "create_time")) or account.created
            return self._below(traits, parent, start, seed, asked)
        count = traits.volume if asked is None else asked
        if traits.grows and count:
            start = int(self._origin - self._scale.days * DAY)
            return Rhythm(start, self._origin, count, seed)
        return Steady(
            account.created, (self._origin - account.created) / max(1, count), seed, count
        )

    def _below(
        self, traits: Traits, parent: Wire | None, start: int, seed: int, asked: int | None
    ) -> Timeline:
        if traits.grows:
            count = asked or _GROWING_BELOW_PARENT
            return Steady(start, max(60, (self._origin - start) / count), seed)
        if traits.count is not None and parent is not None:
            # Parts of a row come with it, and so they must be there as soon as it is.
            return Steady(start, 0.001, seed, traits.count(parent))
        count = seed % 4 if asked is None else asked
        return Steady(start, max(60, (self._origin - start) / (count + 1)), seed, count)

    def _volume(self, endpoint: Endpoint, account: Account) -> int | None:
        volumes = self._scale.volumes
        name = self.traits(endpoint).volume_of
        asked = volumes.get(endpoint.stream, volumes.get(name) if name else None)
        main = account is self.directory.accounts[0]
        if main or asked is None:
            if asked is None and not main and self.traits(endpoint).grows:
                return self.traits(endpoint).volume // _SUBACCOUNT_SHARE
            return asked
        return asked // _SUBACCOUNT_SHARE

    def _account_row(self, account: Account, *, tokens: bool) -> dict[str, Any]:
        place = ACCOUNT.replace("{AccountSid}", account.sid)
        row = {
            "sid": account.sid,
            "owner_account_sid": account.owner,
            "friendly_name": account.friendly_name,
            "status": account.status,
            "type": "Full",
            "auth_token": account.auth_token if tokens else "",
            "date_created": rfc2822(account.created),
            "date_updated": rfc2822(account.created + hash_of(account.sid) % DAY),
            "uri": f"{place}.json",
            "subresource_uris": {
                name: f"{place}/{path}.json"
                for name, path in (
                    ("calls", "Calls"),
                    ("conferences", "Conferences"),
                    ("messages", "Messages"),
                    ("recordings", "Recordings"),
                    ("usage", "Usage"),
                )
            },
        }
        return row | self._accounts.get(account.sid, {})
