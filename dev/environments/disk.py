"""A place on a disk, for what the target is right to refuse elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from environments import CACHE
from target_twilio.settings import IN_MEMORY, MOUNTS, file_system

if TYPE_CHECKING:
    from pathlib import Path


def on_disk(folder: Path) -> Path:
    """Give a folder, or one of the user's cache where that is in memory, as `/tmp` often is."""
    if file_system(folder.resolve(), MOUNTS) not in IN_MEMORY:
        return folder
    cached = CACHE.parent / "temporary"
    cached.mkdir(parents=True, exist_ok=True)
    return cached
