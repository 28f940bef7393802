"""The fetcher: what is asked, what an answer makes of it, and for how long it is tried again."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace

import pytest
from msgspec import Raw

from tap_twilio.engine.fetcher import NO_ROWS, SILENCE, Fetcher
from tap_twilio.engine.requests import Place, Request
from tap_twilio.http.errors import (
    AbsentError,
    ExpiredError,
    LinkError,
    RefusedError,
    ResponseError,
    RetentionError,
    TapError,
    ThrottledError,
    TransientError,
    UnreachableError,
)
from tap_twilio.http.retry import jittered
from tap_twilio.resource.resource import Node
from tap_twilio.resource.windows import EPOCH, DateFilter, Window
from tap_twilio.streams.api import Messages
from tests.unit.taps import (
    ACCOUNT,
    OWN_TOKEN,
    SUBACCOUNT,
    WHOSE,
    make_engine,
    refuse,
    resource_of,
    utc,
)

API = "https://api.twilio.com"
QUEUES = f"/2010-04-01/Accounts/{ACCOUNT}/Queues.json"
ROWS = [{"sid": "QU1"}, {"sid": "QU2"}]
ANSWER = {"queues": ROWS, "next_page_uri": None}

OUT = UnreachableError("no answer")


def refused(status=401):
    return RefusedError(QUEUES, status)


def absent():
    return AbsentError(QUEUES, 404)


def broken(status=500):
    return TransientError(QUEUES, status)


def throttled(retry_after=None):
    return ThrottledError(QUEUES, 429, retry_after=retry_after)


@pytest.fixture
def waits(monkeypatch):
    """How long was waited, without the random part: nobody waits here."""
    waited = []
    clock = SimpleNamespace(sleep=waited.append)
    monkeypatch.setattr("tap_twilio.engine.fetcher.time", clock)
    monkeypatch.setattr("backoff._sync.time", SimpleNamespace(sleep=waited.append))
    monkeypatch.setattr("backoff._jitter.random", SimpleNamespace(uniform=lambda low, _: low))
    return waited


def make_fetcher(name, **config):
    """Make what asks for pages of a engine, and splits no windows."""
    engine = make_engine(name, **config)
    engine.fetcher = Fetcher(engine.run)
    return engine


def fetch(engine, *answers, context=WHOSE, **request):
    """Have a page asked for, and be answered so; give the page and what was asked."""
    engine.transport.answers += answers
    asked = Request(engine.node, context, Place((0, 0)), request.pop("params", {}), **request)
    return engine.fetcher.fetch(asked), engine.transport.asked


def empty(node):
    """Give an answer without rows."""
    key, paging = node.resource.endpoint.data_key, node.resource.endpoint.paging
    if key is None:
        return {"account_sid": ACCOUNT}
    meta = {"next_token": None} if paging == "token" else {"key": key, "next_page_url": None}
    return {key: [], "meta": meta}


def streams_read(engine):
    """Tell what could be read so far: streams with accounts."""
    return engine.fetcher._readable  # noqa: SLF001


def sizes(asked):
    return [one.params.get("PageSize") for one in asked]


# --- What is asked -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "context", "config", "url"),
    [
        ("queues", WHOSE, {}, API + QUEUES),
        ("studio_flows", WHOSE, {}, "https://studio.twilio.com/v2/Flows"),
        (
            "studio_executions",
            WHOSE | {"flow_sid": "FW 1/2"},
            {},
            "https://studio.twilio.com/v2/Flows/FW%201%2F2/Executions",
        ),
        ("accounts", {}, {}, f"{API}/2010-04-01/Accounts.json"),
        (
            "studio_flows",
            WHOSE,
            {"base_url": "http://localhost:8000"},
            "http://localhost:8000/studio/v2/Flows",
        ),
    ],
)
def test_the_address_has_the_parents_sids_quoted(name, context, config, url):
    engine = make_fetcher(name, **config)

    _, (asked,) = fetch(engine, empty(engine.node), context=context)

    assert asked.url == url


@pytest.mark.parametrize(
    ("name", "config", "limit"),
    [
        ("queues", {}, 1000),
        ("queues", {"page_size": 50}, 50),
        ("queues", {"max_records": 7}, 7),
        ("queues", {"page_size": 50, "max_records": 70}, 50),
        ("usage_records_daily", {}, 500),
        ("usage_records_daily", {"page_size": 1000}, 500),
        ("numbers_port_in_requests", {}, 100),
        ("balance", {"page_size": 50}, None),
    ],
)
def test_pages_are_as_large_as_all_bounds_allow(name, config, limit):
    engine = make_fetcher(name, **config)

    page, (asked,) = fetch(engine, empty(engine.node))

    assert page.page_size == limit
    assert list(asked.params.values()) == ([] if limit is None else [str(limit)])


def test_a_page_is_asked_for_by_its_address_params_and_size():
    engine = make_fetcher("queues", page_size=50)

    page, (asked,) = fetch(engine, ANSWER, params={"Status": "open"})

    assert asked.url == API + QUEUES
    assert asked.endpoint == QUEUES
    assert asked.params == {"Status": "open", "PageSize": "50"}
    assert asked.auth is engine.settings.signature
    assert engine.transport.limiter is engine.run.limiter(ACCOUNT)
    assert page.page_size == 50
    assert page.length == page.size > len(page.rows)
    assert page.following is None


@pytest.mark.parametrize(
    ("name", "answer", "params"),
    [
        ("numbers_port_in_requests", {"meta": {}, "port_in_requests": []}, {"Size": "100"}),
        ("balance", {"account_sid": ACCOUNT, "balance": "1"}, {}),
    ],
)
def test_the_page_size_has_the_endpoints_own_name_or_none(name, answer, params):
    _, (asked,) = fetch(make_fetcher(name), answer)

    assert asked.params == params


def test_rows_are_those_of_the_endpoints_own_array():
    page, _ = fetch(make_fetcher("queues"), {"others": [{"sid": "XX1"}]} | ANSWER)

    assert json.loads(bytes(page.rows)) == ROWS


def test_a_link_is_followed_as_it_stands():
    engine = make_fetcher("queues", page_size=50)
    link = f"{API}{QUEUES}?Page=1&PageToken=x"
    answer = ANSWER | {"next_page_uri": f"{QUEUES}?Page=2&PageToken=y"}

    page, (asked,) = fetch(engine, answer, link=link)

    assert (asked.url, asked.params, asked.endpoint) == (link, {}, QUEUES)
    following = page.following
    assert (following.link, following.params) == (f"{API}{QUEUES}?Page=2&PageToken=y", {})
    assert following.place == (0, 1)


def test_a_link_that_leads_elsewhere_is_not_followed():
    engine = make_fetcher("studio_flows")
    answer = {"flows": [], "meta": {"key": "flows", "next_page_url": "https://example.com/v2"}}

    with pytest.raises(LinkError):
        fetch(engine, answer)


def test_a_token_is_a_parameter_of_the_next_page():
    answer = {"meta": {"next_token": "t", "key": "port_in_requests"}, "port_in_requests": []}

    page, _ = fetch(make_fetcher("numbers_port_in_requests"), answer, params={"a": "b"})

    assert (page.following.link, page.following.params) == (None, {"a": "b", "Token": "t"})


def test_what_was_mended_of_an_answer_is_told():
    page, _ = fetch(make_fetcher("queues"), b'{"queues":[{"sid":"QU1","n":NaN}]}')

    assert len(page.oddities) == 1


def test_whoever_the_rows_are_of_signs():
    own = {SUBACCOUNT: {"auth_token": OWN_TOKEN}}
    engine = make_fetcher("studio_flows", subaccount_credentials=own)
    flows = empty(engine.node)

    _, asked = fetch(engine, flows, context={"account_sid": SUBACCOUNT})
    assert asked[-1].auth.username == SUBACCOUNT
    assert engine.transport.limiter is engine.run.limiter(SUBACCOUNT)
    assert streams_read(engine) == {("studio_flows", SUBACCOUNT)}
    _, asked = fetch(engine, flows)
    assert asked[-1].auth.username == ACCOUNT
    assert streams_read(engine) == {("studio_flows", SUBACCOUNT), ("studio_flows", ACCOUNT)}


def test_the_list_of_accounts_is_the_configured_ones():
    engine = make_fetcher("accounts")

    fetch(engine, {"accounts": []}, context={})

    assert streams_read(engine) == {("accounts", ACCOUNT)}


def test_what_nobody_signs_for_is_not_asked():
    engine = make_fetcher("studio_flows")

    with pytest.raises(TapError, match="signs"):
        fetch(engine, context={"account_sid": SUBACCOUNT})
    assert engine.transport.asked == []
    assert engine.run.progress.requests == {}


def test_personal_data_of_a_path_is_left_out_of_what_messages_name():
    resource = resource_of("queues")
    properties = resource.schema["properties"] | {"friendly_name": {"x-twilio-pii": {}}}
    path = "/2010-04-01/Accounts/{account_sid}/{friendly_name}/Queues.json"
    engine = make_fetcher("queues")
    engine.node = Node(replace(resource, path=path, schema={"properties": properties}))
    context = WHOSE | {"friendly_name": "Ann Lee/2"}
    named = f"/2010-04-01/Accounts/{ACCOUNT}/{{friendly_name}}/Queues.json"

    _, (asked,) = fetch(engine, ANSWER, context=context)
    assert asked.url.endswith("/Ann%20Lee%2F2/Queues.json")
    assert asked.endpoint == named
    link = f"{API}/2010-04-01/Accounts/{ACCOUNT}/Ann Lee/2/Queues.json"
    _, (_, asked) = fetch(engine, ANSWER, context=context, link=link)
    assert asked.endpoint == named


# --- Refusals ------------------------------------------------------------------------------------


def test_a_single_refusal_may_be_a_mistake(waits):
    page, asked = fetch(make_fetcher("queues"), refused(), ANSWER)

    assert json.loads(bytes(page.rows)) == ROWS
    assert sizes(asked) == ["1000", "1000"]
    assert waits == [0.001]


def test_a_refusal_stands_when_it_comes_again(waits):
    engine = make_fetcher("queues")

    with pytest.raises(RefusedError):
        fetch(engine, refused(), refused(403))
    assert len(engine.transport.asked) == 2
    assert len(waits) == 1


def test_what_is_known_to_be_refused_is_not_asked_again(waits):
    engine = make_fetcher("queues")
    refuse(engine, "queues")

    with pytest.raises(RefusedError):
        fetch(engine, refused())
    assert waits == []


def test_a_refusal_of_what_was_read_a_moment_ago_is_no_lack_of_permission(waits):
    engine = make_fetcher("queues")
    fetch(engine, ANSWER)

    _, asked = fetch(engine, refused(), refused(), refused(), ANSWER)

    assert len(asked) == 5
    assert len(waits) == 3
    assert engine.run.progress.retries["queues"] == 2


def test_what_was_readable_and_stays_refused_is_told_as_it_was(waits):
    engine = make_fetcher("queues", max_retries=2)
    fetch(engine, ANSWER)

    with pytest.raises(TransientError, match=r"Queues.json: .*Queues.json: .*HTTP 403.*HTTP 403"):
        fetch(engine, *[refused(403)] * 4)
    assert len(waits) == 3


def test_an_absence_of_what_was_read_a_moment_ago_is_doubted(waits):
    engine = make_fetcher("queues")
    fetch(engine, ANSWER)

    _, asked = fetch(engine, absent(), ANSWER)

    assert len(asked) == 3
    assert len(waits) == 1
    assert engine.run.progress.retries["queues"] == 1


@pytest.mark.parametrize("reason", ["never read", "below a list", "a link", "of another", "usage"])
def test_an_absence_stands_where_nothing_speaks_against_it(reason, waits):
    name = {"below a list": "queue_members", "usage": "usage_records_daily"}.get(reason, "queues")
    engine = make_fetcher(name)
    options = {"link": f"{API}{QUEUES}?Page=1"} if reason == "a link" else {}
    parent = {"queue_sid": "QU1"} if reason == "below a list" else {}
    if reason != "never read":
        whose = {"account_sid": SUBACCOUNT} if reason == "of another" else WHOSE
        fetch(engine, empty(engine.node), context=whose | parent)

    with pytest.raises(AbsentError):
        fetch(engine, absent(), context=WHOSE | parent, **options)
    assert waits == []


def test_below_a_list_a_refusal_is_doubted_still(waits):
    engine = make_fetcher("queue_members")
    context = WHOSE | {"queue_sid": "QU1"}
    fetch(engine, empty(engine.node), context=context)

    fetch(engine, refused(), refused(), empty(engine.node), context=context)

    assert len(waits) == 2


# --- Windows that have no rows, or reach too far back -------------------------------------------


@pytest.mark.parametrize(
    ("name", "options", "is_empty"),
    [
        ("usage_records_daily", {"window": Window(EPOCH, None)}, True),
        ("usage_records_daily", {"window": Window(EPOCH, None), "link": f"{API}/x"}, False),
        ("usage_records_daily", {}, False),
        ("calls", {"window": Window(EPOCH, None)}, False),
    ],
)
def test_a_window_of_usage_without_rows_is_answered_with_404(name, options, is_empty):
    engine = make_fetcher(name)

    if not is_empty:
        with pytest.raises(AbsentError):
            fetch(engine, absent(), **options)
        return
    page, _ = fetch(engine, absent(), **options)
    assert (page.rows, page.length, page.size, page.following) == (NO_ROWS, 0, 0, None)
    assert json.loads(bytes(page.rows)) == []
    assert page.request.window == options["window"]
    assert page.page_size is None


def too_old():
    return RetentionError(QUEUES, 400)


def test_a_window_that_reaches_too_far_back_is_asked_from_the_next_midnight():
    engine = make_fetcher("messages", page_size=50)
    window = Window(utc("2025-10-16T12:39:56"), utc("2025-11-01"))
    params = {"DateSent>": "2025-10-16T12:39:55Z", "DateSent<": "2025-11-01T00:00:01Z", "To": "x"}

    page, (_, asked) = fetch(engine, too_old(), {"messages": []}, window=window, params=params)

    assert asked.params == {
        "DateSent>": "2025-10-17T00:00:00Z",
        "DateSent<": "2025-11-01T00:00:01Z",
        "To": "x",
        "PageSize": "50",
    }
    assert page.request.window == window


def test_a_bound_that_is_always_sent_is_sent_then_too():
    class Closed(Messages):
        window = DateFilter(
            after="After", before="Before", retention=timedelta(days=400), closed=True
        )

    engine = make_fetcher(Closed)

    _, (_, asked) = fetch(engine, too_old(), {"messages": []}, window=Window(utc("2025-10-16")))

    assert asked.params["After"] == "2025-10-17T00:00:00Z"
    assert asked.params["Before"] == "2026-11-22T00:00:01Z"


@pytest.mark.parametrize("reason", ["a link", "no window", "no dates"])
def test_where_nothing_bounds_it_a_refused_date_is_an_error(reason):
    engine = make_fetcher("queues" if reason == "no dates" else "messages")
    options = {} if reason == "no window" else {"window": Window(EPOCH, None)}
    if reason == "a link":
        options["link"] = f"{API}{QUEUES}"

    with pytest.raises(RetentionError):
        fetch(engine, too_old(), **options)
    assert len(engine.transport.asked) == 1


# --- Failures ------------------------------------------------------------------------------------


@pytest.mark.parametrize("failure", [broken(), broken(503), OUT], ids=["500", "503", "no answer"])
def test_failures_are_tried_again_up_to_a_number(failure, waits):
    engine = make_fetcher("queues", max_retries=3, retry_delay=1)

    with pytest.raises(type(failure)):
        fetch(engine, *[failure] * 9)
    assert len(engine.transport.asked) == 4
    assert waits == [1, 2, 4]
    assert engine.run.progress.requests["queues"] == 4
    assert engine.run.progress.retries["queues"] == 3
    assert streams_read(engine) == set()


def test_pauses_double_up_to_a_minute(waits):
    engine = make_fetcher("queues", retry_delay=3, max_retries=9)

    fetch(engine, *[OUT] * 7, ANSWER)

    assert waits == [3, 6, 12, 24, 48, 60, 60]


def test_pauses_are_a_little_longer_by_chance():
    found = {jittered(8.0) for _ in range(200)}

    assert len(found) > 10
    assert min(found) >= 8.0
    assert 9.0 < max(found) <= 10.0


def test_all_pauses_are_made_longer(waits, monkeypatch):
    chance = SimpleNamespace(uniform=lambda _, high: high)
    monkeypatch.setattr("backoff._jitter.random", chance)
    engine = make_fetcher("queues", retry_delay=8)

    fetch(engine, refused(), OUT, throttled(), throttled(40), ANSWER)

    assert waits == [10, 10, 10, 50]


@pytest.mark.usefixtures("waits")
def test_the_second_server_error_makes_pages_smaller():
    _, asked = fetch(make_fetcher("queues"), *[broken()] * 8, ANSWER, params={"a": "b"})

    assert sizes(asked) == ["1000", "1000", "500", "250", "125", "62", "31", "20", "20"]
    assert {one.params["a"] for one in asked} == {"b"}


@pytest.mark.parametrize(
    ("size", "failures", "expected"),
    [
        (30, [broken()] * 3, ["30", "30", "20", "20"]),
        (20, [broken()] * 3, ["20"] * 4),
        (7, [broken()] * 3, ["7"] * 4),
        # One that broke off says nothing of its size.
        (100, [TransientError(QUEUES, 200)] * 3, ["100"] * 4),
        (100, [broken(499)] * 3, ["100"] * 4),
        (100, [OUT, broken()], ["100", "100", "50"]),
        (100, [broken()], ["100", "100"]),
    ],
)
def test_only_server_errors_make_pages_smaller_and_not_below_the_smallest(
    size, failures, expected, waits
):
    page, asked = fetch(make_fetcher("queues", page_size=size), *failures, ANSWER)

    assert sizes(asked) == expected
    assert page.page_size == int(expected[-1])
    assert len(waits) == len(failures)


def test_where_the_size_cannot_be_chosen_it_is_not(waits):
    _, asked = fetch(make_fetcher("balance"), *[broken()] * 3, {"balance": "1"})

    assert sizes(asked) == [None] * 4
    assert len(waits) == 3


@pytest.mark.parametrize(
    ("answers", "error", "tries"),
    [
        ([{"calls": 1}, {"calls": 1}], ResponseError, 2),
        ([b"<html>", ANSWER], None, 2),
        ([b'{"queues":[', b'{"queues":[', b"", ANSWER], None, 4),
        ([b'{"queues":[', b"[]", ANSWER], None, 3),
        ([b"[]", OUT, b"[]"], ResponseError, 3),
    ],
)
def test_a_whole_answer_of_another_shape_is_tried_once_more(answers, error, tries, waits):
    engine = make_fetcher("queues")

    if error is None:
        fetch(engine, *answers)
    else:
        with pytest.raises(error, match=r"Queues.json: the answer isn't .*HTTP 200") as found:
            fetch(engine, *answers)
        assert not isinstance(found.value, TransientError)
    assert len(engine.transport.asked) == tries
    assert engine.run.progress.retries["queues"] == tries - 1
    assert len(waits) == tries - 1


def test_answers_of_another_shape_do_not_make_pages_smaller(waits):
    _, asked = fetch(make_fetcher("queues"), b"", b"", b"", ANSWER)

    assert sizes(asked) == ["1000"] * 4
    assert len(waits) == 3


def test_a_single_object_must_have_some_of_the_resources_fields(waits):
    engine = make_fetcher("balance")

    with pytest.raises(ResponseError):
        fetch(engine, *[{"odd": 1}] * 9)
    assert len(waits) == 1


# --- Throttling ----------------------------------------------------------------------------------


def test_throttling_is_waited_out_however_often(waits):
    engine = make_fetcher("queues", retry_delay=1, max_retries=2)

    _, asked = fetch(engine, *[throttled()] * 30, ANSWER)

    assert len(asked) == 31
    assert waits == [*(2**n for n in range(6)), *[60] * 24]
    assert engine.run.progress.retries["queues"] == 0


def test_throttling_is_waited_out_for_as_long_as_twilio_asks(waits):
    engine = make_fetcher("queues", retry_delay=1)

    fetch(engine, throttled(7), throttled(), throttled(300), throttled(), throttled(0), ANSWER)

    assert waits == [7, 1, 300, 2, 4]


@pytest.mark.parametrize(("silence", "tries"), [(SILENCE, 3), (SILENCE + 1, 1)])
def test_an_account_that_only_throttles_is_given_up_in_the_end(silence, tries, waits, monkeypatch):
    engine = make_fetcher("queues")
    monkeypatch.setattr(engine.run, "silence", lambda: silence)

    if tries == 1:
        with pytest.raises(ThrottledError):
            fetch(engine, throttled())
    else:
        fetch(engine, throttled(), throttled(), ANSWER)
    assert len(waits) == tries - 1


def test_an_account_is_given_up_after_minutes_without_an_answer(monkeypatch):
    engine = make_fetcher("queues")
    now = [engine.run.limiter(ACCOUNT).answered]
    clock = SimpleNamespace(monotonic=lambda: now[0], sleep=lambda _: now.append(now.pop() + 61))
    monkeypatch.setattr("tap_twilio.engine.run.time", clock)
    monkeypatch.setattr("backoff._sync.time", clock)

    with pytest.raises(ThrottledError):
        fetch(engine, *[throttled()] * 50)
    assert len(engine.transport.asked) == 11


def test_failures_count_from_anew_after_throttling(waits):
    engine = make_fetcher("queues", max_retries=1)

    _, asked = fetch(engine, OUT, throttled(), OUT, ANSWER)

    assert len(asked) == 4
    assert len(waits) == 3


# --- Files ---------------------------------------------------------------------------------------


DAY_PATH = "/v1/Exports/Messages/Days/2020-07-26"
SIGNED = "https://files.example/signed"


class PartedFile:
    """Gives its parts in turn, or fails; each is asked for once the file is open."""

    def __init__(self, *parts):
        self.parts = list(parts)
        self.numbers = []
        self.is_done = False

    def read(self, number, ask):
        self.numbers.append(number)
        part = self.parts.pop(0)
        self.opened = ask()
        if isinstance(part, Exception):
            raise part
        self.is_done = not self.parts
        return Raw(json.dumps(part).encode())


def fetch_part(engine, file, *, number=0, context=None):
    """Have a part of a file asked for; give it, and where the file was looked for and opened."""
    located, opened = [], []

    def locate(url, *, endpoint, auth, limiter):
        located.append((url, endpoint, auth, limiter))
        return SIGNED

    def open_there(link, endpoint):
        opened.append((link, endpoint))
        return len(opened)

    engine.transport.locate = locate
    engine.run.files = SimpleNamespace(open=open_there)
    context = context or WHOSE | {"resource_type": "Messages", "day": "2020-07-26"}
    request = Request(engine.node, context, Place((0, number)), {}, file=file)
    return engine.fetcher.fetch(request), located, opened


def test_a_file_is_located_with_credentials_and_opened_without():
    engine = make_fetcher("bulkexports_messages")
    file = PartedFile(ROWS)

    page, located, opened = fetch_part(engine, file)

    ((url, endpoint, auth, limiter),) = located
    assert url == f"https://bulkexports.twilio.com{DAY_PATH}"
    assert endpoint == DAY_PATH
    assert auth.username == ACCOUNT
    assert limiter is engine.run.limiter(ACCOUNT)
    assert opened == [(SIGNED, DAY_PATH)]
    assert (file.opened, file.numbers) == (1, [0])
    assert json.loads(bytes(page.rows)) == ROWS
    assert page.length == len(bytes(page.rows))
    assert page.following is None
    assert engine.run.progress.requests["bulkexports_messages"] == 2
    assert engine.run.progress.retries["bulkexports_messages"] == 0


def test_the_next_part_of_a_file_follows():
    engine = make_fetcher("bulkexports_messages")

    page, _, _ = fetch_part(engine, PartedFile(ROWS, ROWS), number=3)

    assert page.following.place == page.request.place.next
    assert page.following.file is page.request.file


def test_a_day_stands_in_the_path_as_it_may():
    engine = make_fetcher("bulkexports_messages")

    _, located, _ = fetch_part(engine, PartedFile(ROWS), context=WHOSE | {"day": "2020/07 26"})

    assert located[0][0].endswith("/Days/2020%2F07%2026")


def test_a_file_on_a_host_that_is_not_encrypted_is_not_opened(monkeypatch):
    monkeypatch.setattr(f"{__name__}.SIGNED", "http://files.example/signed")

    with pytest.raises(LinkError):
        fetch_part(make_fetcher("bulkexports_messages"), PartedFile(ROWS))


def test_nobody_asks_for_a_file_that_nothing_signs_for():
    engine = make_fetcher("bulkexports_messages")
    context = WHOSE | {"account_sid": SUBACCOUNT, "day": "2020-07-26"}

    with pytest.raises(TapError, match=f"bulkexports_messages: nothing .* {SUBACCOUNT}"):
        fetch_part(engine, PartedFile(ROWS), context=context)


@pytest.mark.parametrize("failure", [broken(), OUT])
def test_a_file_that_breaks_off_is_tried_again(failure, waits):
    engine = make_fetcher("bulkexports_messages", max_retries=2)
    file = PartedFile(failure, failure, ROWS)

    page, located, _ = fetch_part(engine, file)

    assert json.loads(bytes(page.rows)) == ROWS
    assert len(located) == 3
    assert len(waits) == 2
    assert engine.run.progress.requests["bulkexports_messages"] == 6
    # Each later try asks for the address and the file again.
    assert engine.run.progress.retries["bulkexports_messages"] == 4


def test_an_address_that_has_expired_is_asked_for_once_more(waits):
    engine = make_fetcher("bulkexports_messages")

    page, located, _ = fetch_part(engine, PartedFile(ExpiredError("there", 403), ROWS))

    assert json.loads(bytes(page.rows)) == ROWS
    assert len(located) == 2
    assert len(waits) == 1
    assert engine.run.progress.retries["bulkexports_messages"] == 2


def test_a_file_whose_address_expires_again_is_gone(waits):
    engine = make_fetcher("bulkexports_messages", max_retries=5)
    gone = ExpiredError("there", 404)

    with pytest.raises(ExpiredError):
        fetch_part(engine, PartedFile(gone, gone, ROWS))
    assert len(waits) == 1


def test_an_address_that_expires_has_the_reason_told(waits, caplog):
    engine = make_fetcher("bulkexports_messages")

    fetch_part(engine, PartedFile(ExpiredError("there", 403), ROWS))

    (told,) = [one.getMessage() for one in caplog.records if "waiting" in one.getMessage()]
    assert told.endswith(f": {DAY_PATH}: the address of the file has expired (HTTP 403)")
    assert len(waits) == 1


# --- What is told --------------------------------------------------------------------------------


@pytest.mark.parametrize(("failure", "level"), [(broken(), "WARNING"), (throttled(), "DEBUG")])
def test_a_pause_is_told_with_its_reason(failure, level, waits, caplog):
    engine = make_fetcher("queues", retry_delay=1)
    caplog.set_level(logging.DEBUG)
    caplog.clear()

    fetch(engine, failure, failure, ANSWER)

    told = caplog.records
    assert [one.levelname for one in told] == [level, level]
    assert told[1].getMessage().startswith("queues: waiting 2.0 s after 2 tries: /2010-04-01/")
    assert f"(HTTP {failure.status})" in told[1].getMessage()
    assert waits == [1, 2]
