"""Twilio's lists as plain data, and the dates that they are read by."""
