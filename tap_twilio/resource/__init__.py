"""What a list of Twilio's is, and by which dates it is read."""
