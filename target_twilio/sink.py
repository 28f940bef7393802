"""From Singer records to rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol, cast

from singer_sdk.sinks import RecordSink
from typing_extensions import override

from tap_twilio.http.errors import TapError
from target_twilio.actions import ACTIONS
from target_twilio.rows import Row
from target_twilio.settings import action_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from singer_sdk import Target
    from singer_sdk.sinks.core import BaseJSONSchemaValidator

    from target_twilio.run import Run
    from target_twilio.settings import Settings

CARRIED: Final = "_"
"""How the names of fields begin that only go into the results."""


class Doer(Protocol):
    """A target that has a run."""

    settings: Settings

    @property
    def run(self) -> Run:
        """The run, which has begun."""


class RowSink(RecordSink):
    """Has done what the rows of one stream ask for, each before the next is read."""

    def __init__(
        self,
        target: Target,
        stream_name: str,
        schema: dict[str, Any],
        key_properties: Sequence[str] | None,
    ) -> None:
        """Find the stream's action.

        Raises:
            TapError: The stream has none, or no key.
        """
        self._doer = cast("Doer", target)
        self._action = ACTIONS[action_of(stream_name, self._doer.settings)]
        if not key_properties:
            msg = (
                f"{stream_name}: the stream has no key, so that its rows would be sent again and "
                "again; name one by __key_properties__ in stream_maps"
            )
            raise TapError(msg)
        super().__init__(target, stream_name, schema, key_properties)

    @override
    def get_validator(self) -> BaseJSONSchemaValidator | None:
        # Rows are judged by what their action takes, and the SDK would log what they say.
        return None

    @override
    def process_record(self, record: dict[str, Any], context: dict[str, Any]) -> None:
        known, key = self._action.fields, self.key_properties
        self._doer.run.take(
            Row(
                stream=self.stream_name,
                action=self._action,
                key={name: record[name] for name in key},
                values={
                    name: value
                    for name, value in record.items()
                    if not name.startswith(CARRIED) and (name in known or name not in key)
                },
                carried={name: one for name, one in record.items() if name.startswith(CARRIED)},
            )
        )
