"""A headless Chromium or Chrome that opens a page, and says how it looks there."""

from __future__ import annotations

import asyncio
import base64
import re
import shutil
import subprocess
import sys
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import aiohttp

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path
    from typing import Self

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--remote-debugging-port=0",
)
PHONE = 600  # narrower than this


def executable() -> str | None:
    """Find a browser, as people have it on their path."""
    return next(filter(None, map(shutil.which, NAMES)), None)


@dataclass
class Look:
    """How a page looks at one width.

    Attributes:
        value: What the script said.
        asked_for: All addresses that the page asked for.
        complaints: What the browser logged.
        picture: The window's content, as PNG.
    """

    value: Any = None
    asked_for: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    picture: bytes = b""


class Browser:
    """A browser, while used as a context manager."""

    def __init__(self, program: str, profile: Path) -> None:
        self._process = subprocess.Popen(
            [program, *OPTIONS, f"--user-data-dir={profile}", "about:blank"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        said = iter(self._process.stderr.readline, "")
        address = next(filter(None, (re.search(r"ws://([^/]+)/", line) for line in said)))
        self._address = f"http://{address[1]}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.communicate(timeout=30)

    def look(
        self,
        page: Path | str,
        script: str = "0",
        *,
        width: int,
        height: int = 900,
        dark: bool = False,
    ) -> Look:
        """Open a page and run a script in it.

        Args:
            page: The file, or its address.
            script: A JavaScript expression; a promise is waited for.
            width: The window's width in CSS pixels; a narrow one is a phone's.
            height: The window's height.
            dark: Whether the user likes dark pages.

        Returns:
            How it looks.
        """
        address = page if isinstance(page, str) else page.as_uri()
        return asyncio.run(self._look(address, script, width, height, dark))

    async def _look(self, address: str, script: str, width: int, height: int, dark: bool) -> Look:  # noqa: FBT001
        look = Look()
        async with self._tab(look) as call:
            for domain in ("Page", "Network", "Log"):
                await call(f"{domain}.enable")
            await call(
                "Emulation.setDeviceMetricsOverride",
                width=width,
                height=height,
                deviceScaleFactor=1,
                mobile=width < PHONE,
            )
            scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
            await call("Emulation.setEmulatedMedia", features=[scheme])
            await call("Page.navigate", url=address)
            loaded = (
                "new Promise(done => document.readyState == 'complete' ? done() : onload = done)"
            )
            await call("Runtime.evaluate", expression=loaded, awaitPromise=True)
            answer = await call(
                "Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True
            )
            assert "exceptionDetails" not in answer, answer
            look.value = answer["result"].get("value")
            picture = await call("Page.captureScreenshot")
            look.picture = base64.b64decode(picture["data"])
        return look

    @asynccontextmanager
    async def _tab(self, look: Look) -> AsyncIterator[Any]:
        async with aiohttp.ClientSession(self._address) as session:
            tab = await (await session.put("/json/new")).json()
            async with session.ws_connect(tab["webSocketDebuggerUrl"], max_msg_size=0) as socket:
                calls = 0

                async def call(method: str, **parameters: object) -> dict[str, Any]:
                    nonlocal calls
                    calls += 1
                    await socket.send_json({"id": calls, "method": method, "params": parameters})
                    while True:
                        message = await socket.receive_json(timeout=60)
                        if message.get("id") == calls:
                            assert "error" not in message, message
                            return message["result"]
                        _note(look, message)

                yield call
            await session.get(f"/json/close/{tab['id']}")


def _note(look: Look, message: dict[str, Any]) -> None:
    if message["method"] == "Network.requestWillBeSent":
        look.asked_for.append(message["params"]["request"]["url"])
    elif message["method"] == "Log.entryAdded":
        look.complaints.append(message["params"]["entry"]["text"])


def main() -> None:
    """Take a picture: python -m tests.doors.browser PAGE PICTURE WIDTH HEIGHT."""
    from pathlib import Path  # noqa: PLC0415
    from tempfile import TemporaryDirectory  # noqa: PLC0415

    page, picture, width, height = sys.argv[1:]
    with TemporaryDirectory() as profile, Browser(executable() or NAMES[0], Path(profile)) as one:
        look = one.look(Path(page).resolve(), width=int(width), height=int(height))
    Path(picture).write_bytes(look.picture)


if __name__ == "__main__":
    main()
