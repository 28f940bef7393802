"""What a run leaves out, and why: streams, accounts, and what an account signs for itself."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from tap_twilio.config.credentials import ROOT_PRODUCT
from tap_twilio.output.progress import Failure

if TYPE_CHECKING:
    from tap_twilio.config.credentials import Credentials
    from tap_twilio.http.signatures import Signature
    from tap_twilio.output.progress import Progress
    from tap_twilio.resource.resource import Node

HOME: Final = "us1"
"""Region of the accounts that name none."""

logger = logging.getLogger("tap-twilio")


class Skips:
    """Tells what can be read, as far as the run has found out by now.

    Attributes:
        credentials: Who signs which request.
        trusted: Accounts whose own tokens were found to be right.
    """

    def __init__(self, credentials: Credentials, progress: Progress, region: str | None) -> None:
        """Leave nothing out yet."""
        self._region = region or HOME
        self.credentials = credentials
        self.trusted: set[str] = set()
        self._progress = progress
        self._unsigned: set[str] = set()
        self._failed: set[tuple[str, str]] = set()

    def signature(self, node: Node, account: str) -> Signature | None:
        """Choose who signs for an account's rows; none where nothing at hand does."""
        resource = node.resource
        names_account = resource.account or "{account_sid}" in resource.path
        is_root = node.parent is None
        if resource.product == ROOT_PRODUCT and not names_account and not is_root:
            # Nothing but the signature tells whose rows are wanted, as on the products' hosts.
            return self.credentials.sign("", account)
        return self.credentials.sign(resource.product, account)

    def may_read(self, node: Node, account: str) -> bool:
        """Tell whether a node can be read for an account: not refused, and with a signature."""
        if self.is_refused(node, account) or account in self._progress.shut:
            return False
        if node.resource.account not in {None, account}:
            return False
        if node.resource.region not in {None, self._region}:
            reason = f"Twilio has these in region {node.resource.region} only"
            self.skip(node, account, f"{reason}, not in {self._region}")
            return False
        if self.signature(node, account) is None:
            self._skip_unsigned(node, account)
            return False
        return True

    def is_open(self, node: Node, account: str) -> bool:
        """Tell whether a node, and all above it, can be read for an account.

        If not, its rows are not read, for a reason that may pass.
        """
        return all(self.may_read(each, account) for each in node.lineage)

    def is_refused(self, node: Node, account: str) -> bool:
        """Tell whether Twilio refused a node for an account; safe in any thread."""
        return (node.name, account) in self._progress.skipped

    def was_read(self, node: Node, account: str) -> bool:
        """Tell whether nothing was left out above a node, and nothing failed below it either."""
        return self.is_open(node, account) and not any(
            (each.name, account) in self._failed for each in (*node.lineage, *node.descendants)
        )

    def skip(self, node: Node, account: str, reason: str) -> None:
        """Leave a node out for an account."""
        self._progress.skipped[node.name, account] = reason
        node.logger.warning("%s: skipped for %s: %s", node.name, account, reason)

    def fail(self, node: Node, account: str, error: Exception) -> None:
        """Take note that a node could not be read to its end for an account."""
        self._failed.add((node.name, account))
        self._progress.failures.append(Failure(node.name, account, error))
        node.logger.error("%s: given up for %s: %s", node.name, account, error)

    def shut_out(self, account: str, reason: str) -> None:
        """Leave an account out, of which Twilio gives nothing."""
        self._progress.shut[account] = reason
        logger.warning("%s is skipped: %s", account, reason)

    def is_shut(self, account: str) -> bool:
        """Tell whether an account is left out."""
        return account in self._progress.shut

    def refuse(self, account: str, reason: str) -> None:
        """Take note that a subaccount's own credentials are of no use; why, and what to do."""
        self.credentials.refused.add(account)
        self._progress.unsigned[account] = reason
        logger.warning("%s: %s", account, reason)

    def _skip_unsigned(self, node: Node, account: str) -> None:
        has_some = account in self.credentials.refused
        if account not in self._unsigned and not has_some:
            logger.warning(
                "%s has no credentials of its own. Streams outside the 2010 API need them, and are "
                "skipped. Add the account to subaccount_credentials",
                account,
            )
        self._unsigned.add(account)
        reason = "its own credentials were refused" if has_some else "no credentials of its own"
        self._progress.skipped.setdefault((node.name, account), reason)
