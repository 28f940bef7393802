"""Singer tap for everything that Twilio lists."""
