"""A resource of Twilio's as plain data, and its place in a run."""

from __future__ import annotations

import itertools
import logging
import string
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from tap_twilio.resource.schemas import PII_MARK

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import timedelta

    from tap_twilio.resource.schemas import Endpoint
    from tap_twilio.resource.windows import DateFilter

ACCOUNT = "account_sid"
"""Name of a row's account, in paths, contexts and records."""

UPDATED = "date_updated"
"""Field that holds when a row changed last, where it has one."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Resource:
    """A stream class's declarations, with the facts of its endpoint.

    Attributes without a word here are those of :class:`tap_twilio.streams.base.TwilioStream`.

    Attributes:
        keys: Fields that identify a record, whatever keys a catalog gives the target.
        key: The field that the date filter bounds: the replication key.
        schema: JSON schema of a record before personal data is masked.
        exists_for: Tells whether a parent's record, typed, can have rows here.
        account: The one account that the path names; none where a parent's record gives it.
        date_setting: The user's setting that names the date parameters, if there is one.
    """

    name: str
    path: str
    product: str
    keys: tuple[str, ...]
    key: str
    schema: Mapping[str, Any]
    endpoint: Endpoint
    window: DateFilter | None
    span: DateFilter | None
    lookback: timedelta
    unsettled_statuses: frozenset[str]
    params: Mapping[str, str]
    switches: Mapping[str, str]
    fan_out: Mapping[str, tuple[str, ...]]
    path_values: Mapping[str, tuple[str, ...]]
    context_params: Mapping[str, str]
    page_size: int | None
    size_param: str
    absent_is_empty: bool
    parent_field: str
    promoted: Mapping[str, str]
    position_field: str | None
    stand_ins: Mapping[str, str | int]
    billed_as: tuple[str, ...]
    void_values: Mapping[str, str | int]
    exported: str | None
    region: str | None
    secret_fields: tuple[str, ...]
    exists_for: Callable[[Mapping[str, Any]], bool]
    account: str | None = None
    date_setting: str | None = None

    @cached_property
    def personal(self) -> frozenset[str]:
        """Fields that are personal data."""
        properties = self.schema["properties"]
        return frozenset(name for name, field in properties.items() if PII_MARK in field)

    @property
    def is_keyed(self) -> bool:
        """Whether a row that comes twice can be recognized."""
        return self.position_field is None and bool(self.keys)


class Warner:
    """Logs warnings about a stream, each once."""

    def __init__(self, stream: str) -> None:
        """Tell nothing yet."""
        self.logger = logging.getLogger(f"tap-twilio.{stream}")
        self._stream = stream
        self._told: set[str] = set()

    def __call__(self, message: str) -> None:
        """Log a warning, the first time that it is due."""
        if message not in self._told:
            self._told.add(message)
            self.logger.warning("%s: %s", self._stream, message)


@dataclass(eq=False)
class Node:
    """A resource in a run.

    Attributes:
        parent: The node whose records its lists hang below; none for the list of accounts.
        account_sid: The configured account.
        is_selected: Whether its records are wanted, not only those below them.
        goes_by_dates: Whether the user lets it be read by windows, where it can be.
        may_skip: Whether rows that didn't change may be left out.
        limit: Most records that a dry run wants of each list; none in other runs.
        children: Those that are selected, or have selected nodes below them.
    """

    resource: Resource
    parent: Node | None = None
    account_sid: str = ""
    is_selected: bool = False
    goes_by_dates: bool = True
    may_skip: bool = False
    limit: int | None = None
    children: list[Node] = field(default_factory=list)

    @cached_property
    def name(self) -> str:
        """The stream's name."""
        return self.resource.name

    @cached_property
    def lineage(self) -> list[Node]:
        """The node and those above it, its parent first."""
        return [self, *(self.parent.lineage if self.parent is not None else ())]

    @cached_property
    def descendants(self) -> list[Node]:
        """All nodes below this one."""
        return [one for child in self.children for one in (child, *child.descendants)]

    @cached_property
    def branch(self) -> list[Node]:
        """The selected nodes among this one and all below it."""
        return [node for node in (self, *self.descendants) if node.is_selected]

    @cached_property
    def height(self) -> int:
        """Levels of nodes below this one."""
        return max((child.height + 1 for child in self.children), default=0)

    @cached_property
    def placeholder(self) -> str:
        """Name, in paths and contexts, of the SID that the parent's record gives."""
        if self.parent is not None and self.parent.parent is None:
            # Paths of the product APIs don't name the account: the signature decides it.
            return ACCOUNT
        return [name for _, name, *_ in string.Formatter().parse(self.resource.path) if name][-1]

    @cached_property
    def is_accounts_own(self) -> bool:
        """Whether an account has one such list, rather than one for each of other records."""
        is_below = self.parent is not None
        return is_below and self.placeholder == ACCOUNT and not self.resource.path_values

    @cached_property
    def variants(self) -> list[dict[str, str]]:
        """Values in the path that no list gives, one read for each: see ``path_values``.

        Those that nobody wants are left out: of lists of files only, all but the files' own.
        """
        values = self.resource.path_values
        found = [
            dict(zip(values, each, strict=True)) for each in itertools.product(*values.values())
        ]
        is_for_files = bool(self.children) and all(child.reads_files for child in self.children)
        if self.is_selected or not is_for_files:
            return found
        return [one for one in found if self.files_below(one)]

    @property
    def reads_files(self) -> bool:
        """Whether its rows are in files, one for each day that its parent lists."""
        return self.resource.exported is not None

    def files_below(self, context: Mapping[str, Any]) -> list[Node]:
        """Give the nodes that read the files which a list names."""
        return [child for child in self.children if child.reads_files and child.is_below(context)]

    def is_below(self, context: Mapping[str, Any]) -> bool:
        """Tell whether it is below a list: files of one kind are not below those of another."""
        return self.resource.exported in {None, *context.values()}

    @cached_property
    def is_incremental(self) -> bool:
        """Whether it is read by windows and keeps a bookmark.

        A node below an incremental one doesn't: a run gives it some of the parents only.
        """
        return (
            self.resource.window is not None
            and self.goes_by_dates
            and not any(above.is_incremental for above in self.lineage[1:])
        )

    @cached_property
    def skips_unchanged(self) -> bool:
        """Whether rows that didn't change since the last run are left out.

        Only for lists that an account has one of, as a bookmark is an account's.
        """
        return (
            self.may_skip
            and self.resource.window is None
            and self.is_accounts_own
            and self.is_selected
            and self.resource.schema["properties"].get(UPDATED, {}).get("format") == "date-time"
        )

    @cached_property
    def skips_written(self) -> bool:
        """Whether rows of a look-back are left out that an earlier run wrote as they are.

        Only for lists that an account has one of, as what is remembered of them is an account's.
        """
        return self.may_skip and self.is_incremental and self.is_accounts_own and self.is_selected

    @property
    def bookmark_key(self) -> str:
        """The field that its bookmark is of."""
        has_own = self.resource.window is not None or self.reads_files
        return self.resource.key if has_own else UPDATED

    def account_of(self, context: Mapping[str, Any]) -> str:
        """Give the account whose rows are read: the context's, or the one that lists all others."""
        return str(context.get(ACCOUNT, self.account_sid))

    def context_below(
        self, parent: Mapping[str, Any], context: Mapping[str, Any]
    ) -> dict[str, Any] | None:
        """Make a context from a parent's record and context; none if the record lacks its SID."""
        value = parent.get(self.resource.parent_field)
        return None if value is None else {**context, self.placeholder: value}

    @cached_property
    def logger(self) -> logging.Logger:
        """The stream's logger."""
        return self.warn_once.logger

    @cached_property
    def warn_once(self) -> Warner:
        """Logs warnings about this stream, each once."""
        return Warner(self.name)
