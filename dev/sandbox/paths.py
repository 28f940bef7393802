"""The paths of the lists that others refer to."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

ACCOUNT: Final = "/2010-04-01/Accounts/{AccountSid}"
CALLS: Final = f"{ACCOUNT}/Calls.json"
CONFERENCES: Final = f"{ACCOUNT}/Conferences.json"
DAYS: Final = "/v1/Exports/{ResourceType}/Days"
JOBS: Final = "/v1/Exports/{ResourceType}/Jobs"
MESSAGES: Final = f"{ACCOUNT}/Messages.json"
MESSAGE_MEDIA: Final = f"{ACCOUNT}/Messages/{{MessageSid}}/Media.json"
NUMBERS: Final = f"{ACCOUNT}/IncomingPhoneNumbers.json"
NOTIFICATIONS: Final = f"{ACCOUNT}/Notifications.json"
PARTICIPANTS: Final = f"{ACCOUNT}/Conferences/{{ConferenceSid}}/Participants.json"
RECORDINGS: Final = f"{ACCOUNT}/Recordings.json"
TRANSCRIPTIONS: Final = f"{ACCOUNT}/Transcriptions.json"

Content = bytes | Callable[[], Iterable[bytes]]
"""A file: its bytes, or what makes them each time that it is read."""
