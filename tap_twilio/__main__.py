"""The program: ``tap-twilio``, or ``python -m tap_twilio``."""

from __future__ import annotations

from tap_twilio.config.process import begin


def main() -> None:
    """Run the tap."""
    begin()
    from tap_twilio.tap import TapTwilio  # noqa: PLC0415

    TapTwilio.main()


if __name__ == "__main__":
    main()
