"""The program: ``tap-twilio``, or ``python -m tap_twilio``."""

from __future__ import annotations

from tap_twilio.memory import collect_rarely


def main() -> None:
    """Run the tap."""
    # Before everything else is imported: a fourth of the time which that takes is collection.
    collect_rarely()
    from tap_twilio.tap import TapTwilio  # noqa: PLC0415

    TapTwilio.cli()


if __name__ == "__main__":
    main()
