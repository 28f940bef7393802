"""The paths of the lists that others refer to."""

from __future__ import annotations

from typing import Final

ACCOUNT: Final = "/2010-04-01/Accounts/{AccountSid}"
CALLS: Final = f"{ACCOUNT}/Calls.json"
CONFERENCES: Final = f"{ACCOUNT}/Conferences.json"
MESSAGES: Final = f"{ACCOUNT}/Messages.json"
MESSAGE_MEDIA: Final = f"{ACCOUNT}/Messages/{{MessageSid}}/Media.json"
NUMBERS: Final = f"{ACCOUNT}/IncomingPhoneNumbers.json"
NOTIFICATIONS: Final = f"{ACCOUNT}/Notifications.json"
RECORDINGS: Final = f"{ACCOUNT}/Recordings.json"
TRANSCRIPTIONS: Final = f"{ACCOUNT}/Transcriptions.json"
