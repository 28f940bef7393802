"""``python -m tap_twilio.airbyte`` is ``source-twilio``."""

from tap_twilio.airbyte.source import main

if __name__ == "__main__":
    main()
