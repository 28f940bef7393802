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

MOMENT_FORMS = "a date (2026-01-31), a date-time (2026-01-31T08:00:00Z) or a time before now (P30D)"

SCHEMA: dict[str, Any] = th.PropertiesList(
    th.Property(
        "account_sid",
        th.StringType(nullable=False),
        required=True,
        title="Account SID",
        description="SID of the account to read; its subaccounts are found by themselves.",
        examples=["ACxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"],
    ),
    th.Property(
        "auth_token",
        th.StringType,
        secret=True,
        title="Auth token",
        description="Auth token of the account. Give either this or an API key.",
    ),
    th.Property(
        "api_key_sid",
        th.StringType,
        title="API key SID",
        description="SID of an API key: a Main, Standard or Restricted one.",
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
        description="By account SID, an auth token or an API key of that account itself. They go "
        "before the tokens that the accounts list gives, and serve in all products.",
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
        description="Region that holds the data, if not US1. Credentials are a region's own.",
        examples=["ie1", "au1"],
    ),
    th.Property(
        "edge",
        th.StringType,
        title="Edge",
        description="Edge by which to reach the region; by default the region's own.",
        examples=["dublin", "sydney"],
    ),
    th.Property(
        "base_url",
        th.StringType,
        title="Base URL",
        description="Address that stands in for all of Twilio's hosts, such as a gateway or the "
        "sandbox; the product's name becomes the first part of the path.",
        examples=["http://127.0.0.1:8400"],
    ),
    th.Property(
        "accounts",
        th.ArrayType(th.StringType(nullable=False, min_length=1)),
        title="Accounts",
        description="SIDs or friendly names of the accounts to read; by default all that the "
        "credentials see.",
        examples=[["ACxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", "Marketing"]],
    ),
    th.Property(
        "include_subaccounts",
        th.BooleanType,
        default=True,
        title="Include subaccounts",
        description="Whether to read subaccounts besides the configured account.",
    ),
    th.Property(
        "start_date",
        th.StringType,
        title="Start date",
        description=f"Oldest moment to read: {MOMENT_FORMS}. By default all that Twilio keeps.",
        examples=["2026-01-01", "2026-01-31T08:00:00Z", "P30D"],
    ),
    th.Property(
        "end_date",
        th.StringType,
        title="End date",
        description=f"Moment up to which to read, itself not included: {MOMENT_FORMS}. By default "
        "the moment of the run.",
        examples=["2026-02-01", "P5D"],
    ),
    th.Property(
        "lookback_days",
        th.NumberType(minimum=0, maximum=36500),
        title="Look-back in days",
        description="How far before its bookmark an incremental stream reads again, for rows that "
        "changed since; by default each stream's own (see the streams table).",
        examples=[7],
    ),
    th.Property(
        "skip_unchanged",
        th.BooleanType,
        default=False,
        title="Skip unchanged rows",
        description="Whether lists that have no date filter, but a date_updated, give only rows "
        "that changed since the last run. They are read whole in any case.",
    ),
    th.Property(
        "include_deleted_recordings",
        th.BooleanType,
        default=False,
        title="Include deleted recordings",
        description="Whether to read recordings that were deleted within the last 40 days; their "
        "status is deleted.",
    ),
    th.Property(
        "emit_activate_version_messages",
        th.BooleanType,
        default=False,
        title="Emit ACTIVATE_VERSION messages",
        description="Whether to let the target drop rows that are gone at Twilio, of streams that "
        "a run reads whole, in all accounts and without trouble. The target must support it.",
    ),
    th.Property(
        "page_size",
        th.IntegerType(minimum=1, maximum=5000),
        title="Page size",
        description="Rows to ask for at once; by default, and at most, each endpoint's maximum.",
        examples=[200],
    ),
    th.Property(
        "max_records",
        th.IntegerType(minimum=1),
        title="Most records",
        description="Stop after so many rows of each stream and account: a preview. Bookmarks "
        "don't move.",
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
        description="Per stream, the endpoint's own query parameters in snake case. A list means "
        "one request chain for each of its values.",
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
        description="Streams of any other endpoint of Twilio's: for each a name, and a url or a "
        "product and path. docs/custom-streams.md has a recipe.",
        examples=[declarations.EXAMPLE],
    ),
    th.Property(
        "pii",
        th.StringType(allowed_values=["keep", "hash", "drop"]),
        default="keep",
        title="Personal data",
        description="What becomes of fields that hold personal data: kept, hashed with pii_key, "
        "or dropped. Keys and SIDs are kept in any case.",
    ),
    th.Property(
        "pii_key",
        th.StringType,
        secret=True,
        title="Key for hashes",
        description="Secret text that hashes of personal data depend on: equal values have equal "
        "hashes in all streams and runs that share it. Make it long and random.",
    ),
    th.Property(
        "user_agent",
        th.StringType,
        title="User agent",
        description="How the tap names itself to Twilio; by default its name and version.",
    ),
    th.Property(
        "request_timeout",
        th.NumberType(exclusive_minimum=0, maximum=86400),
        default=60,
        title="Request timeout",
        description="Seconds to wait for an answer, and for each further part of it; all of it "
        f"may take {WHOLE} times as long.",
    ),
    th.Property(
        "max_retries",
        th.IntegerType(minimum=0),
        default=8,
        title="Most retries",
        description="How often a request that failed is made again before its window is given up.",
    ),
    th.Property(
        "retry_delay",
        th.NumberType(minimum=0, maximum=3600),
        default=1,
        title="Retry delay",
        description="Seconds before the first retry; doubled for each further one, up to 60.",
    ),
    th.Property(
        "max_concurrent_requests",
        th.IntegerType(minimum=1, maximum=100),
        default=REQUESTS,
        title="Most concurrent requests",
        description="Upper bound on requests in flight; each account starts with 4, and the number "
        "adapts below it to what Twilio bears.",
    ),
).to_dict()
