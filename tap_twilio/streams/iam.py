"""Identity and access (``iam.twilio.com``): API keys with their permissions."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from tap_twilio.streams.accounts import AccountStream

if TYPE_CHECKING:
    from collections.abc import Mapping


class IamKeys(AccountStream):
    """API keys of an account, without their secrets, with flags that ``keys`` lacks."""

    name = "iam_keys"
    product = "iam"
    path = "/v1/Keys"
    context_params: ClassVar[Mapping[str, str]] = {"AccountSid": "account_sid"}
    selected_by_default = False
