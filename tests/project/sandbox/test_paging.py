"""How lists are cut into pages."""

from __future__ import annotations

import pytest

from sandbox import Sandbox
from tests.project.sandbox.client import CALLS, CONFERENCES, MESSAGES, RECORDINGS, Client


def test_uri_form(client, shared):
    first = client.get("api", CALLS).json()
    assert (first["page"], first["page_size"], first["start"], first["end"]) == (0, 50, 0, 49)
    assert first["next_page_uri"].startswith(
        f"/2010-04-01/Accounts/{shared.account_sid}/Calls.json?"
    )
    assert f"PageToken=PA{first['calls'][-1]['sid']}" in first["next_page_uri"]
    assert first["previous_page_uri"] is None


@pytest.mark.parametrize("path", [CALLS, MESSAGES, RECORDINGS])
@pytest.mark.parametrize("size", [7, 50, 1000])
def test_pages_give_every_row_once_in_the_order_of_the_list(client, shared, path, size):
    assert client.rows("api", path, {"PageSize": size}) == shared.truth("api", path)


def test_filters_are_repeated_in_links_url_encoded(client):
    page = client.ask("api", CALLS, {"StartTime>": "2026-11-01", "PageSize": 3}).json()
    assert "StartTime%3E=2026-11-01" in page["next_page_uri"]
    rows = client.rows("api", CALLS, {"StartTime>": "2026-11-01", "PageSize": 3})
    assert len({row["sid"] for row in rows}) == len(rows) > 3


def test_empty_list(client):
    page = client.ask("api", CALLS, {"To": "+10000000000"}).json()
    assert (page["calls"], page["next_page_uri"], page["end"]) == ([], None, 0)


def test_meta_form_names_its_key_and_the_real_host(client, shared):
    page = client.get("monitor", "/v1/Alerts", PageSize=10).json()
    assert page["meta"]["key"] == "alerts"
    assert page["meta"]["next_page_url"].startswith(
        "https://monitor.twilio.com/v1/Alerts?PageSize=10"
    )
    assert client.rows("monitor", "/v1/Alerts", {"PageSize": 10}) == shared.truth(
        "monitor", "/v1/Alerts"
    )


def test_token_form(client, shared):
    path, rows, token = "/v1/Porting/PortIn/PortInRequests", [], None
    while True:
        page = client.get("numbers", path, Size=2, **({"Token": token} if token else {})).json()
        rows += page["port_in_requests"]
        token = page["meta"]["next_token"]
        if token is None:
            break
    assert rows == shared.truth("numbers", path)
    assert len(rows) > 2


def test_page_number_form(client, shared):
    path, rows, number = "/v2/ShortCodes/Applications", [], 0
    while True:
        page = client.get("numbers", path, Page=number, PageSize=2).json()
        rows += page["results"]
        number += 1
        if not page["has_next"]:
            break
    assert rows == shared.truth("numbers", path)
    assert number == page["total_pages"] == 3


def test_scim_and_unpaged_forms(client):
    page = client.get("preview-iam", "/Organizations/OR1/scim/Users").json()
    assert page["totalResults"] == len(page["Resources"])
    assert set(client.get("api", CALLS.replace("Calls", "AvailablePhoneNumbers")).json()) == {
        "countries"
    }
    assert client.get("api", CALLS.replace("Calls", "Balance")).json()["currency"] == "USD"


def test_made_up_pages_are_refused(client):
    answer = client.get("api", CALLS, Page=1)
    assert (answer.status_code, answer.json()["code"]) == (400, 70002)
    answer = client.get("api", CALLS, Page=1, PageToken="PAnonsense")
    assert (answer.status_code, answer.json()["code"]) == (400, 20001)


def test_too_large_pages_are_refused(client):
    answer = client.get("api", CALLS, PageSize=1001)
    assert (answer.status_code, answer.json()["code"]) == (400, 20007)


def test_usage_tokens_are_page_numbers(client):
    path = CALLS.replace("Calls", "Usage/Records/Daily")
    page = client.get("api", path, PageSize=20).json()
    assert page["next_page_uri"].endswith("PageToken=APMQ%3D%3D")
    rows = client.rows("api", path, {"PageSize": 100})
    assert len({(row["category"], row["start_date"]) for row in rows}) == len(rows)


def test_keyset_pages_survive_rows_that_come_in_between(fresh):
    client = Client(fresh)
    pages = client.pages("api", CALLS, {"PageSize": 50})
    before = fresh.truth("api", CALLS)
    sids = [row["sid"] for row in next(pages)["calls"]]
    fresh.add("api", CALLS, {"sid": "CAnew", "date_created": "Fri, 20 Nov 2026 12:00:00 +0000"})
    for page in pages:
        sids += [row["sid"] for row in page["calls"]]
    assert sids == [row["sid"] for row in before]


def test_alerts_are_capped_per_query(schemas):
    with Sandbox(schemas=schemas, volumes={"alerts": 20000}, days=28) as twilio:
        client = Client(twilio)
        link = "/v1/Alerts?PageSize=1000"
        for _ in range(10):
            page = client.session.get(f"{twilio.base_url}/monitor{link}").json()
            link = page["meta"]["next_page_url"].removeprefix("https://monitor.twilio.com")
        answer = client.session.get(f"{twilio.base_url}/monitor{link}")
        assert answer.status_code == 400
        assert "limited to 10,000 results" in answer.json()["message"]


def test_lists_of_conferences_show_what_is_in_progress_unless_asked(client, shared):
    everything = shared.truth("api", CONFERENCES)
    shown = {row["status"] for row in client.rows("api", CONFERENCES)}
    assert shown <= {"in-progress"}
    found = [
        row
        for status in ("init", "in-progress", "completed")
        for row in client.rows("api", CONFERENCES, {"Status": status})
    ]
    assert sorted(row["sid"] for row in found) == sorted(row["sid"] for row in everything)
    assert {"completed"} <= {row["status"] for row in found}


def test_lists_of_rooms_show_what_is_in_progress_unless_asked(client, shared):
    statuses = {row["status"] for row in shared.truth("video", "/v1/Rooms")}
    assert len(statuses) > 1
    assert {row["status"] for row in client.rows("video", "/v1/Rooms")} <= {"in-progress"}
