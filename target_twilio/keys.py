"""Which rows are the same, and what may be told of a row."""

from __future__ import annotations

import json
import re
from datetime import date, datetime, time
from decimal import Decimal
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final

from target_twilio.addresses import digits

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

HIDDEN: Final = "hidden:"
"""How what stands for personal data begins."""

_LONGEST: Final = 400
"""Digits up to which numbers are written out."""

_SHORTEST: Final = 5
"""Letters or digits from which a part of a value tells somebody's address or text."""

_SIZE: Final = 16


def canonical(value: Any) -> Any:  # noqa: ANN401
    """Give what two equal values have in common: 1 and 1.0, but not "1"; names are sorted."""
    if isinstance(value, bool) or value is None:
        return ["c", value]
    if isinstance(value, (int, float, Decimal)):
        return ["n", _number(value)]
    if isinstance(value, dict):
        return ["o", [[str(name), canonical(value[name])] for name in sorted(value, key=str)]]
    if isinstance(value, (list, tuple)):
        return ["l", [canonical(one) for one in value]]
    if isinstance(value, (date, datetime, time)):
        return ["s", value.isoformat()]
    return ["s", str(value)]


def _number(value: float | Decimal) -> str:
    if isinstance(value, int):
        return str(value)
    number = Decimal(str(value))
    if not number.is_finite() or abs(number.adjusted()) > _LONGEST:
        return str(number)
    text = format(number.normalize(), "f")
    return "0" if text == "-0" else text


def plain(value: Any) -> Any:  # noqa: ANN401
    """Make of a value what JSON can hold, as a hook of its encoder."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return value.isoformat() if isinstance(value, (date, time)) else str(value)


class Digests:
    """Hashes that only those who have the salt can make."""

    def __init__(self, salt: bytes) -> None:
        """Keep the salt."""
        self._salt = salt

    def of(self, *parts: Any) -> bytes:
        """Give the hash of some values; equal values have equal ones."""
        text = json.dumps([canonical(part) for part in parts], separators=(",", ":"))
        content = text.encode("utf-8", "surrogatepass")
        return blake2b(content, key=self._salt, digest_size=_SIZE).digest()


class Personal:
    """What must not be told of a row, and what stands in for it."""

    def __init__(self, addresses: Iterable[Any], texts: Iterable[Any], digests: Digests) -> None:
        """Take what is personal in the row."""
        found = [str(one).strip() for one in addresses if one is not None]
        said = [str(one).strip() for one in texts if one is not None]
        self._numbers = {one for one in map(digits, found) if len(one) >= _SHORTEST}
        self._parts = {one for one in (*found, *said) if len(one) >= _SHORTEST}
        self._whole = {*found, *said} - {""}
        self._digests = digests

    def conceal(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Hide what is personal in some values."""
        return {name: self._shown(value) for name, value in values.items()}

    def _shown(self, value: Any) -> Any:  # noqa: ANN401
        if value is None or isinstance(value, bool):
            return value
        text = str(value)
        bare = re.sub(r"[^0-9]", "", text)
        if (
            text.strip() in self._whole
            or any(one in bare for one in self._numbers)
            or any(one in text for one in self._parts)
        ):
            return HIDDEN + self._digests.of(value).hex()
        return value
