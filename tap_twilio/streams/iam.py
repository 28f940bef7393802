"""Identity and access (``iam.twilio.com``): API keys with their permissions."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from tap_twilio.streams.accounts import AccountStream

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_twilio.ahead import Order
    from tap_twilio.pages import Request
    from tap_twilio.windows import Window


class IamKeys(AccountStream):
    """API keys of an account, without their secrets, with flags that ``keys`` lacks."""

    name = "iam_keys"
    product = "iam"
    path = "/v1/Keys"
    selected_by_default = False
    secret_fields = ("secret",)

    @override
    def plan(
        self, context: dict[str, Any], order: Order
    ) -> Iterator[tuple[Window | None, list[Request]]]:
        # This list wants to be told whose keys it lists.
        account = {"AccountSid": self.account_of(context)}
        for window, requests in super().plan(context, order):
            yield window, [replace(one, params=one.params | account) for one in requests]
