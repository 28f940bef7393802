"""Where streams go on: Airbyte's states, a stream each, and the tap's bookmarks."""

from __future__ import annotations

from typing import Any

from tap_twilio.config.inputs import check_state
from tap_twilio.http.errors import TapError

Blob = dict[str, Any]
"""A stream's state: the tap's bookmarks of the stream, ``{"partitions": [{"context": …}]}``."""

COMPLETE = "__ab_full_refresh_sync_complete"
"""Says in a blob that a full refresh has come to its end, should the job be tried again."""

NO_CURSOR = "__ab_no_cursor_state_message"
"""Says in a blob that the stream is read whole each time."""


def parsed(content: Any) -> dict[str, Blob]:  # noqa: ANN401
    """Give each stream's blob of a state file, whose messages are of a stream each.

    Raises:
        TapError: It is something else.
    """
    if not content:
        return {}
    blobs: dict[str, Blob] = {}
    for message in content if isinstance(content, list) else [content]:
        try:
            stream = message["stream"]
            name, blob = stream["stream_descriptor"]["name"], stream.get("stream_state") or {}
            partitions = blob.get("partitions", [])
            strangers = blob.keys() - {"partitions", COMPLETE, NO_CURSOR}
        except (AttributeError, KeyError, TypeError):
            partitions = None
        if not isinstance(partitions, list) or not isinstance(name, str) or strangers:
            msg = (
                "--state: this is no state of this source; it looks like "
                '[{"type": "STREAM", "stream": {"stream_descriptor": {"name": "calls"}, '
                '"stream_state": {"partitions": […]}}}]. Run without it to begin anew'
            )
            raise TapError(msg)
        if name in blobs:
            msg = f"--state: there are two of {name}. Leave the older one, to lose nothing"
            raise TapError(msg)
        blobs[name] = blob
    check_state({"bookmarks": {name: bookmarks(blob) for name, blob in blobs.items()}})
    return blobs


def bookmarks(blob: Blob) -> Blob:
    """Give a blob's bookmarks as a Singer state has them; empty if there are none."""
    return {"partitions": blob["partitions"]} if blob.get("partitions") else {}
