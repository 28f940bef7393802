"""Credentials among what Twilio sends: whatever has their names never leaves the tap."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection

NAMES = frozenset(
    {
        "access_token",
        "api_key_secret",
        "api_secret",
        "authToken",
        "auth_token",
        "client_secret",
        "password",
        "private_key",
        "refresh_token",
        "secret",
        "secret_access_key",
        "write_key",
    }
)
"""Names of credentials, in every stream and at every depth.

Not here are names that other things have, too: a ``token`` may be one of a device or of a page, a
``key`` is an item's name, ``credentials`` are links, and what ends in ``_sid`` only names a secret.
"""

CONTAINERS = frozenset({dict, list})
"""Types of values that may hold others."""


def take_out(values: Collection[Any]) -> set[str]:
    """Take credentials out of objects and arrays, in place and at any depth; give their names."""
    if _are_harmless(values):
        return set()
    found: set[str] = set()
    # Not by recursion: whoever sends the values decides how deep they are.
    waiting = list(values)
    while waiting:
        value = waiting.pop()
        if type(value) is dict:
            for name in NAMES & value.keys():
                del value[name]
                found.add(name)
            value = value.values()
        waiting += [one for one in value if type(one) in CONTAINERS]
    return found


def _are_harmless(values: Collection[Any]) -> bool:
    """Tell at a glance, as is the rule: all are flat objects, and no name is a credential's."""
    return (
        {dict}.issuperset(map(type, values))
        and NAMES.isdisjoint(set().union(*values))
        and CONTAINERS.isdisjoint(map(type, chain.from_iterable(map(dict.values, values))))
    )
