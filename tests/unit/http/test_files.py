"""Files of rows: in parts of bounded size, each row once, whatever breaks off."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest
from msgspec import Raw

from tap_twilio.http import files
from tap_twilio.http.errors import TransientError
from tap_twilio.http.files import RowFile, salvage

LINES = [json.dumps({"sid": f"SM{number}", "body": "x" * (number % 50)}) for number in range(400)]
CONTENT = "\n".join(LINES).encode()
PART = 1000
PLACE = "/v1/Exports/Messages/Days/2020-07-26"


class Content:
    """A file that is there at once, and breaks off where it is told to."""

    def __init__(self, content, breaks=None):
        self.content, self.breaks, self.place = content, breaks, 0
        self.closed = False

    def begin_part(self):
        assert not self.closed

    def read(self, most):
        if self.breaks is not None and self.place >= self.breaks:
            raise TransientError(PLACE, 200, message="the file broke off")
        found = self.content[self.place : self.place + min(most, 300)]
        self.place += len(found)
        return found

    def close(self):
        self.closed = True


@pytest.fixture(autouse=True)
def small_parts(monkeypatch):
    monkeypatch.setattr(files, "PART", PART)


def read(file, ask):
    """Read a file to its end, with another try after each break."""
    parts = []
    while not file.is_done:
        try:
            parts.append(bytes(file.read(len(parts), ask)))
        except TransientError:
            continue
    return parts


def rows_of(parts):
    return [json.dumps(row) for part in parts for row in json.loads(part)]


@pytest.mark.parametrize("breaks", [[], [0], [1], [700, 700, 5000], list(range(0, 20000, 900))])
def test_each_row_is_given_once_in_parts_of_bounded_size(breaks):
    answers = [Content(CONTENT, one) for one in breaks]
    ask = SimpleNamespace(left=[*answers, Content(CONTENT)])

    parts = read(RowFile(), lambda: ask.left.pop(0))

    assert rows_of(parts) == LINES
    assert len(parts) > 10
    assert max(map(len, parts)) < PART + 600
    assert all(one.closed for one in answers)


@pytest.mark.parametrize("content", [b"", b"\n", b"\r\n\n"])
def test_a_file_without_rows_has_none(content):
    assert read(RowFile(), lambda: Content(content)) == [b"[]"]


def test_a_part_is_given_in_its_turn_only():
    file = RowFile()
    file.read(0, lambda: Content(CONTENT))

    with pytest.raises(RuntimeError, match="in the turn of part 1"):
        file.read(0, lambda: Content(CONTENT))


def test_lines_that_are_no_objects_are_left_out():
    lines = [b'{"a":1}', b'{"a":"cut', b"7", b'{"a":NaN}', b"null", b'{"a":"\xff"}', b"{}}"]

    rows, lost, oddities = salvage(Raw(b"[" + b",\n".join(lines) + b"]"))

    assert json.loads(bytes(rows)) == [{"a": 1}, {"a": None}, {"a": "\ufffd"}]
    assert lost == 4
    assert len(oddities) == 1
