"""Looking before a run: a few cheap requests that tell what it will take."""

from __future__ import annotations

import math
import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from tap_twilio.config.credentials import ROOT_PRODUCT
from tap_twilio.engine.bookmarks import Bookmarks
from tap_twilio.engine.cost import Page, Read, Terms, cost_of, next_moment, rows_between
from tap_twilio.engine.decoder import Decoder
from tap_twilio.engine.fetcher import Fetcher
from tap_twilio.engine.planner import Planner, dates_of, span_params
from tap_twilio.engine.requests import Place, Record, Request
from tap_twilio.engine.sign_in import PERMISSION_DENIED
from tap_twilio.http import pagination
from tap_twilio.http.errors import AbsentError, RefusedError, TapError
from tap_twilio.http.signatures import App
from tap_twilio.output.forecast import Figure, Forecast, Surety
from tap_twilio.records.pii import Rule
from tap_twilio.resource.windows import EPOCH, SECOND, Unit, Window, floor_of, iso, parse_moment

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from tap_twilio.engine.requests import Fetched
    from tap_twilio.engine.run import Run
    from tap_twilio.engine.sign_in import SignedIn
    from tap_twilio.resource.resource import Node

MOST: Final = 100
"""Requests in all, unless more streams than that are selected: then one for each."""

MOST_EACH: Final = 4
"""Requests for one stream."""

IN_FLIGHT: Final = 4
"""Requests at a time: as many as a run begins with."""

UNDATED_SHARE: Final = 0.02
"""Rows that a list by status has, of all, where such lists are searched for rows without a date."""

FILE: Final = 2
"""Requests that the file of an exported day takes: for its address, and for itself."""

CREATED: Final = "date_created"

USAGE: Final = "/2010-04-01/Accounts/{account_sid}/Usage/Records.json"

DAY: Final = timedelta(days=1)


@dataclass
class Findings:
    """What is found out about one stream.

    Attributes:
        node: The stream.
        figure: What reading it takes; none if no list of it could be read.
        parents: Some of its rows, typed, with their contexts, for what is below.
        errors: Why lists of it could not be read, and whose lists.
        seconds: How long answers took.
        left: Requests that it may still take.
        page: Rows on a page; zero where a list comes whole.
        parts: Parts that a run makes of a window that is too full; zero where none is.
        in_a_row: Requests of which each waits for the one before, in the longest of its lists.
    """

    node: Node
    figure: Figure | None = None
    parents: list[tuple[dict[str, Any], Record]] = field(default_factory=list)
    errors: list[tuple[str, TapError]] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    left: int = 0
    page: int = 0
    parts: int = 0
    in_a_row: int = 0

    @contextmanager
    def timed(self) -> Iterator[None]:
        """Note how long an answer takes, if it is one."""
        self.left -= 1
        sent = time.monotonic()
        yield
        self.seconds.append(time.monotonic() - sent)


