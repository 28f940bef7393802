"""Reads Singer messages, and never says what is in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from singer_sdk.io_base import SingerReader
from singer_sdk.singerlib.json import deserialize_json
from typing_extensions import override

from tap_twilio.http.errors import TapError

if TYPE_CHECKING:
    from typing import NoReturn


class InputError(TapError):
    """A line of the input is no message."""


class Reader(SingerReader):
    """The SDK's reader, whose errors quote whole lines, numbers and texts among them."""

    def __init__(self) -> None:
        """Start before the first line."""
        super().__init__()
        self._lines = 0

    @override
    def deserialize_json(self, line: str) -> dict[str, Any]:
        self._lines += 1
        try:
            message = deserialize_json(line)
        except (ValueError, RecursionError):
            message = None
        if not isinstance(message, dict):
            self._refuse("it is no JSON object")
        record = message.get("record", {})
        if not isinstance(record, dict):
            self._refuse("its record is no object")
        return message

    @staticmethod
    @override
    def assert_line_requires(line_dict: dict[str, Any], requires: set[str]) -> None:
        if missing := sorted(requires - line_dict.keys()):
            msg = f"A message lacks {', '.join(missing)}"
            raise InputError(msg)

    @override
    def _process_unknown_message(self, message_dict: dict[str, Any]) -> None:
        self._refuse("its type is none of Singer's")

    def _refuse(self, reason: str) -> NoReturn:
        msg = f"Line {self._lines} of the input can't be read: {reason}"
        raise InputError(msg)
