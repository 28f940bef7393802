"""Accounts, the root of all streams: whoever can't be signed in for has no rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from typing_extensions import override

from tap_twilio.http.redaction import redactor
from tap_twilio.stream import TwilioStream

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_twilio.pages import Page, Request


class Accounts(TwilioStream):
    """The account that the credentials belong to, and its subaccounts."""

    name = "accounts"
    path = "/2010-04-01/Accounts.json"
    secret_fields = ("auth_token",)

    @override
    def arrived(self, page: Page) -> list[Iterator[Request]]:
        self.decode(page)
        for record in page.records:
            sid, token = record.get("sid"), record.get("auth_token")
            if isinstance(token, str) and token:
                redactor.add(token)
                if isinstance(sid, str):
                    redactor.add_signature(self.run.credentials.learn(sid, token))
        # What is below is announced once all accounts are known: the settings may leave some out.
        self.converter.convert(page.records)
        page.following = page.request.after(page)
        return [] if page.following is None else [iter([page.following])]
