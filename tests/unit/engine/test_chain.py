"""A chain of pages: each row once and in order, though links break, and an end whatever comes."""

from __future__ import annotations

from array import array
from dataclasses import replace

import pytest

from tap_twilio.engine import chain
from tap_twilio.engine.chain import BARREN_RESTARTS, Chain
from tap_twilio.engine.requests import Batch, Place, Request
from tap_twilio.http.errors import ChainError, ResponseError
from tap_twilio.resource.resource import Node
from tests.unit.taps import resource_of

GONE = ResponseError("/Calls", 410)


def calls(keys=("sid",), **fields):
    return Node(replace(resource_of("calls"), keys=keys, **fields))


def keyed(is_keyed):
    """Rows that are known again by their keys, or aren't."""
    return calls(position_field=None if is_keyed else "position")


def request_of(link=None, of=None, **params):
    return Request(of or calls(), {}, Place((3, 1, 0)), params, link)


def batch_of(request, *names, **fields):
    records = [{"sid": name} if isinstance(name, str) else name for name in names]
    return Batch(request, records, **fields)


def taking(*answers):
    """Give pages in order, or raise what stands in the place of one."""
    left = list(answers)

    def take(_request):
        answer = left.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    return take


class Script:
    """Answers in order: names of the rows of a page, or an error."""

    def __init__(self, *answers, of=None, repeats=False):
        self.first = request_of(of=of)
        self.answers = list(answers)
        self.repeats = repeats
        self.asked = []

    def take(self, request):
        self.asked.append(request)
        answer = self.answers.pop(0)
        if self.repeats and not self.answers:
            self.answers.append(answer)
        if isinstance(answer, Exception):
            raise answer
        is_last = answer[-1:] == [None]
        names = [name for name in answer if name is not None]
        following = None if is_last else request_of(f"link {len(self.asked)}", request.node)
        return batch_of(request, *names, following=following)

    def read(self, **options):
        return list(Chain(self.first, self.take, **options))

    def rows(self, **options):
        return [[record["sid"] for record in page.records] for page in self.read(**options)]


# --- Pages in order ------------------------------------------------------------------------------


def test_pages_come_in_order_each_by_the_request_that_the_one_before_made():
    script = Script(["a", "b"], ["c"], [], ["d", None])

    assert script.rows() == [["a", "b"], ["c"], [], ["d"]]
    assert [request.link for request in script.asked] == [None, "link 1", "link 2", "link 3"]


def test_a_list_of_one_page_is_not_looked_at_further():
    assert Script(["a", "a", None]).rows() == [["a", "a"]]


def test_rows_that_are_known_are_left_out_and_the_others_keep_their_places():
    script = Script(["a", "b", "c"], ["b"], ["d", None])

    pages = script.read(known={hash(("b",))})

    assert [[record["sid"] for record in page.records] for page in pages] == [["a", "c"], [], ["d"]]
    assert [[number for number, _ in page.numbered()] for page in pages] == [[0, 2], [], [0]]


def test_known_rows_are_left_out_of_a_single_page_too():
    assert Script(["a", "b", None]).rows(known={hash(("a",))}) == [["b"]]


# --- Links that break ----------------------------------------------------------------------------


@pytest.mark.parametrize("status", [400, 404, 410])
def test_a_list_that_breaks_off_is_read_anew_and_each_row_comes_once(status, caplog):
    broken = ResponseError("/Calls", status)
    script = Script(["a", "b"], ["c"], broken, ["new", "a", "b"], ["c", "d"], ["e", None])

    assert script.rows() == [["a", "b"], ["c"], ["new"], ["d"], ["e"]]
    assert "calls: the list broke off, and is read again" in caplog.text


def test_a_list_is_read_anew_at_a_place_after_the_one_that_broke():
    script = Script(["a"], GONE, ["a", "b", None])
    script.read()

    *_, broken, again = script.asked
    assert (again.link, again.params) == (script.first.link, script.first.params)
    assert again.place == (*broken.place[:-1], broken.place[-1] + 1)


