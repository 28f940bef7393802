"""Streams that the setting ``custom_streams`` declares."""
