"""Versions of streams that were read whole: by them a target finds what is gone at Twilio."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tap_twilio.stream import TwilioStream


def is_whole(stream: TwilioStream) -> bool:
    """Tell whether a run brings all rows that a stream has, in all accounts.

    Rows of incremental streams, and of what hangs below them, are brought by many runs: if a
    target dropped what one of them didn't bring, it would drop nearly everything.

    Args:
        stream: A selected stream.

    Returns:
        Whether rows that a run without trouble doesn't bring are gone.
    """
    settings = stream.run.settings
    if settings.accounts or not settings.include_subaccounts or settings.max_records is not None:
        return False
    if settings.start is not None or settings.end is not None:
        return False
    return not any(
        above.is_incremental or above.skips_unchanged or above.name in settings.filters
        for above in (stream, *stream.ancestors)
    )


def was_read(stream: TwilioStream) -> bool:
    """Tell whether nothing of a stream was left out in this run.

    Args:
        stream: A stream.

    Returns:
        False if anything failed, any account was skipped for it or what it hangs below, or any
        row had no key.
    """
    progress = stream.run.progress
    return not (progress.failures or progress.skipped or progress.keyless)
