"""The program: ``target-twilio``, or ``python -m target_twilio``."""

from __future__ import annotations

from tap_twilio.config.process import begin


def main() -> None:
    """Run the target."""
    begin()
    from target_twilio.target import TargetTwilio  # noqa: PLC0415

    TargetTwilio.main()


if __name__ == "__main__":
    main()
