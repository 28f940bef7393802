"""What time it is: this machine's clock may be wrong, and Twilio's answers tell theirs."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from tap_twilio.config.inputs import CLOCKS_DIFFER
from tap_twilio.config.settings import now_utc

if TYPE_CHECKING:
    from datetime import datetime

logger = logging.getLogger("tap-twilio")

CLOCKS_AGREE: Final = timedelta(minutes=1)
"""How far this machine's clock and Twilio's may be apart without a word."""


@dataclass
class Clock:
    """The moment of a run.

    Attributes:
        now: The run's beginning by this machine's clock, in UTC.
        twilios: The moment of Twilio's first answer, by Twilio's clock; none before it.
        ahead: How far this machine's clock was ahead then.
    """

    now: datetime
    twilios: datetime | None = None
    ahead: timedelta | None = None

    @property
    def present(self) -> datetime:
        """The present by the clock that rows are dated by, as far as that can be believed."""
        date = self.twilios
        return self.now if date is None or date > self.now + CLOCKS_DIFFER else date

    @property
    def reached(self) -> datetime:
        """Up to when bookmarks may move: the run's beginning by whichever clock is behind."""
        return min(self.now, self.present)

    def note(self, twilios: datetime) -> None:
        """Take note of Twilio's moment now, and say so if this machine's clock is wrong."""
        self.twilios = twilios
        ahead = self.ahead = now_utc() - twilios
        if abs(ahead) <= CLOCKS_AGREE:
            return
        seconds = abs(ahead) // timedelta(seconds=1)
        if ahead > timedelta(0):
            logger.warning(
                "This machine's clock is %d seconds ahead of Twilio's. Bookmarks follow Twilio's "
                "clock, so no record is lost. Dates that count back from now are off by as much",
                seconds,
            )
        else:
            logger.warning(
                "This machine's clock is %d seconds behind Twilio's. Bookmarks follow this "
                "machine's clock, so no record is lost. The next run reads newer records again",
                seconds,
            )
