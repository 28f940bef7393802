"""Trouble, at random and planned."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from email.utils import parsedate_to_datetime

import pytest
import requests

from sandbox import Faults, Sandbox, faults
from tests.project.sandbox.client import CALLS, MESSAGES, RECORDINGS, Client


def test_the_third_request_fails(fresh):
    client = Client(fresh)
    fault = fresh.plan(faults.answer(500), "/Calls.json", skip=2, times=1)
    statuses = [client.get("api", CALLS).status_code for _ in range(4)]
    assert statuses == [200, 200, 500, 200]
    assert client.get("api", MESSAGES).status_code == 200
    assert fault.hits == 1


def test_one_account_is_refused_one_list(fresh):
    child = fresh.accounts[1].sid
    fresh.plan(faults.answer(403, 20003, "Denied"), "/Recordings", account_sid=child)
    client = Client(fresh)
    answer = client.get("api", RECORDINGS, child)
    assert (answer.status_code, answer.json()["code"]) == (403, 20003)
    assert client.get("api", RECORDINGS).status_code == 200
    assert client.get("api", CALLS, child).status_code == 200


def test_next_links_are_bent(fresh):
    client = Client(fresh)
    fresh.plan(faults.next_link("https://evil.example.com/x"), "/Calls.json", times=1)
    assert client.get("api", CALLS).json()["next_page_uri"] == "https://evil.example.com/x"
    fresh.plan(faults.repeat(), "/Calls.json", times=1)
    page = client.get("api", CALLS, PageSize=5).json()
    assert page["next_page_uri"] == page["uri"]
    fresh.plan(faults.next_link("https://evil.example.com/x"), "monitor/v1/Alerts", times=1)
    meta = client.get("monitor", "/v1/Alerts").json()["meta"]
    assert meta["next_page_url"] == "https://evil.example.com/x"


def test_bodies_that_are_not_what_they_should_be(fresh):
    client = Client(fresh)
    fresh.plan(faults.redirect("https://evil.example.com/"), "/Calls.json", times=1)
    answer = client.get("api", CALLS)
    assert (answer.status_code, answer.headers["Location"]) == (302, "https://evil.example.com/")
    fresh.plan(faults.html(), "/Calls.json", times=1)
    answer = client.get("api", CALLS)
    assert (answer.status_code, answer.headers["Content-Type"]) == (502, "text/html")
    fresh.plan(faults.empty(), "/Calls.json", times=1)
    assert client.get("api", CALLS).content == b""
    fresh.plan(faults.content_type("text/plain"), "/Calls.json", times=1)
    answer = client.get("api", CALLS)
    assert answer.headers["Content-Type"] == "text/plain"
    assert answer.json()["calls"]


def test_connections_break(fresh):
    client = Client(fresh)
    fresh.plan(faults.reset(), "/Calls.json", times=1)
    with pytest.raises(requests.ConnectionError):
        client.get("api", CALLS)
    fresh.plan(faults.truncate(), "/Calls.json", times=1)
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        client.get("api", CALLS)
    assert client.get("api", CALLS).status_code == 200


def test_slow_bodies_arrive_whole(fresh):
    fresh.plan(faults.slow(0.2, pieces=4), "/Calls.json", times=1)
    answer = Client(fresh).get("api", CALLS)
    assert len(answer.json()["calls"]) == 50


def test_tokens_expire_in_the_middle_of_a_list(fresh):
    fresh.plan(faults.expired_token(), "/Calls.json", query={"Page": "1"}, times=1)
    client = Client(fresh)
    link = client.get("api", CALLS).json()["next_page_uri"]
    first = client.session.get(f"{fresh.base_url}/api{link}")
    again = client.session.get(f"{fresh.base_url}/api{link}")
    assert (first.status_code, again.status_code) == (400, 200)


def test_too_many_at_once(schemas):
    limits = Faults(max_concurrency=2, retry_after=3)
    with Sandbox(schemas=schemas, faults=limits, page_latency=0.2) as twilio:
        with ThreadPoolExecutor(6) as pool:
            answers = list(pool.map(lambda _: Client(twilio).get("api", CALLS), range(6)))
        refused = [answer for answer in answers if answer.status_code == 429]
        assert 0 < len(refused) < 6
        assert refused[0].json()["code"] == 20429
        assert refused[0].headers["Retry-After"] == "3"
        assert twilio.requests.max_in_flight > 2


def test_random_trouble_comes_at_its_rate_and_by_seed(schemas):
    def statuses(seed):
        with Sandbox(
            schemas=schemas, seed=seed, faults=Faults(rate_5xx=0.2, rate_html=0.1)
        ) as twilio:
            client = Client(twilio)
            return [client.get("api", CALLS, PageSize=1).status_code for _ in range(150)]

    first = statuses(3)
    assert first == statuses(3)
    assert 20 < sum(status >= 500 for status in first) < 75


def test_requests_are_logged(fresh):
    client = Client(fresh)
    client.ask("api", CALLS, {"StartTime>": "2026-11-01"})
    requests.get(f"{fresh.base_url}/monitor/v1/Alerts", timeout=5)
    first, second = fresh.requests
    assert (first.method, first.product, first.status, first.account) == (
        "GET", "api", 200, fresh.account_sid,
    )  # fmt: skip
    assert first.query == [("StartTime>", "2026-11-01")]
    assert first.finished > first.started
    assert "python-requests" in first.user_agent
    assert (first.authorized, second.authorized, second.status) == (True, False, 401)


def test_the_log_is_told_and_reset_over_http(fresh):
    client = Client(fresh)
    client.get("api", CALLS)
    counters = requests.get(f"{fresh.base_url}/_sandbox/requests?entries=true", timeout=5).json()
    assert (counters["total"], counters["statuses"]) == (1, {"200": 1})
    assert counters["requests"][0]["product"] == "api"
    requests.get(f"{fresh.base_url}/_sandbox/reset", timeout=5)
    assert fresh.requests.total == 0


def test_headers_that_twilio_sends(client):
    headers = client.get("api", CALLS).headers
    assert headers["Twilio-Request-Id"].startswith("RQ")
    assert int(headers["Twilio-Concurrent-Requests"]) >= 1
    assert headers["X-Home-Region"] == "us1"


def test_answers_are_dated_by_the_clock(fresh):
    date = parsedate_to_datetime(Client(fresh).get("api", CALLS).headers["Date"])
    assert timedelta(0) <= date - fresh.now < timedelta(minutes=1)
    fresh.advance(timedelta(days=3))
    date = parsedate_to_datetime(Client(fresh).get("api", CALLS).headers["Date"])
    assert timedelta(0) <= date - fresh.now < timedelta(minutes=1)


def test_answers_to_clients_that_have_left_are_no_errors(fresh, caplog):
    fresh.plan(faults.delay(0.2), "/Calls.json", times=1)
    fresh.plan(faults.truncate(), "/Calls.json", times=1)
    fresh.plan(faults.delay(0.3), "/Messages.json", times=1)
    client = Client(fresh)
    place = f"{fresh.base_url}/api{CALLS}".replace("{AccountSid}", fresh.account_sid)
    with pytest.raises(requests.ReadTimeout):
        requests.get(place, auth=fresh.auth, timeout=0.05)
    # It is answered after the one that nobody waits for.
    assert client.get("api", MESSAGES).status_code == 200
    assert not caplog.records
