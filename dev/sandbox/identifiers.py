"""SIDs and pseudo-random bits, both plain functions of a row's place.

Nothing is stored: a SID is computed from the index of its row and can be read back, so that tables
of millions of rows cost no memory and a SID met in a URL leads to its row in one step.
"""

from __future__ import annotations

import hashlib
from typing import Final

_MASK: Final = (1 << 64) - 1
_ODD: Final = 0xD6E8FEB86659FD93
_INVERSE: Final = pow(_ODD, -1, 1 << 64)
SID_LENGTH: Final = 34


def seed_of(*parts: object) -> int:
    """Derive a 64-bit seed from whatever names a thing.

    Args:
        parts: What names it; their order counts.

    Returns:
        A number that is the same in every process.
    """
    text = "\x1f".join(map(str, parts)).encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "big")


def mix(seed: int, index: int) -> int:
    """Scatter an index over 64 bits (SplitMix64).

    Args:
        seed: What tells this sequence from others.
        index: The place in the sequence.

    Returns:
        64 bits without visible pattern.
    """
    bits = (seed + index * 0x9E3779B97F4A7C15) & _MASK
    bits = ((bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    bits = ((bits ^ (bits >> 27)) * 0x94D049BB133111EB) & _MASK
    return bits ^ (bits >> 31)


def secret(*parts: object) -> str:
    """Make a token that looks like Twilio's: 32 hexadecimal digits.

    Args:
        parts: What names the secret.

    Returns:
        The token.
    """
    return f"{seed_of('secret', *parts):016x}{seed_of('terces', *parts):016x}"


def hash_of(sid: str) -> int:
    """Scatter a SID, whoever minted it."""
    return seed_of("hash", sid)


class SidSpace:
    """The SIDs of one table's rows.

    Args:
        prefix: Twilio's two letters.
        seed: The table's seed.
    """

    __slots__ = ("_offset", "_tail", "prefix")

    def __init__(self, prefix: str, seed: int) -> None:
        """Prepare the space."""
        self.prefix = prefix
        self._offset = mix(seed, 1)
        self._tail = f"{mix(seed, 2):016x}"

    def mint(self, index: int) -> str:
        """Give the SID of a row.

        Args:
            index: The row's place in its table.

        Returns:
            34 characters.
        """
        return f"{self.prefix}{(index * _ODD + self._offset) & _MASK:016x}{self._tail}"

    def index(self, sid: str) -> int | None:
        """Read back the place of a row.

        The prefix is not compared: one table may use several (SM and MM for messages).

        Args:
            sid: Any text.

        Returns:
            The index, or None for what is no SID of this table.
        """
        if len(sid) != SID_LENGTH or sid[18:] != self._tail:
            return None
        try:
            scattered = int(sid[2:18], 16)
        except ValueError:
            return None
        return ((scattered - self._offset) * _INVERSE) & _MASK
