"""Parse each line of stdin with Airbyte's own models, and count the messages of each type."""

from __future__ import annotations

import json
import sys
from collections import Counter

from airbyte_protocol.models import AirbyteMessage
from pydantic import BaseModel

OPEN = {"connectionSpecification", "data", "json_schema", "stream_state"}
"""Fields that hold whatever the source likes."""


def assert_known(model: BaseModel, where: str) -> None:
    """The models let pass what they don't know; this doesn't."""
    assert not model.model_extra, f"{where}: {model.model_extra}"
    for name in type(model).model_fields:
        value = getattr(model, name)
        for part in value if isinstance(value, list) else [value]:
            if isinstance(part, BaseModel) and name not in OPEN:
                assert_known(part, f"{where}.{name}")


counts: Counter[str] = Counter()
for line in sys.stdin:
    message = AirbyteMessage.model_validate_json(line)
    assert_known(message, message.type.value)
    counts[message.type.value] += 1
json.dump(counts, sys.stdout)
