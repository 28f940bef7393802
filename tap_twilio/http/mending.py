"""Answers that came whole and aren't quite JSON: written anew as JSON that every decoder takes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

import msgspec

WRONG: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ArithmeticError)
"""Errors of decoding."""

DEEPEST: Final = 500
"""How many objects and arrays may lie within each other."""

_BYTE_ORDER_MARK = "\ufeff"
_TOKEN = re.compile(
    r"""
      (?P<text> "(?:[^"\\]++|\\.)*+" )
    | (?P<word> [^\s"\[\]{}:,]+ )
    | (?P<comma> [,:] )
    | (?P<open> [\[{] )
    | (?P<close> [\]}] )
    | (?P<cut> ".* )
    """,
    re.VERBOSE | re.DOTALL,
)
_COLON = re.compile(r"\s*:")
_PIECE = re.compile(
    r"""
      (?P<pair> \\u[dD][89abAB][0-9a-fA-F]{2} \\u[dD][c-fC-F][0-9a-fA-F]{2} )
    | (?P<half> \\u[dD][89a-fA-F][0-9a-fA-F]{2} | [\ud800-\udfff] )
    | (?P<escape> \\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}) )
    | (?P<bare> [\x00-\x1f] | \\ )
    """,
    re.VERBOSE,
)
_word_decoder = msgspec.json.Decoder(float_hook=Decimal)


@dataclass(frozen=True, slots=True)
class Mended:
    """A mended answer.

    Attributes:
        body: The same as JSON, if nothing was wrong with it but its values.
        is_cut: Whether it is an object without its end.
        is_marked: Whether it began with a byte order mark.
        places: Names of the mended fields, each after that of the field that it lies in.
    """

    body: bytes
    is_cut: bool
    is_marked: bool
    places: frozenset[tuple[str, ...]]


def mend(body: bytes) -> Mended:
    """Replace what a strict decoder refuses.

    What is no character becomes U+FFFD; what is no number, or one of more digits than anything
    holds, becomes null, and so does what lies too deep. Control characters stay, escaped.
    """
    text = body.decode("utf-8", "surrogateescape")
    bare = text.removeprefix(_BYTE_ORDER_MARK)
    mender = _Mender()
    mended = _TOKEN.sub(mender, bare)
    return Mended(
        mended.encode("utf-8", "replace"),
        is_cut=not bare.strip() or (bare.lstrip().startswith("{") and mender.is_open),
        is_marked=len(bare) < len(text),
        places=frozenset(mender.places),
    )


class _Mender:
    """Goes through the tokens of a text, and knows the field that each belongs to."""

    def __init__(self) -> None:
        self.places: set[tuple[str, ...]] = set()
        self.is_open = False
        self._names: list[str | None] = []

    def __call__(self, match: re.Match[str]) -> str:
        kind, token = match.lastgroup, match[0]
        was_too_deep = len(self._names) > DEEPEST
        mended = token
        if kind == "open":
            self._names.append(None)
            mended = "null" if len(self._names) > DEEPEST else token
        elif kind == "close":
            del self._names[-1:]
        elif kind == "text":
            mended = _PIECE.sub(_piece, token)
            if self._names and _COLON.match(match.string, match.end()):
                self._names[-1] = msgspec.json.decode(mended)
        elif kind == "word":
            mended = _word(token)
        self.is_open = kind == "cut" or bool(self._names)
        if was_too_deep:
            return ""
        if mended != token:
            self.places.add(tuple(name for name in self._names if name is not None)[:2])
        return mended


def _piece(match: re.Match[str]) -> str:
    if match.lastgroup == "half":
        return "\ufffd"
    return match[0] if match.lastgroup != "bare" else msgspec.json.encode(match[0])[1:-1].decode()


def _word(token: str) -> str:
    try:
        _word_decoder.decode(token.encode("utf-8", "replace"))
    except WRONG:
        return "null"
    return token