class Survey:
    """Finds out what a first run reads, and what that takes.

    Args:
        root: The list of accounts, with all that is selected below it.
        run: The run that asks.
        found: Whose rows can be read.
    """

    def __init__(self, root: Node, run: Run, found: SignedIn) -> None:
        """Ask nothing yet."""
        self._root = root
        self._run = run
        self._found = found
        settings = run.settings
        # A first run: no bookmark bounds what it reads.
        self._bookmarks = Bookmarks({}, settings, run.clock, run.skips)
        self._planner = Planner(settings, self._bookmarks, run.skips)
        # Without a planner: no window is split for a sample.
        self._fetcher = Fetcher(run)
        self._sids = [str(account["sid"]) for account in found.parents]
        self._opened = {
            str(account["sid"]): parse_moment(account[CREATED], settings.now)
            for account in found.records
            if account.get(CREATED)
        }
        # Whether usage records may be summed over subaccounts.
        self._is_everybody = (
            len(found.records) == len(found.parents)
            and settings.include_subaccounts
            and not settings.accounts
        )

    def __call__(self) -> Forecast:
        """Ask a little of each stream, and say what is to be expected.

        What could not be asked counts as a failure of the run.
        """
        run, skips = self._run, self._run.skips
        before = run.progress.requests.total()
        streams = self._streams()
        in_use = [sid for sid in self._sids if not skips.is_shut(sid)]
        forecast = Forecast(
            credentials=self._credentials(streams),
            accounts=len(in_use),
            left_out=[sid for sid in self._sids if skips.is_shut(sid)],
            unsigned=[sid for sid in in_use if skips.credentials.sign("", sid) is None],
            ahead=run.clock.ahead,
            start="" if run.settings.start is None else iso(run.settings.start),
            concurrency=run.settings.max_concurrent_requests,
            answers=[seconds for one in streams for seconds in one.seconds],
            asked=run.progress.requests.total() - before,
        )
        if self._root.is_selected:
            forecast.figures[self._root.name] = Figure(len(self._found.records))
        for one in streams:
            self._tell(one, forecast)
        self._time(streams, forecast)
        return forecast

    # --- All streams ---------------------------------------------------------------------------

    def _streams(self) -> list[Findings]:
        """Look at all streams: at those of accounts, then at those below their rows, and so on."""
        run = self._run
        left = max(MOST, len(self._root.descendants))
        accounts: list[tuple[dict[str, Any], Record]] = [({}, row) for row in self._found.parents]
        above = {self._root: Findings(self._root, Figure(len(accounts)), accounts)}
        level, deeper = self._root.children, len(self._root.descendants)
        looked: list[Findings] = []
        while level:
            deeper -= len(level)
            each = max(1, min(MOST_EACH, (left - deeper) // len(level)))
            findings = [Findings(node, left=each) for node in level]
            look = partial(self._look, above)
            before = run.progress.requests.total()
            with ThreadPoolExecutor(min(IN_FLIGHT, run.settings.max_concurrent_requests)) as pool:
                # Whatever goes wrong beyond what is expected is raised here.
                list(pool.map(look, findings))
            left -= run.progress.requests.total() - before
            looked += findings
            above = {one.node: one for one in findings}
            level = [child for node in level for child in node.children]
        return looked

    def _tell(self, one: Findings, forecast: Forecast) -> None:
        """Put what was found out about a stream into the forecast, and into the log."""
        node, skips = one.node, self._run.skips
        for account, error in one.errors:
            if isinstance(error, RefusedError):
                skips.skip(node, account, str(error))
                whose = "" if account == self._run.settings.account_sid else f" of {account}"
                refused = forecast.refused.setdefault(node.resource.product, set())
                refused.add(f"{node.name}{whose}")
            else:
                skips.fail(node, account, error)
                forecast.failed.add(node.name)
        if one.seconds:
            forecast.readable.add(node.resource.product)
        if one.figure is not None:
            # Rows of a parent are read for its children's sake, and not written.
            rows = one.figure.rows if node.is_selected else 0.0
            forecast.figures[node.name] = replace(one.figure, rows=rows)

    def _time(self, streams: Iterable[Findings], forecast: Forecast) -> None:
        """Foretell how long the run takes: a page of many rows takes longer than one of few."""
        total, together, in_a_row = forecast.total, 0.0, 0.0
        for one in streams:
            if one.figure is not None:
                latency = statistics.median(one.seconds) if one.seconds else forecast.latency
                together += one.figure.requests * latency
                in_a_row = max(in_a_row, one.in_a_row * latency)
        terms = Terms(
            latency=together / total.requests if total.requests else forecast.latency,
            concurrency=forecast.concurrency,
            accounts=max(1, forecast.accounts),
        )
        forecast.seconds = cost_of(total.requests, total.rows, terms, waiting=in_a_row).seconds

    def _credentials(self, streams: Iterable[Findings]) -> str:
        """Tell what kind the credentials are, by whether Twilio lists accounts for them."""
        settings, refusal = self._run.settings, self._found.refusal
        user = str(settings.signature.username)
        if user == settings.account_sid:
            return f"auth token of {user}"
        if isinstance(settings.signature, App):
            return f"OAuth app {user} of {settings.account_sid}"
        refusals = [refusal, *(error for one in streams for _, error in one.errors)]
        lacks_permission = any(
            isinstance(one, RefusedError) and one.code == PERMISSION_DENIED for one in refusals
        )
        kind = "restricted" if lacks_permission else "main" if refusal is None else "standard"
        return f"{kind} API key {user} of {settings.account_sid}"

    # --- One stream ----------------------------------------------------------------------------

    def _look(self, above: dict[Node, Findings], found: Findings) -> None:
        """Find out what reading a stream takes, by a few lists of it."""
        node = found.node
        parent = above[node.parent] if node.parent is not None else None
        if parent is None or parent.figure is None:
            return
        contexts = [
            below
            for context, record in parent.parents
            if node.resource.exists_for(record)
            and (below := node.context_below(record, context)) is not None
            and self._run.skips.may_read(node, node.account_of(below))
        ]
        if not contexts:
            # Nobody has such rows, or may read them, as far as was seen.
            found.figure = Figure(surety=parent.figure.surety)
        elif node.resource.exported is not None:
            # Only its files tell how many rows a day has.
            found.figure = Figure(requests=FILE * parent.figure.rows, surety=Surety.AT_LEAST)
        elif node.is_accounts_own:
            self._look_at_accounts(found, contexts)
        else:
            self._look_below(found, parent, parent.figure, contexts)

    def _look_at_accounts(self, found: Findings, contexts: Sequence[dict[str, Any]]) -> None:
        """Look at the configured account, which comes first, and at a few others."""
        node, (main, *others) = found.node, contexts
        numbers = range(len(self._planner.chain_params(node)))
        counted = self._billed(found, main, is_one=not others)
        # Usage records tell what further pages and other accounts would.
        spare = found.left - 1 if counted is not None else min(1, len(others))
        chains = self._list(found, main, numbers, spare)
        first = _whole(chains, len(numbers))
        if chains and counted is not None:
            found.figure = self._shared_out(found, main, first, counted, len(others))
            return
        # The chain that has most of the rows stands for all of them.
        fullest = max(range(len(chains)), key=lambda number: chains[number].rows, default=0)
        seen: list[Figure] = []
        for other in _spread(others, min(2, found.left)):
            if found.left > 0:
                figures = self._list(found, other, numbers[fullest : fullest + 1], 0)
                if len(numbers) > 1 and chains:
                    figures = [_scaled(figure, chains[fullest], first) for figure in figures]
                seen += figures
        if chains and others:
            rest = _mean(seen or [first])
            found.figure = first + rest.times(len(others), seen=len(seen) == len(others))
        elif chains:
            found.figure = first
        elif seen:
            found.figure = _mean(seen).times(len(others), seen=len(seen) == len(others))

    def _shared_out(
        self, found: Findings, main: dict[str, Any], first: Figure, counted: float, others: int
    ) -> Figure:
        """Share rows that usage records count out to accounts, to tell how many requests it takes.

        Args:
            main: The context of the configured account.
            first: What its first page tells.
            others: How many accounts there are besides.
        """
        is_exact = first.surety is Surety.EXACT
        if is_exact and not others:
            return first
        rows = max(counted, first.rows) if is_exact else counted
        own = min(first.rows, rows) if others else rows
        each = (rows - own) / others if others else 0.0
        requests = self._read(found, main, own).requests
        requests += others * self._read(found, main, each).requests
        return Figure(rows, requests, Surety.COUNTED)

    def _look_below(
        self, found: Findings, parent: Findings, whole: Figure, contexts: list[dict[str, Any]]
    ) -> None:
        """Look at the lists of a few parents, as far apart as they are known."""
        node = found.node
        lists = [
            (context | variant, number)
            for context in contexts
            for variant in node.variants
            for number in range(len(self._planner.chain_params(node)))
        ]
        seen = [
            figure
            for context, number in _spread(lists, found.left)
            if found.left > 0
            for figure in self._list(found, context, range(number, number + 1), 0)
        ]
        if not seen:
            return
        # The parents that are known stand for all of them.
        count = len(lists) * whole.rows / len(parent.parents)
        figure = _mean(seen).times(count, seen=len(seen) == count)
        found.figure = replace(figure, surety=max(figure.surety, whole.surety))

    def _list(
        self, found: Findings, context: dict[str, Any], chains: Iterable[int], spare: int
    ) -> list[Figure]:
        """Look at the chains of one list, as many as it may; at none if it can't be read.

        Args:
            spare: Requests to leave for what is asked later.
        """
        figures: list[Figure] = []
        left = list(chains)
        while left and (not figures or found.left > spare):
            number = left.pop(0)
            try:
                figures.append(self._chain(found, context, number, spare + len(left)))
            except AbsentError:
                figures.append(Figure(requests=1))
            except TapError as error:
                found.errors.append((found.node.account_of(context), error))
                return []
        return figures

    def _chain(self, found: Findings, context: dict[str, Any], number: int, spare: int) -> Figure:
        """Look at one chain of a list: at its first page, and by dates at others."""
        node = found.node
        dates, settings = node.resource.window, self._run.settings
        params = self._planner.chain_params(node)[number] | {
            name: str(context[sid]) for name, sid in node.resource.context_params.items()
        }
        if dates is None:
            params = params | span_params(node.resource, settings)
            fetched = self._ask(found, Request(node, context, Place((0,)), params))
            rows, surety = self._all_rows(fetched)
        else:
            whole = self._bookmarks.range(node, node.account_of(context))
            if whole is None:
                return Figure()
            request = Request(node, context, Place((0,)), params)
            end = whole.end or settings.now
            start = min(max(whole.start, self._opened_at(node, context)), end - SECOND)
            # Without a lower bound, rows without a date come too.
            fetched, page = self._page(found, request, whole)
            found.parts = max(found.parts, self._parts(node, context, page))
            pages = [page]
            while found.left > spare and (moment := next_moment(pages, start, end)) is not None:
                pages.append(self._page(found, request, Window(start, moment))[1])
            rows, surety = rows_between(pages, start), Surety.SAMPLED
            if page.is_last and page.start <= start:
                is_all = whole.start <= EPOCH or not self._windows(node, context)[1]
                surety = Surety.EXACT if is_all else Surety.SAMPLED
            elif not page.is_last and page.oldest is None:
                surety = Surety.AT_LEAST
        self._keep_parents(found, fetched)
        most = settings.max_records
        if most is not None and rows >= most:
            return Figure(most, self._read(found, context, 0.0).requests)
        found.page = fetched.page_size or found.page
        return Figure(rows, self._read(found, context, rows).requests, surety)

    # --- Requests ------------------------------------------------------------------------------

    def _ask(self, found: Findings, request: Request) -> Fetched:
        with found.timed():
            return self._fetcher.fetch(request)

    def _page(self, found: Findings, request: Request, window: Window) -> tuple[Fetched, Page]:
        """Ask for the first page of a range, or of its newest part where it is too long."""
        dates, settings = request.node.resource.window, self._run.settings
        end = window.end or settings.now
        if dates is not None:
            if dates.longest is not None:
                start = max(window.start, dates.precision.floor(end - dates.longest))
                window = replace(window, start=start)
            params = {**request.params, **dates.params(window, settings.now)}
            request = replace(request, params=params, window=window)
        fetched = self._ask(found, request)
        rows, moments = dates_of(request.node.resource, fetched.rows)
        is_last = fetched.following is None
        if is_last:
            # More is asked for than the window has: see DateFilter.params. A full page tells how
            # often rows come, by all of its rows.
            low, high = floor_of(window.start), "~" if window.end is None else iso(end)
            within = [moment for moment in moments if low <= moment < high]
            rows, moments = rows - len(moments) + len(within), within
        if not moments:
            return fetched, Page(window.start, end, rows, is_last)
        oldest, newest = (parse_moment(find(moments), settings.now) for find in (min, max))
        return fetched, Page(window.start, end, rows, is_last, oldest, newest)

    def _all_rows(self, fetched: Fetched) -> tuple[float, Surety]:
        """Tell how many rows a list without a date filter has, by its first page."""
        request = fetched.request
        rows, moments = dates_of(replace(request.node.resource, key=CREATED), fetched.rows)
        if fetched.following is None:
            return rows, Surety.EXACT
        opened = self._opened_at(request.node, request.context)
        if not moments or opened <= EPOCH:
            return rows, Surety.AT_LEAST
        now = self._run.settings.now
        oldest, newest = (parse_moment(find(moments), now) for find in (min, max))
        start = min(opened, oldest)
        page = Page(start, max(now, newest), rows, is_last=False, oldest=oldest, newest=newest)
        return rows_between([page], start), Surety.ROUGH

    def _keep_parents(self, found: Findings, fetched: Fetched) -> None:
        node = found.node
        if node.children:
            records = Decoder(node, Rule()).decode(fetched).records
            found.parents += [(dict(fetched.request.context), record) for record in records]

    def _opened_at(self, node: Node, context: Mapping[str, Any]) -> datetime:
        """Give the moment from which on an account has rows, as far as that is known."""
        return self._opened.get(node.account_of(context), EPOCH)

    def _windows(self, node: Node, context: dict[str, Any]) -> tuple[list[Window], list[Request]]:
        """Give the windows of a list, and the searches for rows without a date."""
        windows: list[Window] = []
        searches: list[Request] = []
        for window, requests in self._planner.plan(node, context, Place((0,))):
            if window is not None:
                windows.append(window)
            elif requests[0].search is not None:
                searches = requests
        return windows, searches

    def _parts(self, node: Node, context: dict[str, Any], page: Page) -> int:
        """Tell how many parts a run makes of its newest window, by the same page."""
        dates = node.resource.window
        windows, _ = self._windows(node, context)
        if page.is_last or page.oldest is None or page.newest is None or not windows:
            return 0
        now = self._run.settings.now
        return (
            0
            if dates is None
            else len(dates.split(windows[-1], page.oldest, page.newest, 1.0, now))
        )

    def _read(self, found: Findings, context: dict[str, Any], rows: float) -> Read:
        """Put rows into the model: of one chain of a list."""
        node = found.node
        windows, searches = self._windows(node, context)
        page = found.page or max(1, math.ceil(rows))
        read = Read(
            rows,
            page,
            undated=[
                1.0 if one.search is not None and one.search.is_shared else UNDATED_SHARE
                for one in searches[: len(searches) // len(self._planner.chain_params(node))]
            ],
            chains=max(1, len(windows)),
            splits=node.resource.window is not None,
            parts=found.parts if rows > page else 0,
        )
        found.in_a_row = max(found.in_a_row, read.in_a_row)
        return read

    # --- What usage records tell ---------------------------------------------------------------

    def _billed(self, found: Findings, main: dict[str, Any], *, is_one: bool) -> float | None:
        """Count rows by usage records, of all accounts at once; none if these don't tell."""
        node, settings = found.node, self._run.settings
        account, categories = node.account_of(main), node.resource.billed_as
        whole = self._bookmarks.range(node, account)
        if not categories or len(categories) >= found.left or whole is None:
            return None
        if account != settings.account_sid or not (is_one or self._is_everybody):
            return None
        if settings.filters.get(node.name) or settings.max_records is not None:
            return None
        end = whole.end or settings.now
        start = min(max(whole.start, self._opened_at(node, main)), end - SECOND)
        first, last = Unit.DAY.floor(start), Unit.DAY.floor(end - SECOND)
        params = {
            "IncludeSubaccounts": "false" if is_one else "true",
            "StartDate": f"{first:%Y-%m-%d}",
            "EndDate": f"{last:%Y-%m-%d}",
        }
        try:
            counts = [self._count(found, params | {"Category": one}) for one in categories]
        except (TapError, ValueError):
            return None
        # Days are counted whole.
        return sum(counts) * ((end - start) / (min(settings.now, last + DAY) - first))

    def _count(self, found: Findings, params: dict[str, str]) -> float:
        run, account = self._run, self._run.settings.account_sid
        path = USAGE.format(account_sid=account)
        run.progress.count_request(found.node.name, again=False)
        with found.timed():
            body = run.transport.get(
                run.settings.hosts.url(ROOT_PRODUCT) + path,
                params,
                endpoint=path,
                auth=run.settings.signature,
                limiter=run.limiter(account),
            )
        rows = pagination.decode(pagination.read("uri", body, "usage_records").rows)
        return sum(float(row.get("count") or 0) for row in rows)


def _spread(of: Sequence[Any], count: int) -> list[Any]:
    """Choose some, as far apart as they can be, the first among them."""
    if len(of) <= count:
        return list(of)
    last = max(1, count - 1)
    return [of[index * (len(of) - 1) // last] for index in range(count)]


def _mean(figures: Sequence[Figure]) -> Figure:
    return sum(figures, Figure()).times(1 / len(figures), seen=True)


def _whole(figures: Sequence[Figure], count: int) -> Figure:
    """Tell of all chains by those that were seen."""
    if not figures:
        return Figure()
    return _mean(figures).times(count, seen=len(figures) == count)


def _scaled(chain: Figure, same: Figure, whole: Figure) -> Figure:
    """Tell of a list by one of its chains, as all chains relate to the same one of another list."""
    rows = chain.rows * whole.rows / same.rows if same.rows else chain.rows
    requests = whole.requests - same.requests + chain.requests
    return Figure(rows, requests, max(chain.surety, Surety.SAMPLED))