def test_a_page_of_the_same_list_by_number_is_a_next_one():
    first = request_of(Page="0")
    take = taking(
        batch_of(first, "a", following=request_of(Page="1")),
        GONE,
        batch_of(first, "a", "b"),
    )

    pages = list(Chain(first, take))

    assert [page.records for page in pages] == [[{"sid": "a"}], [{"sid": "b"}]]


@pytest.mark.parametrize("status", [400, 404, 410])
def test_a_first_page_that_is_refused_is_no_break(status):
    with pytest.raises(ResponseError):
        Script(ResponseError("/Calls", status), ["a", None]).read()


@pytest.mark.parametrize("status", [401, 403, 429, 500, 503])
def test_another_refusal_of_a_next_page_is_no_break(status):
    with pytest.raises(ResponseError):
        Script(["a"], ResponseError("/Calls", status), ["a", None]).read()


def test_rows_that_cant_be_known_again_are_not_read_anew():
    with pytest.raises(ChainError, match="the list broke off and can't be read on"):
        Script(["a"], GONE, ["a", None], of=keyed(is_keyed=False)).read()


def test_rows_of_several_keys_are_known_by_all_of_them():
    row, other = {"sid": "a", "number": 1}, {"sid": "a", "number": 2}
    script = Script([row], GONE, [row, other, None], of=calls(("sid", "number")))

    assert [page.records for page in script.read()] == [[row], [other]]


def test_rows_without_a_key_are_known_by_all_that_they_hold():
    row, other = {"sid": None, "to": "x"}, {"sid": None, "to": "y"}
    script = Script([row, {"sid": "a"}], GONE, [{"sid": "a"}, row, other, None])

    assert [page.records for page in script.read()] == [[row, {"sid": "a"}], [other]]


def test_a_list_that_brings_nothing_new_is_given_up_after_some_restarts():
    script = Script(["a"], GONE, *(["a"], GONE) * 10)

    with pytest.raises(ChainError, match="can't be read on") as raised:
        script.read()

    # The first reading, and the restarts.
    assert len(script.asked) == 2 * (1 + BARREN_RESTARTS)
    assert raised.value.__cause__ is GONE


def test_a_list_that_brings_nothing_at_all_is_given_up_after_as_many():
    script = Script(*([], GONE) * 10)

    with pytest.raises(ChainError, match="can't be read on"):
        script.read()
    assert len(script.asked) == 2 * (1 + BARREN_RESTARTS)


def test_a_list_that_brings_something_new_each_time_is_not_given_up():
    names = "abcdefghij"
    answers = [one for end in range(1, 10) for one in ([*names[:end]], GONE)]
    script = Script(*answers, [*names, None])

    assert script.rows() == [[name] for name in names]


def test_restarts_that_bring_nothing_are_counted_from_the_last_row_that_was_new():
    barren = (["a"], GONE) * (BARREN_RESTARTS - 1)
    more = (["a", "b"], GONE) * BARREN_RESTARTS
    script = Script(["a"], GONE, *barren, *more, ["a", "b", "c", None])

    assert [row for rows in script.rows() for row in rows] == ["a", "b", "c"]


@pytest.mark.parametrize(("remembered", "is_read"), [(3, True), (2, False)])
def test_a_list_is_read_anew_if_all_its_rows_are_remembered(monkeypatch, remembered, is_read):
    monkeypatch.setattr(chain, "ROWS_REMEMBERED", remembered)
    script = Script(["a", "b"], ["c"], GONE, ["a", "b", "c", "d", None])

    if is_read:
        assert script.rows() == [["a", "b"], ["c"], ["d"]]
    else:
        with pytest.raises(ChainError):
            script.read()
    assert len(script.asked) == 3 + is_read


def test_no_more_rows_are_remembered_after_some_were_not(monkeypatch):
    monkeypatch.setattr(chain, "ROWS_REMEMBERED", 3)
    script = Script(["a", "b"], ["c", "d"], [], GONE, ["a", "b", "c", "d", None])

    with pytest.raises(ChainError):
        script.read()


def test_the_rows_that_are_remembered_are_bounded(monkeypatch):
    monkeypatch.setattr(chain, "ROWS_REMEMBERED", 3)
    script = Script(["a", "b"], ["c", "d", "e"], ["f", None])
    one = Chain(script.first, script.take)

    assert len(list(one)) == 3
    assert [len(value) for value in vars(one).values() if isinstance(value, array)] == [3]


