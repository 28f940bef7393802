"""The program: ``source-twilio``, or ``python -m tap_twilio.airbyte``."""

from __future__ import annotations

from tap_twilio.config.process import begin


def main() -> None:
    """Run the source."""
    begin()
    from tap_twilio.airbyte import source  # noqa: PLC0415

    source.main()


if __name__ == "__main__":
    main()
