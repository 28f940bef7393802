"""What date parameters and other filters mean, under each reading of what is not documented."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from sandbox import Readings, Sandbox
from tests.project.sandbox.client import ACCOUNT, CALLS, CONFERENCES, MESSAGES, Client

MIDNIGHT = datetime(2026, 11, 10, tzinfo=UTC)
MOMENTS = {
    "before": datetime(2026, 11, 9, 23, 59, 59, tzinfo=UTC),
    "midnight": MIDNIGHT,
    "noon": datetime(2026, 11, 10, 12, tzinfo=UTC),
    "next": datetime(2026, 11, 11, tzinfo=UTC),
}


def asked(schemas, parameters, path=MESSAGES, field="date_sent", **readings):
    """Name the hand-made rows that a query gives."""
    with Sandbox(
        schemas=schemas,
        volumes={"messages": 0, "calls": 0},
        readings=Readings(**readings),
    ) as twilio:
        for name, moment in MOMENTS.items():
            twilio.add("api", path, {"sid": name, field: format_datetime(moment)})
        twilio.add("api", path, {"sid": "null", field: None})
        twilio.add("api", path, {"sid": "odd", field: 17})
        answer = Client(twilio).ask("api", path, parameters)
        assert answer.status_code == 200, answer.text
        key = next(name for name, value in answer.json().items() if isinstance(value, list))
        return {row["sid"] for row in answer.json()[key]}


DAY = "2026-11-10"
NOON = "2026-11-10T12:00:00Z"


@pytest.mark.parametrize(
    ("parameters", "readings", "expected"),
    [
        ({"DateSent": DAY}, {}, {"midnight", "noon"}),
        ({"DateSent": NOON}, {}, {"midnight", "noon"}),
        ({"DateSent>": DAY}, {}, {"midnight", "noon", "next"}),
        ({"DateSent>": NOON}, {}, {"noon", "next"}),
        ({"DateSent>": NOON}, {"after": "exclusive"}, {"next"}),
        ({"DateSent>": DAY}, {"after": "exclusive"}, {"midnight", "noon", "next"}),
        ({"DateSent<": DAY}, {}, {"before"}),
        ({"DateSent<": DAY}, {"before": "inclusive"}, {"before", "midnight"}),
        ({"DateSent<": DAY}, {"before": "day"}, {"before", "midnight", "noon"}),
        ({"DateSent<": NOON}, {}, {"before", "midnight"}),
        ({"DateSent<": NOON}, {"before": "inclusive"}, {"before", "midnight", "noon"}),
        ({"DateSent<": NOON}, {"before": "day"}, {"before", "midnight"}),
        ({"DateSent<": NOON}, {"precision": "day"}, {"before"}),
        (
            {"DateSent<": NOON},
            {"precision": "day", "before": "day"},
            {"before", "midnight", "noon"},
        ),
        ({"DateSent>": NOON}, {"precision": "day"}, {"midnight", "noon", "next"}),
        ({"DateSent>": DAY, "DateSent<": "2026-11-11"}, {}, {"midnight", "noon"}),
        ({"DateSent>": DAY}, {"nulls": True}, {"midnight", "noon", "next", "null", "odd"}),
        ({"DateSent>": "2026-11-10 12:00:00Z"}, {}, {"noon", "next"}),
        ({"DateSent>": "Tue, 10 Nov 2026 12:00:00 +0000"}, {}, {"noon", "next"}),
        ({"DateCreated>": "2030-01-01"}, {}, {*MOMENTS, "null", "odd"}),
    ],
)
def test_messages(schemas, parameters, readings, expected):
    assert asked(schemas, parameters, **readings) == expected


@pytest.mark.parametrize(
    ("parameters", "readings", "expected"),
    [
        ({"MessageDate>": NOON}, {}, {"midnight", "noon", "next"}),
        ({"MessageDate<": NOON}, {}, {"before"}),
        ({"MessageDate<": DAY}, {"before": "inclusive"}, {"before", "midnight"}),
        ({"MessageDate": DAY}, {}, {"midnight", "noon"}),
    ],
)
def test_notifications_know_days_only(schemas, parameters, readings, expected):
    path = f"{ACCOUNT}/Notifications.json"
    assert asked(schemas, parameters, path, "message_date", **readings) == expected


@pytest.mark.parametrize(
    "parameters",
    [
        {"DateSent": ">=2026-11-10"},
        {"DateSent>": "=2026-11-10"},
        {"DateSent>": "yesterday"},
        {"DateSent>": "2026-13-45"},
    ],
)
def test_dates_that_make_no_sense_are_refused(client, parameters):
    answer = client.ask("api", MESSAGES, parameters)
    assert (answer.status_code, answer.json()["code"]) == (400, 20001)


def test_generated_rows_are_found_by_every_field_that_can_be_asked(client, shared):
    low, high = "2026-11-01T06:00:00Z", "2026-11-08T18:30:00Z"
    for path, parameter, field in (
        (CALLS, "StartTime", "start_time"),
        (CALLS, "EndTime", "end_time"),
        (MESSAGES, "DateSent", "date_sent"),
        (f"{ACCOUNT}/Recordings.json", "DateCreated", "date_created"),
    ):
        rows = client.rows("api", path, {f"{parameter}>": low, f"{parameter}<": high})
        expected = [
            row
            for row in shared.truth("api", path)
            if row[field]
            and datetime.fromisoformat(low)
            <= datetime.strptime(row[field], "%a, %d %b %Y %H:%M:%S %z")
            < datetime.fromisoformat(high)
        ]
        assert rows == expected
        assert rows


def test_conferences_are_found_by_their_last_change(fresh):
    fresh.add(
        "api",
        CONFERENCES,
        {
            "sid": "CFlate",
            "status": "completed",
            "date_created": "Mon, 02 Nov 2026 23:50:00 +0000",
            "date_updated": "Tue, 03 Nov 2026 00:10:00 +0000",
        },
    )
    rows = Client(fresh).rows(
        "api", CONFERENCES, {"DateUpdated": "2026-11-03", "Status": "completed"}
    )
    assert "CFlate" in {row["sid"] for row in rows}
    rows = Client(fresh).rows(
        "api", CONFERENCES, {"DateCreated>": "2026-11-03", "Status": "completed"}
    )
    assert "CFlate" not in {row["sid"] for row in rows}


def test_alerts_take_in_both_bounds(schemas):
    with Sandbox(schemas=schemas, volumes={"alerts": 0}) as twilio:
        for name, moment in MOMENTS.items():
            twilio.add("monitor", "/v1/Alerts", {"sid": name, "date_generated": moment.isoformat()})
        client = Client(twilio)
        rows = client.rows(
            "monitor",
            "/v1/Alerts",
            {"StartDate": "2026-11-10T00:00:00Z", "EndDate": "2026-11-11T00:00:00Z"},
        )
    assert [row["sid"] for row in rows] == ["next", "noon", "midnight"]


def test_alerts_are_kept_for_thirty_days(client):
    rows = client.rows("monitor", "/v1/Alerts")
    oldest = min(row["date_generated"] for row in rows)
    assert "2026-10-21" <= oldest[:10] <= "2026-10-25"
    assert 0 < len(rows) < 120


def test_nothing_is_forgotten_while_a_client_reads(schemas):
    with Sandbox(schemas=schemas, volumes={"alerts": 9_000}, days=45) as twilio:
        at_first = Client(twilio).rows("monitor", "/v1/Alerts")
        twilio.advance(timedelta(minutes=50))
        later = Client(twilio).rows("monitor", "/v1/Alerts")
        twilio.advance(timedelta(minutes=50))
        afterwards = Client(twilio).rows("monitor", "/v1/Alerts")

    oldest = [min(row["date_generated"] for row in rows) for rows in (at_first, later, afterwards)]
    assert oldest[0] == oldest[1] < oldest[2]


def test_messages_refuse_to_look_beyond_four_hundred_days(client):
    answer = client.ask("api", MESSAGES, {"DateSent>": "2025-01-01"})
    assert (answer.status_code, answer.json()["code"]) == (400, 20004)
    assert client.ask("api", MESSAGES, {"DateSent>": "2025-11-01"}).status_code == 200


def test_default_windows(client, shared):
    path = "/v1/Voice/Summaries"
    recent, wide = client.rows("insights", path), client.rows("insights", path, {"StartTime": "4w"})
    assert len(recent) < len(wide)
    assert all(row["start_time"] >= "2026-11-20T08" for row in recent)
    workspace = shared.truth("taskrouter", "/v1/Workspaces")[0]["sid"]
    events = f"/v1/Workspaces/{workspace}/Events"
    since = {"StartDate": "2026-10-01T00:00:00Z"}
    assert len(client.rows("taskrouter", events)) < len(client.rows("taskrouter", events, since))
    answer = client.ask("taskrouter", events, {"StartDate": "2026-10-01"})
    assert (answer.status_code, answer.json()["code"]) == (400, 20001)


def test_usage_of_sims_comes_by_the_day(client):
    recent = client.rows("supersim", "/v1/UsageRecords")
    wide = client.rows("supersim", "/v1/UsageRecords", {"StartTime": "2026-10-01T00:00:00Z"})
    assert 0 < len(recent) < len(wide)
    assert len({(row["sim_sid"], row["period"]["start_time"]) for row in wide}) == len(wide)
    one = {"StartTime": "2026-11-10T00:00:00Z", "EndTime": "2026-11-11T00:00:00Z"}
    assert {
        row["period"]["start_time"] for row in client.rows("supersim", "/v1/UsageRecords", one)
    } == {"2026-11-10T00:00:00Z"}
    answer = client.ask("supersim", "/v1/UsageRecords", {"EndTime": "2026-11-10T12:00:00Z"})
    assert (answer.status_code, answer.json()["code"]) == (400, 83602)
    both = {"Start": "2026-11-10T00:00:00Z", "End": "2026-11-11T00:00:00Z"}
    assert len(client.rows("wireless", "/v1/UsageRecords", both)) == 2


def test_all_is_no_value_to_compare_with(client):
    path, params = "/v1/Voice/Summaries", {"StartTime": "4w", "ProcessingState": "all"}
    assert client.rows("insights", path, params)


def test_from_takes_in_and_to_leaves_out(schemas):
    with Sandbox(schemas=schemas) as twilio:
        for name, moment in MOMENTS.items():
            twilio.add(
                "studio", "/v2/Executions", {"sid": name, "date_created": moment.isoformat()}
            )
        rows = Client(twilio).rows(
            "studio",
            "/v2/Executions",
            {"DateCreatedFrom": "2026-11-10T00:00:00Z", "DateCreatedTo": "2026-11-11T00:00:00Z"},
        )
    assert {"midnight", "noon"} == {row["sid"] for row in rows} & set(MOMENTS)


def test_other_filters_compare_fields(client, shared):
    call = shared.truth("api", CALLS)[7]
    rows = client.rows("api", CALLS, {"To": call["to"], "Status": call["status"]})
    assert call in rows
    assert {row["to"] for row in rows} == {call["to"]}
    levels = {
        row["log_level"] for row in client.rows("monitor", "/v1/Alerts", {"LogLevel": "error"})
    }
    assert levels == {"error"}


def test_values_outside_an_enumeration_are_refused(client):
    answer = client.ask("api", CALLS, {"Status": "finished"})
    assert (answer.status_code, answer.json()["code"]) == (400, 20001)


def test_unknown_parameters_are_ignored(client):
    assert client.ask("api", CALLS, {"Colour": "red"}).json()["calls"]


def test_required_parameters(client):
    answer = client.get("iam", "/v1/Keys")
    assert (answer.status_code, answer.json()["code"]) == (400, 20001)
