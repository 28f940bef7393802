"""The client: what is asked, what an answer makes of it, and for how long it is tried again."""

from __future__ import annotations

import json
import logging
from datetime import timedelta
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Raw
from singer_sdk.singerlib import Catalog

from tap_twilio.client import SILENCE
from tap_twilio.http.errors import (
    AbsentError,
    LinkError,
    RefusedError,
    ResponseError,
    RetentionError,
    TapError,
    ThrottledError,
    TransientError,
    UnreachableError,
)
from tap_twilio.http.pagination import ShapeError
from tap_twilio.http.redaction import is_news
from tap_twilio.http.retry import jittered
from tap_twilio.pages import Page, Request
from tap_twilio.resource.windows import EPOCH, DateFilter, Window
from tap_twilio.streams.api import Messages, Queues
from tests.unit.taps import (
    ACCOUNT,
    OWN_TOKEN,
    PII_KEY,
    SUBACCOUNT,
    WHOSE,
    make_stream,
    make_tap,
    utc,
    warnings_of,
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
    monkeypatch.setattr("tap_twilio.client.time", clock)
    monkeypatch.setattr("backoff._sync.time", SimpleNamespace(sleep=waited.append))
    monkeypatch.setattr("backoff._jitter.random", SimpleNamespace(uniform=lambda low, _: low))
    return waited


def fetch(stream, *answers, context=WHOSE, **request):
    """Have a stream ask for a page, and be answered so; give the page and what was asked."""
    stream.run.transport.answers += answers
    page = stream.fetch(Request(stream, context, (0, 0), request.pop("params", {}), **request))
    return page, stream.run.transport.asked


def sizes(asked):
    return [one.params.get("PageSize") for one in asked]


# --- What a stream is ----------------------------------------------------------------------------


def test_streams_name_their_endpoint_whatever_its_placeholders_are_called():
    assert type(make_stream("studio_executions")).address() == (
        "studio",
        "/v2/Flows/{}/Executions",
    )


def test_credentials_are_no_part_of_a_record():
    class Odd(Queues):
        secret_fields = ("friendly_name",)

        @classmethod
        def load(cls):
            schema, endpoint = super().load()
            schema["properties"]["auth_token"] = {"type": "string"}
            return schema, endpoint

    stream = make_stream(Odd)

    for schema in (stream.schema, stream.wire_schema):
        assert not {"friendly_name", "auth_token"} & schema["properties"].keys()
        assert "sid" in schema["properties"]
    assert {"friendly_name", "sid"} <= make_stream("queues").schema["properties"].keys()


@pytest.mark.parametrize(
    ("config", "types"),
    [({"pii": "hash", "pii_key": PII_KEY}, ["string", "null"]), ({"pii": "drop"}, None)],
)
def test_a_schema_tells_of_masked_records_and_the_wires_of_what_comes(config, types):
    stream = make_stream("conferences", **config)

    announced = stream.schema["properties"].get("friendly_name")
    assert (announced and announced["type"]) == types
    assert stream.wire_schema["properties"]["friendly_name"]["x-twilio-pii"]
    assert stream.masker is not None
    assert make_stream("conferences").masker is None
    assert "friendly_name" in make_stream("conferences").schema["properties"]


def test_keys_and_bookmarks_are_never_masked():
    class Marked(Queues):
        primary_keys = ("friendly_name",)
        replication_key = "date_created"

        @classmethod
        def load(cls):
            schema, endpoint = super().load()
            for name in ("friendly_name", "date_created", "uri"):
                schema["properties"][name] = {"type": "string", "x-twilio-pii": {}}
            return schema, endpoint

    stream = make_stream(Marked, pii="drop")

    properties = stream.schema["properties"]
    assert {"friendly_name", "date_created"} <= properties.keys()
    assert "uri" not in properties


def test_a_stream_leaves_out_what_the_sdk_says_too_often():
    assert make_stream("queues").logger.filters == [is_news]


# --- Catalogs ------------------------------------------------------------------------------------


def catalog_of(stream, *, selected=True, **properties):
    return Catalog.from_dict(
        {
            "streams": [
                {
                    "tap_stream_id": stream.name,
                    "schema": {"type": "object", "properties": properties},
                    "key_properties": ["date_created"],
                    "metadata": [{"breadcrumb": [], "metadata": {"selected": selected}}],
                }
            ]
        }
    )


def test_records_stay_what_they_are_whatever_a_catalog_says(caplog):
    stream = make_stream("queues")
    own = dict(stream.schema)
    catalog = catalog_of(stream, gone={"type": "string"}, sid={"type": "integer"})

    stream.apply_catalog(catalog)

    assert stream.schema == own
    assert catalog["queues"].schema.to_dict() == own
    assert stream.own_keys == ("sid",)
    assert list(stream.primary_keys) == ["date_created"]
    assert warnings_of(caplog) == [
        "queues: the catalog has 'gone', which the stream has not (any more)",
        "queues: the catalog gives 'sid' another type; it stays string",
    ]


def test_nothing_is_said_of_a_stream_that_is_not_selected(caplog):
    stream = make_stream("queues")
    catalog = catalog_of(stream, selected=False, gone={"type": "string"})

    stream.apply_catalog(catalog)

    assert "gone" in catalog["queues"].schema.to_dict()["properties"]
    assert warnings_of(caplog) == []


class TypedByCatalog(Queues):
    typed_by_catalog = True


@pytest.mark.parametrize("kind", [TypedByCatalog, Queues])
def test_a_catalog_need_not_have_a_stream(kind):
    stream = make_stream(kind, pii="drop")
    assert stream.selected
    stream.apply_catalog(Catalog())

    assert "sid" in stream.schema["properties"]


@pytest.mark.parametrize(("pii", "names"), [("drop", ["sid"]), ("keep", ["caller", "sid"])])
def test_a_stream_typed_by_its_catalog_hides_what_is_masked_since(pii, names, caplog):
    stream = make_stream(TypedByCatalog, pii=pii)
    catalog = catalog_of(stream, sid={"type": "string"}, caller={"type": "string"})

    stream.apply_catalog(catalog)

    assert sorted(catalog["queues"].schema.to_dict()["properties"]) == names
    assert list(stream.own_keys) == ["date_created"]
    assert warnings_of(caplog) == []


def test_a_catalog_made_before_masking_still_shows_no_more_of_other_streams(caplog):
    stream = make_stream("conferences", pii="drop")
    catalog = catalog_of(stream, friendly_name={"type": ["string", "null"]})

    stream.apply_catalog(catalog)

    assert "friendly_name" not in catalog["conferences"].schema.to_dict()["properties"]
    assert warnings_of(caplog) == [
        "conferences: the catalog has 'friendly_name', which the stream has not (any more)"
    ]


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
    assert make_stream(name, **config).address_of(context) == url


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
    assert make_stream(name, **config).page_limit == limit


def test_a_page_is_asked_for_by_its_address_params_and_size():
    stream = make_stream("queues", page_size=50)

    page, (asked,) = fetch(stream, ANSWER, params={"Status": "open"})

    assert asked.url == API + QUEUES
    assert asked.endpoint == QUEUES
    assert asked.params == {"Status": "open", "PageSize": "50"}
    assert asked.auth is stream.run.settings.signature
    assert stream.run.transport.limiter is stream.run.limiter(ACCOUNT)
    assert page.page_size == 50
    assert page.length == page.size > len(page.rows)
    assert page.link is None


@pytest.mark.parametrize(
    ("name", "answer", "params"),
    [
        ("numbers_port_in_requests", {"meta": {}, "port_in_requests": []}, {"Size": "100"}),
        ("balance", {"account_sid": ACCOUNT, "balance": "1"}, {}),
    ],
)
def test_the_page_size_has_the_endpoints_own_name_or_none(name, answer, params):
    _, (asked,) = fetch(make_stream(name), answer)

    assert asked.params == params


def test_rows_are_those_of_the_endpoints_own_array():
    page, _ = fetch(make_stream("queues"), {"others": [{"sid": "XX1"}]} | ANSWER)

    assert json.loads(bytes(page.rows)) == ROWS


def test_a_link_is_followed_as_it_stands():
    stream = make_stream("queues", page_size=50)
    link = f"{API}{QUEUES}?Page=1&PageToken=x"
    answer = ANSWER | {"next_page_uri": f"{QUEUES}?Page=2&PageToken=y"}

    page, (asked,) = fetch(stream, answer, link=link)

    assert (asked.url, asked.params, asked.endpoint) == (link, {}, QUEUES)
    assert page.link == f"{API}{QUEUES}?Page=2&PageToken=y"


def test_a_link_that_leads_elsewhere_is_not_followed():
    stream = make_stream("studio_flows")
    answer = {"flows": [], "meta": {"key": "flows", "next_page_url": "https://example.com/v2"}}

    with pytest.raises(LinkError):
        fetch(stream, answer)


def test_a_token_is_a_parameter_of_the_next_page():
    answer = {"meta": {"next_token": "t", "key": "port_in_requests"}, "port_in_requests": []}

    page, _ = fetch(make_stream("numbers_port_in_requests"), answer)

    assert page.more == {"Token": "t"}


def test_what_was_mended_of_an_answer_is_told():
    page, _ = fetch(make_stream("queues"), b'{"queues":[{"sid":"QU1","n":NaN}]}')

    assert len(page.oddities) == 1


def test_whoever_the_rows_are_of_signs():
    own = {SUBACCOUNT: {"auth_token": OWN_TOKEN}}
    tap = make_tap("queues", "studio_flows", subaccount_credentials=own)
    flows = {"flows": [], "meta": {"key": "flows", "next_page_url": None}}

    _, asked = fetch(tap.streams["studio_flows"], flows, context={"account_sid": SUBACCOUNT})
    assert asked[-1].auth.username == SUBACCOUNT
    assert tap.run.transport.limiter is tap.run.limiter(SUBACCOUNT)
    _, asked = fetch(tap.streams["studio_flows"], flows)
    assert asked[-1].auth.username == ACCOUNT
    assert tap.run.streams_read(SUBACCOUNT) == {"studio_flows"}
    assert tap.run.streams_read(ACCOUNT) == {"studio_flows"}


def test_the_list_of_accounts_is_the_configured_ones():
    stream = make_stream("accounts")

    fetch(stream, {"accounts": []}, context={})

    assert stream.run.streams_read(ACCOUNT) == {"accounts"}


def test_what_nobody_signs_for_is_not_asked():
    stream = make_stream("studio_flows")

    with pytest.raises(TapError, match="signs"):
        fetch(stream, context={"account_sid": SUBACCOUNT})
    assert stream.run.transport.asked == []
    assert stream.run.progress.requests == {}


def test_personal_data_of_a_path_is_left_out_of_what_messages_name():
    class OfCaller(Queues):
        path = "/2010-04-01/Accounts/{account_sid}/{friendly_name}/Queues.json"

    stream = make_stream(OfCaller)
    stream.wire_schema["properties"]["friendly_name"] = {"x-twilio-pii": {}}
    context = WHOSE | {"friendly_name": "Ann Lee/2"}
    named = f"/2010-04-01/Accounts/{ACCOUNT}/{{friendly_name}}/Queues.json"

    _, (asked,) = fetch(stream, ANSWER, context=context)
    assert asked.url.endswith("/Ann%20Lee%2F2/Queues.json")
    assert asked.endpoint == named
    link = f"{API}/2010-04-01/Accounts/{ACCOUNT}/Ann Lee/2/Queues.json"
    _, (_, asked) = fetch(stream, ANSWER, context=context, link=link)
    assert asked.endpoint == named


# --- Rows ----------------------------------------------------------------------------------------


def page_of(stream, rows):
    return Page(rows and Raw(rows), 0, 0, None, None, Request(stream, WHOSE, (0, 0), {}))


def test_rows_are_decoded_once():
    stream = make_stream("queues")
    page = page_of(stream, b'[{"sid":"QU1"}]')
    stream.decode(page)
    stream.decode(page)

    assert (page.rows, page.records) == (None, [{"sid": "QU1"}])
    assert page.lost == 0
    assert page.oddities == ()


def test_rows_that_are_no_objects_are_counted_and_what_was_mended_is_told():
    stream = make_stream("queues")
    page = page_of(stream, b'[{"sid":"QU1"},null,7,{"sid":"QU2","n":"\xff"}]')
    page.oddities = ("before",)
    stream.decode(page)

    assert [record["sid"] for record in page.records] == ["QU1", "QU2"]
    assert page.lost == 2
    assert page.oddities[0] == "before"
    assert len(page.oddities) == 2


def test_rows_that_cannot_be_mended_are_an_error_that_names_the_stream():
    def reader(_):
        msg = "odd"
        raise ShapeError(msg)

    stream = make_stream("queues")

    with pytest.raises(TapError, match=r"queues: .*odd"):
        stream.read_rows(page_of(stream, b"[]"), reader)


# --- Refusals ------------------------------------------------------------------------------------


def test_a_single_refusal_may_be_a_mistake(waits):
    page, asked = fetch(make_stream("queues"), refused(), ANSWER)

    assert page.rows is not None
    assert sizes(asked) == ["1000", "1000"]
    assert waits == [0.001]


def test_a_refusal_stands_when_it_comes_again(waits):
    stream = make_stream("queues")

    with pytest.raises(RefusedError):
        fetch(stream, refused(), refused(403))
    assert len(stream.run.transport.asked) == 2
    assert len(waits) == 1


def test_what_is_known_to_be_refused_is_not_asked_again(waits):
    stream = make_stream("queues")
    stream.run.refused.add(("queues", ACCOUNT))

    with pytest.raises(RefusedError):
        fetch(stream, refused())
    assert waits == []


def test_a_refusal_of_what_was_read_a_moment_ago_is_no_lack_of_permission(waits):
    stream = make_stream("queues")
    fetch(stream, ANSWER)

    _, asked = fetch(stream, refused(), refused(), refused(), ANSWER)

    assert len(asked) == 5
    assert len(waits) == 3
    assert stream.run.progress.retries["queues"] == 2


def test_what_was_readable_and_stays_refused_is_told_as_it_was(waits):
    stream = make_stream("queues", max_retries=2)
    fetch(stream, ANSWER)

    with pytest.raises(TransientError, match=r"Queues.json: .*Queues.json: .*HTTP 403.*HTTP 403"):
        fetch(stream, *[refused(403)] * 4)
    assert len(waits) == 3


def test_an_absence_of_what_was_read_a_moment_ago_is_doubted(waits):
    stream = make_stream("queues")
    fetch(stream, ANSWER)

    _, asked = fetch(stream, absent(), ANSWER)

    assert len(asked) == 3
    assert len(waits) == 1
    assert stream.run.progress.retries["queues"] == 1


@pytest.mark.parametrize("reason", ["never read", "below a list", "a link", "of another", "usage"])
def test_an_absence_stands_where_nothing_speaks_against_it(reason, waits):
    name = {"below a list": "queue_members", "usage": "usage_records_daily"}.get(reason, "queues")
    stream = make_stream(name)
    if reason != "never read":
        stream.run.note_read(name, SUBACCOUNT if reason == "of another" else ACCOUNT)
    options = {"link": f"{API}{QUEUES}?Page=1"} if reason == "a link" else {}
    context = WHOSE | ({"queue_sid": "QU1"} if reason == "below a list" else {})

    with pytest.raises(AbsentError):
        fetch(stream, absent(), context=context, **options)
    assert waits == []


def test_below_a_list_a_refusal_is_doubted_still(waits):
    stream = make_stream("queue_members")
    stream.run.note_read("queue_members", ACCOUNT)

    fetch(
        stream,
        refused(),
        refused(),
        {"queue_members": []},
        context=WHOSE | {"queue_sid": "QU1"},
    )

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
    stream = make_stream(name)

    if not is_empty:
        with pytest.raises(AbsentError):
            fetch(stream, absent(), **options)
        return
    page, _ = fetch(stream, absent(), **options)
    assert (page.rows, page.length, page.size, page.link, page.more) == (None, 0, 0, None, None)
    assert page.request.window == options["window"]
    assert page.page_size is None
    assert page.records == []


def too_old():
    return RetentionError(QUEUES, 400)


def test_a_window_that_reaches_too_far_back_is_asked_from_the_next_midnight():
    stream = make_stream("messages", page_size=50)
    window = Window(utc("2025-10-16T12:39:56"), utc("2025-11-01"))
    params = {"DateSent>": "2025-10-16T12:39:55Z", "DateSent<": "2025-11-01T00:00:01Z", "To": "x"}

    page, (_, asked) = fetch(stream, too_old(), {"messages": []}, window=window, params=params)

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

    stream = make_stream(Closed)

    _, (_, asked) = fetch(stream, too_old(), {"messages": []}, window=Window(utc("2025-10-16")))

    assert asked.params["After"] == "2025-10-17T00:00:00Z"
    assert asked.params["Before"] == "2026-11-22T00:00:01Z"


@pytest.mark.parametrize("reason", ["a link", "no window", "no dates"])
def test_where_nothing_bounds_it_a_refused_date_is_an_error(reason):
    stream = make_stream("queues" if reason == "no dates" else "messages")
    options = {} if reason == "no window" else {"window": Window(EPOCH, None)}
    if reason == "a link":
        options["link"] = f"{API}{QUEUES}"

    with pytest.raises(RetentionError):
        fetch(stream, too_old(), **options)
    assert len(stream.run.transport.asked) == 1


# --- Failures ------------------------------------------------------------------------------------


@pytest.mark.parametrize("failure", [broken(), broken(503), OUT], ids=["500", "503", "no answer"])
def test_failures_are_tried_again_up_to_a_number(failure, waits):
    stream = make_stream("queues", max_retries=3, retry_delay=1)

    with pytest.raises(type(failure)):
        fetch(stream, *[failure] * 9)
    assert len(stream.run.transport.asked) == 4
    assert waits == [1, 2, 4]
    assert stream.run.progress.requests["queues"] == 4
    assert stream.run.progress.retries["queues"] == 3
    assert stream.run.streams_read(ACCOUNT) == set()


def test_pauses_double_up_to_a_minute(waits):
    stream = make_stream("queues", retry_delay=3, max_retries=9)

    fetch(stream, *[OUT] * 7, ANSWER)

    assert waits == [3, 6, 12, 24, 48, 60, 60]


def test_pauses_are_a_little_longer_by_chance():
    found = {jittered(8.0) for _ in range(200)}

    assert len(found) > 10
    assert min(found) >= 8.0
    assert 9.0 < max(found) <= 10.0


def test_all_pauses_are_made_longer(waits, monkeypatch):
    chance = SimpleNamespace(uniform=lambda _, high: high)
    monkeypatch.setattr("backoff._jitter.random", chance)
    stream = make_stream("queues", retry_delay=8)

    fetch(stream, refused(), OUT, throttled(), throttled(40), ANSWER)

    assert waits == [10, 10, 10, 50]


@pytest.mark.usefixtures("waits")
def test_the_second_server_error_makes_pages_smaller():
    _, asked = fetch(make_stream("queues"), *[broken()] * 8, ANSWER, params={"a": "b"})

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
    page, asked = fetch(make_stream("queues", page_size=size), *failures, ANSWER)

    assert sizes(asked) == expected
    assert page.page_size == int(expected[-1])
    assert len(waits) == len(failures)


def test_where_the_size_cannot_be_chosen_it_is_not(waits):
    _, asked = fetch(make_stream("balance"), *[broken()] * 3, {"balance": "1"})

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
    stream = make_stream("queues")

    if error is None:
        fetch(stream, *answers)
    else:
        with pytest.raises(error, match=r"Queues.json: the answer isn't .*HTTP 200") as found:
            fetch(stream, *answers)
        assert not isinstance(found.value, TransientError)
    assert len(stream.run.transport.asked) == tries
    assert stream.run.progress.retries["queues"] == tries - 1
    assert len(waits) == tries - 1


def test_answers_of_another_shape_do_not_make_pages_smaller(waits):
    _, asked = fetch(make_stream("queues"), b"", b"", b"", ANSWER)

    assert sizes(asked) == ["1000"] * 4
    assert len(waits) == 3


def test_a_single_object_must_have_some_of_the_resources_fields(waits):
    stream = make_stream("balance")

    with pytest.raises(ResponseError):
        fetch(stream, *[{"odd": 1}] * 9)
    assert len(waits) == 1


# --- Throttling ----------------------------------------------------------------------------------


def test_throttling_is_waited_out_however_often(waits):
    stream = make_stream("queues", retry_delay=1, max_retries=2)

    _, asked = fetch(stream, *[throttled()] * 30, ANSWER)

    assert len(asked) == 31
    assert waits == [*(2**n for n in range(6)), *[60] * 24]
    assert stream.run.progress.retries["queues"] == 0


def test_throttling_is_waited_out_for_as_long_as_twilio_asks(waits):
    stream = make_stream("queues", retry_delay=1)

    fetch(stream, throttled(7), throttled(), throttled(300), throttled(), throttled(0), ANSWER)

    assert waits == [7, 1, 300, 2, 4]


@pytest.mark.parametrize(("silence", "tries"), [(SILENCE, 3), (SILENCE + 1, 1)])
def test_an_account_that_only_throttles_is_given_up_in_the_end(silence, tries, waits, monkeypatch):
    stream = make_stream("queues")
    monkeypatch.setattr(stream.run, "silence", lambda: silence)

    if tries == 1:
        with pytest.raises(ThrottledError):
            fetch(stream, throttled())
    else:
        fetch(stream, throttled(), throttled(), ANSWER)
    assert len(waits) == tries - 1


def test_an_account_is_given_up_after_minutes_without_an_answer(monkeypatch):
    stream = make_stream("queues")
    now = [stream.run.limiter(ACCOUNT).answered]
    clock = SimpleNamespace(monotonic=lambda: now[0], sleep=lambda _: now.append(now.pop() + 61))
    monkeypatch.setattr("tap_twilio.run.time", clock)
    monkeypatch.setattr("backoff._sync.time", clock)

    with pytest.raises(ThrottledError):
        fetch(stream, *[throttled()] * 50)
    assert len(stream.run.transport.asked) == 11


def test_failures_count_from_anew_after_throttling(waits):
    stream = make_stream("queues", max_retries=1)

    _, asked = fetch(stream, OUT, throttled(), OUT, ANSWER)

    assert len(asked) == 4
    assert len(waits) == 3


# --- What is told --------------------------------------------------------------------------------


@pytest.mark.parametrize(("failure", "level"), [(broken(), "WARNING"), (throttled(), "DEBUG")])
def test_a_pause_is_told_with_its_reason(failure, level, waits, caplog):
    stream = make_stream("queues", retry_delay=1)
    caplog.set_level(logging.DEBUG)
    caplog.clear()

    fetch(stream, failure, failure, ANSWER)

    told = caplog.records
    assert [one.levelname for one in told] == [level, level]
    assert told[1].getMessage().startswith("queues: waiting 2.0 s after 2 tries: /2010-04-01/")
    assert f"(HTTP {failure.status})" in told[1].getMessage()
    assert waits == [1, 2]


@settings(max_examples=20)
@given(messages=st.lists(st.sampled_from("abc"), max_size=12))
def test_a_warning_comes_once(messages):
    stream = make_stream("queues")
    told = []

    def note(record):
        told.append(record.getMessage())

    stream.logger.addFilter(note)
    try:
        for message in messages:
            stream.warn_once(message)
    finally:
        stream.logger.removeFilter(note)

    assert told == [f"queues: {message}" for message in dict.fromkeys(messages)]
