"""The tap, in one process with the source."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, ClassVar

from typing_extensions import override

from tap_twilio.config.schema import SCHEMA
from tap_twilio.tap import TapTwilio

if TYPE_CHECKING:
    from collections.abc import Collection

    from tap_twilio.resource.resource import Node


class SourceTap(TapTwilio):
    """The tap, less what is the platform's part: stream maps and flattening."""

    config_jsonschema: ClassVar[dict[str, Any]] = copy.deepcopy(SCHEMA)

    @classmethod
    @override
    def append_builtin_config(cls, config_jsonschema: dict[str, Any]) -> None:
        """Add nothing."""

    def nodes(self) -> list[Node]:
        """Give the nodes of all streams to be read, and of those above them."""
        return [self.sync.root, *self.sync.root.descendants]

    def select(self, names: Collection[str]) -> None:
        """Select the streams to read, before anything else is asked of them.

        Others are read only where these need them.
        """
        for name, stream in self.streams.items():
            stream.selected = name in names