# --- Circles -------------------------------------------------------------------------------------


def test_links_that_lead_to_one_page_for_ever_end_in_an_error():
    script = Script(["a"], ["b"], repeats=True)

    with pytest.raises(ChainError, match="calls: a page came twice in one list"):
        script.read()
    assert len(script.asked) == 3


def test_a_last_page_that_came_before_ends_in_an_error():
    with pytest.raises(ChainError, match="circle"):
        Script(["a"], ["b"], ["a", None]).read()


@pytest.mark.parametrize("restarts", [True, False])
def test_a_link_that_leads_back_ends_in_an_error(restarts):
    number = iter(range(10))

    def take(request):
        return batch_of(request, f"row {next(number)}", following=request_of("again", request.node))

    with pytest.raises(ChainError, match="circle"):
        list(Chain(request_of(of=keyed(restarts)), take))
    assert next(number) == 3


def test_parameters_that_lead_back_end_in_an_error():
    number = iter(range(10))

    def take(request):
        return batch_of(request, f"row {next(number)}", following=request_of(b="2", a="1"))

    with pytest.raises(ChainError, match="circle"):
        list(Chain(request_of(), take))
    assert next(number) == 3


def test_pages_that_are_empty_are_no_circle():
    assert Script([], [], [], ["a", None]).rows() == [[], [], [], ["a"]]


def test_like_rows_that_have_no_key_are_no_circle():
    script = Script(["a"], ["a"], ["a", None], of=keyed(is_keyed=False))

    assert script.rows() == [["a"], ["a"], ["a"]]


def test_rows_without_a_key_are_not_compared_where_nothing_is_read_anew(monkeypatch):
    monkeypatch.setattr(chain, "identity", None)
    row = {"sid": None}
    script = Script([row], [row], [row, None], of=keyed(is_keyed=False))

    assert [page.records for page in script.read()] == [[row]] * 3


def test_a_list_that_is_read_anew_is_no_circle():
    script = Script(["a"], ["b"], GONE, ["a"], ["b"], ["c", None])

    assert [row for rows in script.rows() for row in rows] == ["a", "b", "c"]


# --- Windows that are split ----------------------------------------------------------------------


def test_a_window_that_was_split_is_read_part_by_part():
    first = request_of()
    parts = tuple(request_of(f"part {number}") for number in range(3))
    pages = {
        None: batch_of(first, parts=parts),
        "part 0": batch_of(parts[0], "a", "b", following=request_of("next")),
        "next": batch_of(request_of("next"), "c"),
        "part 1": batch_of(parts[1], "d", "a"),
    }

    found = list(
        Chain(
            first,
            lambda one: pages[one.link],
            is_wanted=lambda part: part is not parts[2],
            known={hash(("a",))},
        )
    )

    assert [[row["sid"] for row in page.records] for page in found] == [["b"], ["c"], ["d"]]


@pytest.mark.parametrize("restarts", [True, False])
def test_a_part_is_read_anew_as_the_whole_would_be(restarts):
    node = keyed(restarts)
    first, part = request_of(of=node), request_of("part", node)
    take = taking(
        batch_of(first, parts=(part,)),
        batch_of(part, "a", following=request_of("next", node)),
        GONE,
        batch_of(part, "a", "b"),
    )

    pages = Chain(first, take)

    if restarts:
        assert [row["sid"] for page in pages for row in page.records] == ["a", "b"]
    else:
        with pytest.raises(ChainError):
            list(pages)


def test_parts_of_a_part_are_read_as_far_as_they_are_wanted():
    first, part = request_of(), request_of("part")
    inner = (request_of("inner 0"), request_of("inner 1"))
    pages = {
        None: batch_of(first, parts=(part,)),
        "part": batch_of(part, parts=inner),
        "inner 0": batch_of(inner[0], "a"),
    }

    found = list(Chain(first, lambda one: pages[one.link], lambda one: one is not inner[1]))

    assert [[row["sid"] for row in page.records] for page in found] == [["a"]]
