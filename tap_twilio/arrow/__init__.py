"""Twilio's streams as Arrow batches: ``tap_twilio.arrow.read("calls", start_date="P30D")``.

It needs ``pip install 'tap-twilio-streams[arrow]'``.
"""

from tap_twilio.arrow.reading import read
from tap_twilio.arrow.tap import TwilioError

__all__ = ["TwilioError", "read"]
