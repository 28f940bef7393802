"""Run the tap with ``python -m tap_twilio``."""

from __future__ import annotations

from tap_twilio.tap import TapTwilio

if __name__ == "__main__":
    TapTwilio.cli()
