"""Conversations with Twilio's servers: connections, retries, pages, errors."""
