"""Pages: the tokens that lead from one to the next, and the envelopes that they come in."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal
from urllib.parse import urlencode

from sandbox import errors

if TYPE_CHECKING:
    from sandbox.endpoints import Endpoint
    from sandbox.frames import Key, Wire
    from sandbox.tables import Source
    from sandbox.traits import Traits

Query = Sequence[tuple[str, str]]
Tokens = Literal["sid", "page", "opaque"]

_DEFAULT_SIZE: Final = 50
_PORTING_SIZE: Final = 20


@dataclass(frozen=True)
class PageRequest:
    """Which page is asked for.

    Attributes:
        number: Counted from 0.
        size: The most rows that it may have.
        token: Where it starts, as an earlier page told.
    """

    number: int
    size: int
    token: str | None


def read_request(endpoint: Endpoint, query: Query) -> PageRequest:
    """Find out which page is asked for.

    Raises:
        TwilioError: If the client made the page up or wants too much at once.
    """
    given = dict(query)
    size = _DEFAULT_SIZE
    if endpoint.paging == "token" and "Size" in endpoint.parameters:
        size = _PORTING_SIZE
    for name in ("PageSize", "pageSize", "Size"):
        if given.get(name):
            size = _integer(name, given[name])
    if size > endpoint.page_size:
        raise errors.page_too_large(endpoint.page_size)
    if size < 1:
        msg = "PageSize"
        raise errors.invalid(msg, str(size))
    token = next(
        (given[one] for one in ("PageToken", "pageToken", "Token") if given.get(one)), None
    )
    number = _integer("Page", given["Page"]) if given.get("Page") else 0
    if number and token is None and endpoint.paging in ("uri", "meta"):
        raise errors.page_without_token()
    return PageRequest(number, size, token)


class Pager:
    """Walks one list.

    Args:
        endpoint: The list.
        traits: What is peculiar to it.
        source: Its rows.
        now: The moment.
    """

    def __init__(self, endpoint: Endpoint, traits: Traits, source: Source, now: int) -> None:
        """Choose the kind of tokens."""
        self._endpoint = endpoint
        self._traits = traits
        self._source = source
        self._now = now
        self.kind: Tokens = traits.tokens or (
            "sid"
            if endpoint.paging == "uri" and traits.identifier in endpoint.properties
            else "opaque"
        )

    def after(self, request: PageRequest) -> tuple[Key | None, int]:
        """Find where a page starts.

        Returns:
            The key behind which it starts, if any, and how many rows to pass over.

        Raises:
            TwilioError: If the list never gave such a token.
        """
        if request.token is None:
            return None, 0
        head, tail = request.token[:2], request.token[2:]
        try:
            if head == "PA":
                key = self._source.locate(tail, self._now)
                if key is None:
                    raise errors.bad_token()
                return key, 0
            if head == "AP":
                return None, int(_decode(tail)) * request.size
            if head == "PT":
                moment, _, place = _decode(tail).partition(".")
                return (int(moment), int(place)), 0
        except (ValueError, binascii.Error):
            pass
        raise errors.bad_token()

    def token(self, key: Key, row: Wire, number: int) -> str:
        """Give the token of the page behind a row.

        Args:
            key: The row's key.
            row: The row, the last of its page.
            number: The number of the page that follows.
        """
        if self.kind == "page":
            return f"AP{_encode(str(number))}"
        sid = row.get(self._traits.identifier)
        if (
            self.kind == "sid"
            and isinstance(sid, str)
            and self._source.locate(sid, self._now) == key
        ):
            return f"PA{sid}"
        return f"PT{_encode(f'{key[0]}.{key[1]}')}"


@dataclass(frozen=True)
class Page:
    """A page, ready for its envelope.

    Attributes:
        request: What was asked.
        rows: What it holds.
        token: What leads to the next, if there is one.
        total: How many rows the whole list has, where its form tells.
    """

    request: PageRequest
    rows: list[Wire]
    token: str | None
    total: int | None = None


def envelope(endpoint: Endpoint, path: str, query: Query, page: Page) -> dict[str, Any]:
    """Wrap a page as its API does.

    Args:
        endpoint: The list.
        path: Its real path.
        query: The parameters as they came.
        page: The page.

    Returns:
        The body.
    """
    key = endpoint.data_key or "items"
    wraps = {
        "uri": _uri_envelope,
        "meta": _meta_envelope,
        "token": _token_envelope,
        "cursor": _cursor_envelope,
        "page_number": _numbered_envelope,
        "scim": _scim_envelope,
    }
    wrap = wraps.get(endpoint.paging)
    return {key: page.rows} if wrap is None else wrap(endpoint, key, path, query, page)


def _uri_envelope(
    endpoint: Endpoint, key: str, path: str, query: Query, page: Page
) -> dict[str, Any]:
    del endpoint
    request = page.request
    start = request.number * request.size
    return {
        "first_page_uri": _link(path, query, request, 0, None),
        "end": start + len(page.rows) - 1 if page.rows else 0,
        "previous_page_uri": _previous(path, query, page),
        key: page.rows,
        "uri": _link(path, query, request, request.number, request.token),
        "page_size": request.size,
        "start": start,
        "next_page_uri": _next(path, query, page),
        "page": request.number,
    }


def _meta_envelope(
    endpoint: Endpoint, key: str, path: str, query: Query, page: Page
) -> dict[str, Any]:
    url = f"https://{endpoint.host}.twilio.com{path}"
    request = page.request
    return {
        key: page.rows,
        "meta": {
            "page": request.number,
            "page_size": request.size,
            "first_page_url": _link(url, query, request, 0, None),
            "previous_page_url": _previous(url, query, page),
            "url": _link(url, query, request, request.number, request.token),
            "next_page_url": _next(url, query, page),
            "key": key,
        },
    }


def _token_envelope(
    endpoint: Endpoint, key: str, path: str, query: Query, page: Page
) -> dict[str, Any]:
    del path, query
    size = page.request.size
    if endpoint.host == "numbers":
        meta = {"next_token": page.token, "previous_token": None, "page_size": size}
    else:
        meta = {"nextToken": page.token, "previousToken": None, "pageSize": size}
    return {"meta": {"key": key, **meta}, key: page.rows}


def _cursor_envelope(
    endpoint: Endpoint, key: str, path: str, query: Query, page: Page
) -> dict[str, Any]:
    del endpoint, path, query
    return {key: page.rows, "pagination": {"next": page.token, "self": page.request.token}}


def _numbered_envelope(
    endpoint: Endpoint, key: str, path: str, query: Query, page: Page
) -> dict[str, Any]:
    del endpoint, path, query
    request, total = page.request, page.total or 0
    pages = -(-total // request.size)
    return {
        key: page.rows,
        "current_page": request.number,
        "per_page": request.size,
        "total_pages": pages,
        "total_elements": total,
        "has_next": request.number + 1 < pages,
    }


def _scim_envelope(
    endpoint: Endpoint, key: str, path: str, query: Query, page: Page
) -> dict[str, Any]:
    del endpoint, path, query
    return {
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
        "totalResults": len(page.rows),
        "itemsPerPage": len(page.rows),
        "startIndex": 1,
        key: page.rows,
    }


def _link(place: str, query: Query, request: PageRequest, number: int, token: str | None) -> str:
    own = [one for one in query if one[0] not in ("Page", "PageSize", "PageToken")]
    own += [("PageSize", str(request.size)), ("Page", str(number))]
    if token is not None:
        own.append(("PageToken", token))
    return f"{place}?{urlencode(own)}"


def _next(place: str, query: Query, page: Page) -> str | None:
    if page.token is None:
        return None
    return _link(place, query, page.request, page.request.number + 1, page.token)


def _previous(place: str, query: Query, page: Page) -> str | None:
    number = page.request.number
    if not number or not page.rows:
        return None
    return _link(place, query, page.request, number - 1, f"PB{page.rows[0].get('sid')}")


def _integer(name: str, value: str) -> int:
    if not value.isdigit():
        raise errors.invalid(name, value)
    return int(value)


def _encode(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode()


def _decode(text: str) -> str:
    return base64.urlsafe_b64decode(text.encode()).decode()
