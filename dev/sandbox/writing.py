"""The little that clients may write: messages, what they think of them, and consents."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import parse_qsl

from sandbox import errors
from sandbox.accounts import CLASSIC
from sandbox.consents import Consents
from sandbox.moments import iso8601, rfc2822
from sandbox.outbox import FINAL, Message, Outbox
from sandbox.paths import MESSAGES, NUMBERS
from sandbox.refusals import TEST_MEANS, Form, Means, Rules, check, read_order, refuse

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sandbox.accounts import Account
    from sandbox.endpoints import Endpoint
    from sandbox.frames import Wire
    from sandbox.world import World

    Action = Callable[[Account, str, Form], "Written"]

CALLER_IDS: Final = NUMBERS.replace("IncomingPhoneNumbers", "OutgoingCallerIds")
SHORT_CODES: Final = NUMBERS.replace("IncomingPhoneNumbers", "SMS/ShortCodes")
CHANNELS: Final = "/v2/Channels/Senders"
CONTENT: Final = "/v2/Content"
SERVICES: Final = "/v1/Services"
_POOLS: Final = (("PhoneNumbers", "phone_number"), ("ShortCodes", "short_code"))
_MESSAGE: Final = re.compile(
    r"/2010-04-01/Accounts/(?P<account>\w+)/Messages(?:/(?P<sid>\w+)(?P<feedback>/Feedback)?)?\.json"
)
_CONSENTS: Final = ("POST", "accounts", "/v1/Consents/Bulk")
_CHANGES: Final = {"Status": "canceled", "Body": ""}
"""What an update may say, and nothing else."""

Written = tuple[int, "Wire | None"]
"""An HTTP status and a body."""


class Write(NamedTuple):
    """What a request would write.

    Attributes:
        perform: Writes it.
        account_sid: The account in the path, where there is one.
        sid: The message in the path, where there is one.
        is_testable: Whether test credentials may ask for it.
    """

    perform: Action
    account_sid: str | None = None
    sid: str = ""
    is_testable: bool = False


class Writer:
    """Takes in what clients write.

    Args:
        world: Where messages go.

    Attributes:
        rules: What messages are refused for.
        consents: Who wants no messages.
        feedback: What clients have said about messages.
    """

    def __init__(self, world: World) -> None:
        """Start with nothing written."""
        self._world = world
        self._accepted: list[Message] = []
        self._means: dict[str, tuple[int, Means]] = {}
        self._actions: dict[tuple[str, bool, bool], Action] = {
            ("POST", False, False): self._create,
            ("POST", True, False): self._update,
            ("POST", True, True): self._judge,
            ("DELETE", True, False): self._delete,
        }
        self.rules = Rules()
        self.consents = Consents()
        self.feedback: list[Wire] = []

    def route(self, method: str, host: str, path: str) -> Write | None:
        """Find what a request would write; None if that is nothing which may be written."""
        if method == "GET":
            return None
        if (method, host, path) == _CONSENTS:
            return Write(self._report)
        match = _MESSAGE.fullmatch(path) if host == CLASSIC else None
        if match is None:
            return None
        account, sid, feedback = match.groups()
        action = self._actions.get((method, sid is not None, feedback is not None))
        is_testable = action == self._create
        return None if action is None else Write(action, account, sid or "", is_testable)

    def write(self, write: Write, account: Account, body: str, *, is_test: bool) -> Written:
        """Do what an admitted request asks for.

        Args:
            write: What it would write.
            account: Whose rows are meant.
            body: The request's body.
            is_test: Whether test credentials ask, for which nothing is kept.

        Returns:
            The HTTP status and the body.

        Raises:
            TwilioError: If something speaks against it.
        """
        form: Form = {}
        for name, value in parse_qsl(body, keep_blank_values=True):
            form.setdefault(name, []).append(value)
        if is_test:
            return self._pretend(account, form)
        return write.perform(account, write.sid, form)

    @property
    def _messages(self) -> Endpoint:
        endpoint = self._world.catalogue.get(CLASSIC, MESSAGES)
        if endpoint is None:
            raise errors.not_found(MESSAGES)
        return endpoint

    @property
    def held(self) -> list[Wire]:
        """Every message that was accepted, in that order, whatever became of it."""
        now = self._world.moment
        return [
            {
                "account_sid": one.account_sid,
                "sid": one.sid,
                "parameters": dict(one.order.parameters),
                "created": iso8601(one.created),
                "send_at": None if one.order.due is None else iso8601(one.order.due),
                "status": one.status(now) if one.deleted is None else "deleted",
                "body": one.row(now)["body"],
            }
            for one in self._accepted
        ]

    def means(self, account: Account) -> Means:
        """Tell what an account has to write with: what its lists say."""
        version, means = self._means.get(account.sid, (-1, TEST_MEANS))
        if version != self._world.version:
            means = self._read_means(account)
            self._means[account.sid] = (self._world.version, means)
        return means

    def _create(self, account: Account, _: str, form: Form) -> Written:
        means, now = self.means(account), self._world.moment
        order = read_order(form, means, self.rules, now)
        check(order, means, self.rules, self.consents)
        outbox = self._world.outbox(account)
        if order.due is not None and outbox.scheduled() >= self.rules.most_scheduled:
            raise refuse(35125, self.rules.most_scheduled)
        message = outbox.accept(order)
        self._accepted.append(message)
        return 201, message.row(now)

    def _pretend(self, account: Account, form: Form) -> Written:
        """Answer test credentials, for which nothing is kept."""
        now = self._world.moment
        order = read_order(form, TEST_MEANS, self.rules, now)
        return 201, Outbox(account.sid, 0, lambda: now).accept(order).row(now)

    def _update(self, account: Account, sid: str, form: Form) -> Written:
        row = self._find(account, sid)
        given = {name: values[-1] for name, values in form.items() if name in _CHANGES}
        if not given:
            raise refuse(20001, "Status|Body")
        for name, value in given.items():
            if value != _CHANGES[name]:
                raise refuse(20001, name)
        outbox, message = self._world.written(sid)
        if "Status" in given:
            if row["status"] != "scheduled" or row["messaging_service_sid"] is None:
                raise refuse(30409, status=409)
            if outbox is None or message is None:
                self._patch(account, sid, {**row, "status": "canceled"})
            else:
                outbox.cancel(message)
        if "Body" in given:
            if outbox is None or message is None:
                self._patch(account, sid, {"body": ""})
            else:
                outbox.redact(message)
        return 200, self._find(account, sid)

    def _delete(self, account: Account, sid: str, _: Form) -> Written:
        if self._find(account, sid)["status"] not in FINAL:
            raise refuse(20009, status=409)
        outbox, message = self._world.written(sid)
        if outbox is None or message is None:
            table = self._world.editable(self._messages, account, {})
            table.delete(sid, self._world.now)
        else:
            outbox.delete(message)
        return 204, None

    def _judge(self, account: Account, sid: str, form: Form) -> Written:
        self._find(account, sid)
        outcome = form.get("Outcome", ["confirmed"])[-1]
        if outcome not in ("confirmed", "unconfirmed"):
            raise refuse(20001, "Outcome")
        now = rfc2822(self._world.moment)
        feedback = {
            "account_sid": account.sid,
            "message_sid": sid,
            "outcome": outcome,
            "date_created": now,
            "date_updated": now,
            "uri": f"{_path(account, sid)}/Feedback.json",
        }
        self.feedback.append(feedback)
        return 201, feedback

    def _report(self, account: Account, _: str, form: Form) -> Written:
        return 201, self.consents.report(account.sid, form.get("Items", ()))

    def _find(self, account: Account, sid: str) -> Wire:
        row = self._world.source(self._messages, account, {}).find(sid, self._world.now)
        if row is None:
            path = f"{_path(account, sid)}.json"
            raise errors.not_found(path)
        return row

    def _patch(self, account: Account, sid: str, fields: Wire) -> None:
        changed = {**fields, "date_updated": rfc2822(self._world.moment)}
        table = self._world.editable(self._messages, account, {})
        table.patch(sid, self._world.now, changed)

    def _read_means(self, account: Account) -> Means:
        numbers = {
            one["phone_number"]: (one.get("capabilities") or {}).get("sms", True)
            for one in self._world.rows(CLASSIC, NUMBERS, account)
        }
        codes = _numbers(self._world.rows(CLASSIC, SHORT_CODES, account), "short_code")
        channels = _texts(self._world.rows("messaging", CHANNELS, account), "sender_id")
        services = {
            service["sid"]: [
                number
                for name, field in _POOLS
                for number in _numbers(
                    self._world.rows(
                        "messaging",
                        f"{SERVICES}/{{ServiceSid}}/{name}",
                        account,
                        ServiceSid=service["sid"],
                    ),
                    field,
                )
            ]
            for service in self._world.rows("messaging", SERVICES, account)
        }
        templates = {one["sid"]: one for one in self._world.rows("content", CONTENT, account)}
        verified = _texts(self._world.rows(CLASSIC, CALLER_IDS, account), "phone_number")
        return Means(
            {**numbers, **dict.fromkeys((*codes, *channels), True)},
            services,
            templates,
            frozenset(verified),
        )


def _path(account: Account, sid: str) -> str:
    return f"{MESSAGES.format(AccountSid=account.sid).removesuffix('.json')}/{sid}"


def _texts(rows: Sequence[Wire], name: str) -> list[str]:
    return [one[name] for one in rows if one.get(name)]


def _numbers(rows: Sequence[Wire], name: str) -> list[str]:
    return [one for one in _texts(rows, name) if one.removeprefix("+").isdigit()]
