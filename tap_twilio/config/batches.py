"""The setting ``batch_config``: where files of records go, and in which form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from upath import UPath

from tap_twilio.config.checks import SettingsError, short

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Self

ROWS = 10_000
"""Rows of a file by default, as the SDK has it."""


@dataclass(frozen=True)
class Batches:
    """Where files of records go, and in which form.

    Attributes:
        root: The folder.
        prefix: What names of files begin with; it may have folders in it.
        is_compressed: Whether files are gzipped.
        rows: Most rows of a file.
    """

    root: UPath
    prefix: str = ""
    is_compressed: bool = True
    rows: int = ROWS

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Self:
        """Give the setting its meaning.

        Raises:
            SettingsError: No package is installed that writes to such a place.
        """
        storage = given["storage"]
        try:
            root = UPath(storage["root"]).resolve()
            # This is what imports the package.
            _ = root.fs
        except (ImportError, OSError, ValueError) as error:
            # The root itself may have a password in it.
            sentence = f"batch_config.storage.root: the tap can't write there: {error}"
            raise SettingsError([short(sentence)]) from None
        return cls(
            root,
            prefix=storage.get("prefix") or "",
            is_compressed=given["encoding"].get("compression") != "none",
            rows=given.get("batch_size") or ROWS,
        )
