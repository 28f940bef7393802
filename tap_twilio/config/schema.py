"""The settings as users see them: names, types, titles and what they do."""

from __future__ import annotations

from typing import Any

from singer_sdk import typing as th

from tap_twilio.config import declarations
from tap_twilio.config.hosts import EDGES
from tap_twilio.http.connections import WHOLE

REQUESTS = 24
"""Requests in flight in a run by default: a quarter of the 100 that users report for an account, as
the rest is their applications'. Streams of one request for each parent would gain from more."""

EXPORTED = ("messages", "calls", "conferences", "participants")
"""Kinds of records that there are exports of."""

MOMENT_FORMS = "a date (2026-01-31), a date-time (2026-01-31T08:00:00Z) or a time before now (P30D)"

SCHEMA: dict[str, Any] = th.PropertiesList(
    th.Property(
        "account_sid",
        th.StringType(nullable=False),
        required=True,
        title="Account SID",
        description="SID of the account to read. The tap finds its subaccounts itself.",
        examples=["ACxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"],
    ),
    th.Property(
        "auth_token",
        th.StringType,
        secret=True,
        title="Auth token",
        description="Auth token of the account. Give an auth token, an API key or an OAuth app.",
    ),
    th.Property(
        "api_key_sid",
        th.StringType,
        title="API key SID",
        description="SID of an API key: a Main, Standard or Restricted key.",
        examples=["SKxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"],
    ),
    th.Property(
        "api_key_secret",
        th.StringType,
        secret=True,
        title="API key secret",
        description="Secret of the API key.",
    ),
    th.Property(
        "client_id",
        th.StringType,
        title="Client ID",
        description="Client ID of an OAuth app, for which the tap asks Twilio for tokens.",
    ),
    th.Property(
        "client_secret",
        th.StringType,
        secret=True,
        title="Client secret",
        description="Client secret of the OAuth app.",
    ),
    th.Property(
        "subaccount_credentials",
        th.ObjectType(
            additional_properties=th.ObjectType(
                th.Property("auth_token", th.StringType(nullable=False)),
                th.Property("api_key_sid", th.StringType(nullable=False)),
                th.Property("api_key_secret", th.StringType(nullable=False)),
                additional_properties=False,
            )
        ),
        secret=True,
        title="Credentials of subaccounts",
        description="Auth tokens or API keys of subaccounts, by account SID. The tap prefers them "
        "to the tokens in the accounts list, and uses them for all products.",
        examples=[
            {
                "ACxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx": {"auth_token": "its auth token"},
                "ACyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy": {
                    "api_key_sid": "SKxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
                    "api_key_secret": "the key's secret",
                },
            }
        ],
    ),
    th.Property(
        "region",
        th.StringType(allowed_values=list(EDGES)),
        title="Region",
        description="Region that holds the data. The default is US1. Credentials belong to one "
        "region.",
        examples=["ie1", "au1"],
    ),
    th.Property(
        "edge",
        th.StringType,
        title="Edge",
        description="Edge to connect to. The default is the region's own edge.",
        examples=["dublin", "sydney"],
    ),
    th.Property(
        "base_url",
        th.StringType,
        title="Base URL",
        description="Address to use in place of all Twilio hosts, such as a gateway or the "
        "sandbox. The product's name becomes the first part of the path.",
        examples=["http://127.0.0.1:8400"],
    ),
    th.Property(
        "accounts",
        th.ArrayType(th.StringType(nullable=False, min_length=1)),
        title="Accounts",
        description="SIDs or friendly names of the accounts to read. The default is every account "
        "that the credentials can see.",
        examples=[["ACxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", "Marketing"]],
    ),
    th.Property(
        "include_subaccounts",
        th.BooleanType,
        default=True,
        title="Include subaccounts",
        description="Read subaccounts as well as the configured account.",
    ),
    th.Property(
        "start_date",
        th.StringType,
        title="Start date",
        description=f"Oldest moment to read: {MOMENT_FORMS}. The default is everything that "
        "Twilio keeps.",
        examples=["2026-01-01", "2026-01-31T08:00:00Z", "P30D"],
    ),
    th.Property(
        "end_date",
        th.StringType,
        title="End date",
        description=f"Moment to read up to, exclusive: {MOMENT_FORMS}. The default is the start "
        "of the run.",
        examples=["2026-02-01", "P5D"],
    ),
    th.Property(
        "lookback_days",
        th.NumberType(minimum=0, maximum=36500),
        title="Look-back in days",
        description="Days before its bookmark from which an incremental stream reads again, to "
        "find rows that changed. The default is each stream's own look-back, which the list of "
        "streams shows.",
        examples=[7],
    ),
    th.Property(
        "skip_unchanged",
        th.BooleanType,
        default=False,
        title="Skip unchanged rows",
        description="Write only rows that changed since the last run: of look-backs, and of "
        "streams that have no date filter but a date_updated. The tap reads them all the same.",
    ),
    th.Property(
        "include_deleted_recordings",
        th.BooleanType,
        default=False,
        title="Include deleted recordings",
        description="Read recordings that were deleted in the last 40 days. Their status is "
        "deleted.",
    ),
    th.Property(
        "emit_activate_version_messages",
        th.BooleanType,
        default=False,
        title="Emit ACTIVATE_VERSION messages",
        description="Let the target drop rows that no longer exist at Twilio. This works for "
        "streams that a run reads whole, in all accounts and without failure. The target must "
        "support it.",
    ),
    th.Property(
        "batch_config",
        th.ObjectType(
            th.Property(
                "encoding",
                th.ObjectType(
                    th.Property("format", th.StringType(allowed_values=["jsonl"]), required=True),
                    th.Property("compression", th.StringType(allowed_values=["gzip", "none"])),
                    additional_properties=False,
                    nullable=False,
                ),
                required=True,
            ),
            th.Property(
                "storage",
                th.ObjectType(
                    th.Property("root", th.StringType(nullable=False, min_length=1), required=True),
                    th.Property("prefix", th.StringType),
                    additional_properties=False,
                    nullable=False,
                ),
                required=True,
            ),
            th.Property("batch_size", th.IntegerType(minimum=1)),
            additional_properties=False,
        ),
        title="Batch files",
        description="Write records into files of JSON lines, gzipped unless compression is none, "
        "of batch_size rows at most, and BATCH messages that name the files. The target must "
        "support it. See docs/loading.md.",
        examples=[
            {
                "encoding": {"format": "jsonl", "compression": "gzip"},
                "storage": {"root": "file:///var/spool/twilio", "prefix": "prod-"},
                "batch_size": 10000,
            }
        ],
    ),
    th.Property(
        "bulkexport",
        th.ObjectType(
            th.Property("order", th.BooleanType, default=False),
            th.Property("from", th.StringType(nullable=False, min_length=1)),
            th.Property("to", th.StringType(nullable=False, min_length=1)),
            th.Property(
                "types",
                th.ArrayType(th.StringType(allowed_values=list(EXPORTED), nullable=False)),
            ),
            additional_properties=False,
        ),
        title="Orders of exports",
        description="Have Twilio make files of days that lack one, if order is true, for the "
        "selected streams of these types. from and to are the first and last day. Twilio tells "
        "the account's owners and admins by mail. See docs/archive.md.",
        examples=[
            {"order": True, "from": "2019-01-01", "to": "P400D", "types": ["messages", "calls"]}
        ],
    ),
    th.Property(
        "page_size",
        th.IntegerType(minimum=1, maximum=5000),
        title="Page size",
        description="Rows to ask for in one request. The default, and the upper bound, is each "
        "endpoint's maximum.",
        examples=[200],
    ),
    th.Property(
        "max_records",
        th.IntegerType(minimum=1),
        title="Most records",
        description="Stop after this many rows of each stream and account, for a preview. "
        "Bookmarks do not move.",
        examples=[100],
    ),
    th.Property(
        "filters",
        th.ObjectType(
            additional_properties=th.ObjectType(
                additional_properties=th.CustomType(declarations.VALUES), nullable=False
            )
        ),
        title="Filters",
        description="Query parameters of the endpoint, in snake case, by stream. A list of values "
        "means one request chain for each value.",
        examples=[
            {
                "messages": {"to": "+15551234567"},
                "calls": {"status": ["completed", "busy"]},
                "alerts": {"log_level": "error"},
                "usage_records_daily": {"category": ["sms", "calls"]},
            }
        ],
    ),
    th.Property(
        "custom_streams",
        th.ArrayType(declarations.TYPE),
        title="Custom streams",
        description="Streams for other endpoints of Twilio. Each has a name, and a url or a "
        "product and a path. See docs/custom-streams.md.",
        examples=[declarations.EXAMPLE],
    ),
    th.Property(
        "pii",
        th.StringType(allowed_values=["keep", "hash", "drop"]),
        default="keep",
        title="Personal data",
        description="What to do with personal data: keep it, hash it with pii_key, or drop it. "
        "Keys and SIDs are always kept.",
    ),
    th.Property(
        "pii_key",
        th.StringType,
        secret=True,
        title="Key for hashes",
        description="Secret text that keys the hashes of personal data. Equal values have equal "
        "hashes in all streams and runs that share it. Make it long and random.",
    ),
    th.Property(
        "user_agent",
        th.StringType,
        title="User agent",
        description="User-Agent header of requests. The default is the tap's name and version.",
    ),
    th.Property(
        "request_timeout",
        th.NumberType(exclusive_minimum=0, maximum=86400),
        default=60,
        title="Request timeout",
        description="Seconds to wait for an answer, and for each further part of it. A whole "
        f"answer may take {WHOLE} times as long.",
    ),
    th.Property(
        "max_retries",
        th.IntegerType(minimum=0),
        default=8,
        title="Most retries",
        description="Retries of a failed request before the tap gives up its window.",
    ),
    th.Property(
        "retry_delay",
        th.NumberType(minimum=0, maximum=3600),
        default=1,
        title="Retry delay",
        description="Seconds before the first retry. Each further retry waits twice as long, up "
        "to 60 seconds.",
    ),
    th.Property(
        "max_concurrent_requests",
        th.IntegerType(minimum=1, maximum=100),
        default=REQUESTS,
        title="Most concurrent requests",
        description="Upper bound on requests in flight. Each account starts with 4. Below the "
        "bound, the number adapts to what Twilio bears.",
    ),
).to_dict()
