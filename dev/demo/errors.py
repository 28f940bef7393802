"""What can go wrong, in one sentence."""

from __future__ import annotations


class DemoError(Exception):
    """The demo can't go on; the message is for people."""
