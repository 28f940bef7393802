"""Where the rows come from: a simulated Twilio in a process of its own, or a real account."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar

import requests

from demo.errors import DemoError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import Self

CREDENTIALS = ("ACCOUNT_SID", "AUTH_TOKEN", "API_KEY_SID", "API_KEY_SECRET")
TIMEOUT = 30

_ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+")
_ACCOUNT = re.compile(r"\b(AC[0-9a-f]{32}) ([0-9a-f]{32})\b")


class RealAccount:
    """The account whose credentials are in the environment.

    Attributes:
        config: The tap's settings, as far as the environment doesn't have them.
        options: What tells the tap to look there.
        name: Whose rows these are, in short.
    """

    # A week is enough for a first look, and soon read; TAP_TWILIO_START_DATE may say otherwise.
    config: ClassVar[dict[str, Any]] = (
        {} if "TAP_TWILIO_START_DATE" in os.environ else {"start_date": "P7D"}
    )
    options = ("--config=ENV",)
    name = "Your Twilio account"

    @staticmethod
    def is_meant() -> bool:
        """Tell whether the environment has credentials, or a part of them."""
        return any(os.environ.get(f"TAP_TWILIO_{name}") for name in CREDENTIALS)

    def __str__(self) -> str:
        """Say whose rows these are."""
        return f"{self.name}: its default streams, the last 7 days"


class SimulatedAccount:
    """A simulated Twilio with a main account and two subaccounts.

    Attributes:
        options: Further options for the tap: none.
        name: Whose rows these are, in short.
        base_url: Where it listens.
        accounts: SID and auth token of each account, the main one first.
    """

    options = ()
    name = "A simulated Twilio"
    days = 45
    volumes: ClassVar[dict[str, int]] = {"calls": 3000, "messages": 4000}

    def __init__(self, log: Path) -> None:
        """Start it, and wait until it answers.

        Args:
            log: Where its errors go.

        Raises:
            DemoError: It doesn't start.
        """
        with log.open("w") as errors:
            self._process = subprocess.Popen(  # noqa: S603 - this very Python, our own arguments
                [
                    *(sys.executable, "-m", "sandbox", "--port=0", "--seed=7", "--subaccounts=2"),
                    # The tap looks at the real clock, so history must end now.
                    f"--now={datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
                    f"--days={self.days}",
                    *(f"--{stream}={rows}" for stream, rows in self.volumes.items()),
                ],
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
        greeting = "".join(self._greeting())
        address = _ADDRESS.search(greeting)
        self.accounts: list[tuple[str, str]] = _ACCOUNT.findall(greeting)
        if address is None or not self.accounts:
            self.stop()
            msg = f"The simulated Twilio didn't start; {log} may tell why"
            raise DemoError(msg)
        self.base_url = address.group()

    def _greeting(self) -> Iterator[str]:
        assert self._process.stdout is not None  # noqa: S101 - see above
        for line in self._process.stdout:
            if line.startswith("Try:"):
                return
            yield line

    def __enter__(self) -> Self:
        """Go on; it's already there."""
        return self

    def __exit__(self, *_: object) -> None:
        """Stop it."""
        self.stop()

    def stop(self) -> None:
        """End the process."""
        self._process.terminate()
        self._process.wait()

    @property
    def config(self) -> dict[str, Any]:
        """The tap's settings."""
        account_sid, auth_token = self.accounts[0]
        return {"account_sid": account_sid, "auth_token": auth_token, "base_url": self.base_url}

    def __str__(self) -> str:
        """Say whose rows these are."""
        return (
            f"{self.name} at {self.base_url}: {len(self.accounts)} accounts, "
            f"{self.days} days of history"
        )

    def pass_time(self, hours: int) -> None:
        """Move its clock: rows come, and recent ones change.

        Args:
            hours: By how much.
        """
        self._get(f"{self.base_url}/_sandbox/advance", params={"seconds": hours * 3600})

    def means(self) -> dict[str, Any]:
        """Tell who can send: ``{"senders": […], "services": {SID: senders}}``."""
        found: dict[str, Any] = self._get(f"{self.base_url}/_sandbox/means").json()
        return found

    def opt_out(self, number: str) -> None:
        """Have somebody answer STOP."""
        self._get(f"{self.base_url}/_sandbox/opt_out", params={"number": number})

    def held(self) -> list[dict[str, Any]]:
        """Give the messages that were sent here, as they came: ``sid``, ``parameters``, …."""
        found: list[dict[str, Any]] = self._get(f"{self.base_url}/_sandbox/held").json()
        return found

    def rows(
        self, path: str, data_key: str, *, main_only: bool = False
    ) -> Iterator[dict[str, Any]]:
        """Read a list page by page, in the plainest way, to check the tap's work against.

        Args:
            path: The list's path below an account.
            data_key: Where its pages keep the rows.
            main_only: Whether to ask for the main account's alone.

        Yields:
            The rows, as they are now.
        """
        for account_sid, auth_token in self.accounts[: 1 if main_only else None]:
            page: str | None = f"/2010-04-01/Accounts/{account_sid}/{path}"
            while page is not None:
                url = f"{self.base_url}/api{page}"
                body = self._get(url, auth=(account_sid, auth_token)).json()
                yield from body[data_key]
                page = body["next_page_uri"]

    def _get(self, url: str, **options: Any) -> requests.Response:
        try:
            response = requests.get(url, timeout=TIMEOUT, **options)
            response.raise_for_status()
        except requests.RequestException as error:
            msg = f"The simulated Twilio doesn't answer: {error}"
            raise DemoError(msg) from None
        return response
