"""The target's settings as users see them: names, types, titles and what they do."""

from __future__ import annotations

from typing import Any, Final

from singer_sdk import typing as th

from tap_twilio.config.schema import SCHEMA as OF_THE_TAP
from target_twilio.actions import ACTIONS

SHARED: Final = (
    "account_sid",
    "auth_token",
    "api_key_sid",
    "api_key_secret",
    "client_id",
    "client_secret",
    "region",
    "edge",
    "base_url",
)
"""Settings that mean the same to the tap."""

_OWN: Final[dict[str, Any]] = th.PropertiesList(
    th.Property(
        "send",
        th.BooleanType,
        default=False,
        title="Send",
        description="Whether to do what rows ask for. Without it, a run is a dry run: it checks "
        "every row, and changes nothing at Twilio.",
    ),
    th.Property(
        "ledger_path",
        th.StringType,
        title="Path of the ledger",
        description="File in which the target keeps what it has sent, so that nothing is sent "
        "twice; required beside send. Never lose it: keep it on a disk that lasts, and back it up.",
        examples=["/var/lib/twilio/ledger.db"],
    ),
    th.Property(
        "results_path",
        th.StringType,
        title="Path of the results",
        description="File to which a line of JSON is added for each row: its key and what became "
        "of it, without its recipient and its text.",
        examples=["output/results.jsonl"],
    ),
    th.Property(
        "from",
        th.StringType,
        title="Sender",
        description="Who sends the rows that name no sender: a number, a short code, or an address "
        "such as whatsapp:+15550100.",
        examples=["+15550100"],
    ),
    th.Property(
        "messaging_service_sid",
        th.StringType(pattern="^MG[0-9a-fA-F]{32}$"),
        title="Messaging Service",
        description="SID of the Messaging Service that sends the rows that name no sender. Give "
        "either this or from; only a Messaging Service can schedule.",
        examples=["MGxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"],
    ),
    th.Property(
        "streams",
        th.ObjectType(
            additional_properties=th.StringType(allowed_values=list(ACTIONS), nullable=False)
        ),
        title="Streams",
        description="By the name of a stream, what its rows have done; streams that are called "
        "like an action need no entry.",
        examples=[{"reminders": "messages"}],
    ),
    th.Property(
        "max_rows",
        th.IntegerType(minimum=1),
        default=1000,
        title="Most rows",
        description="Most rows to send in a run, over all streams; the run stops before the next.",
    ),
    th.Property(
        "allow_recipients",
        th.ArrayType(th.StringType(nullable=False)),
        secret=True,
        title="Allowed recipients",
        description="The only numbers to send messages to; one that ends with * stands for all "
        "that begin so. An empty list means nobody. Others are suppressed.",
        examples=[["+15550123", "+4930*"]],
    ),
    th.Property(
        "deny_recipients",
        th.ArrayType(th.StringType(nullable=False)),
        secret=True,
        title="Denied recipients",
        description="Numbers never to send messages to; one that ends with * stands for all that "
        "begin so.",
        examples=[["+15550123", "+1900*"]],
    ),
    th.Property(
        "send_window",
        th.ObjectType(
            th.Property("start", th.StringType(nullable=False), required=True),
            th.Property("end", th.StringType(nullable=False), required=True),
            th.Property("time_zone", th.StringType(nullable=False), required=True),
            additional_properties=False,
        ),
        title="Time of day",
        description="When messages may be sent, by the clocks of a place; it may go over midnight. "
        "Outside of it the run stops before the next message, and schedules are refused.",
        examples=[{"start": "09:00", "end": "20:00", "time_zone": "Europe/Berlin"}],
    ),
    th.Property(
        "rate",
        th.NumberType(minimum=0, maximum=1000),
        default=10,
        title="Rate",
        description="Most requests a second that write; 0 for any number. It is halved whenever "
        "Twilio refuses one as too many.",
    ),
    th.Property(
        "max_failures",
        th.IntegerType(minimum=1),
        default=20,
        title="Most failures",
        description="Rejected rows in a row at which the run stops.",
    ),
    th.Property(
        "allow_deletions",
        th.BooleanType,
        default=False,
        title="Allow deletions",
        description="Whether rows of message_deletions may delete messages for good.",
    ),
    th.Property(
        "unsure",
        th.StringType(allowed_values=["hold", "resend"]),
        default="hold",
        title="Unsure",
        description="What becomes of a message of which nobody knows whether it was sent: hold "
        "never sends it again; resend does when its row comes again, and may send it twice.",
    ),
    th.Property(
        "on_error",
        th.StringType(allowed_values=["continue", "stop"]),
        default="continue",
        title="On error",
        description="Whether to go on with the next row after one that is rejected.",
    ),
    th.Property(
        "settle_delay",
        th.NumberType(minimum=0, maximum=3600),
        default=30,
        title="Delay before settling",
        description="Seconds to wait at the end of a run before looking for messages whose answer "
        "was lost; without such messages there is no wait.",
    ),
    th.Property(
        "settle",
        th.NumberType(minimum=0, maximum=525_600),
        default=60,
        title="Time to settle",
        description="Minutes for which resend waits for a message to show up.",
    ),
).to_dict()

_ACCOUNT: Final = {"description": "SID of the account that sends."}

SCHEMA: Final[dict[str, Any]] = {
    **_OWN,
    "properties": {
        **{name: {**OF_THE_TAP["properties"][name]} for name in SHARED},
        **_OWN["properties"],
    },
    "required": ["account_sid"],
}
SCHEMA["properties"]["account_sid"] |= _ACCOUNT

LEFT_OUT: Final = ("load_method", "batch_size_rows")
"""Settings that the SDK has for each target, and that mean nothing to this one."""
