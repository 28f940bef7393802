"""Singer target for Twilio: rows become messages, once each, and only if told to."""
