"""What was asked: the last requests in full, all of them as counters."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(slots=True)
class LoggedRequest:
    """One request.

    Attributes:
        method: The HTTP method.
        product: The host label.
        path: The path on that host.
        query: The decoded parameters, in order.
        account: The SID of the account whose rows were meant, if it got that far.
        status: The HTTP status; 0 until answered and for broken connections.
        started: Seconds on a monotonic clock.
        finished: Seconds on the same clock.
        in_flight: Requests in flight at its start, itself included.
        user_agent: What the client calls itself.
        authorized: Whether an Authorization header came along.
    """

    method: str
    product: str
    path: str
    query: list[tuple[str, str]]
    account: str | None
    status: int
    started: float
    finished: float
    in_flight: int
    user_agent: str
    authorized: bool


class RequestLog:
    """The requests so far.

    Args:
        size: How many are kept in full; None for all.
    """

    def __init__(self, size: int | None) -> None:
        """Start empty."""
        self._entries: deque[LoggedRequest] = deque(maxlen=size)
        self.reset()

    def reset(self) -> None:
        """Forget everything."""
        self._entries.clear()
        self.total = 0
        self.max_in_flight = 0
        self.statuses: Counter[int] = Counter()
        self.products: Counter[str] = Counter()
        self.methods: Counter[str] = Counter()

    def open(self, entry: LoggedRequest) -> None:
        """Note a request that has come in."""
        self._entries.append(entry)
        self.total += 1
        self.products[entry.product] += 1
        self.methods[entry.method] += 1
        self.max_in_flight = max(self.max_in_flight, entry.in_flight)

    def close(self, entry: LoggedRequest, status: int, finished: float) -> None:
        """Note how it was answered."""
        entry.status = status
        entry.finished = finished
        self.statuses[status] += 1

    def __len__(self) -> int:
        """Count the requests kept in full."""
        return len(self._entries)

    def __iter__(self) -> Iterator[LoggedRequest]:
        """Give the requests kept in full, oldest first."""
        return iter(list(self._entries))

    def summary(self, *, entries: bool) -> dict[str, Any]:
        """Give the counters, and the requests kept in full if they are wanted."""
        counters: dict[str, Any] = {
            "total": self.total,
            "max_in_flight": self.max_in_flight,
            "statuses": {str(status): count for status, count in sorted(self.statuses.items())},
            "products": dict(sorted(self.products.items())),
            "methods": dict(sorted(self.methods.items())),
        }
        if entries:
            counters["requests"] = [asdict(one) for one in self]
        return counters
