"""Run another connector unchanged, with a sandbox in Twilio's place.

    python -P redirect.py BASE_URL COMMAND [ARGUMENT ...]

COMMAND is a console script of the connector's environment, or a file that uses what is installed
there. That code is imported as it was installed; only the transport of `requests`, which all of
them share, is told to connect elsewhere: `https://api.twilio.com/x` becomes `BASE_URL/api/x`.

This file runs in the connector's environment and so needs nothing but `requests`.
"""

from __future__ import annotations

import runpy
import sys
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from requests.adapters import HTTPAdapter

if TYPE_CHECKING:
    from requests import PreparedRequest, Response

HOSTS = ".twilio.com"


def redirect(url: str, base_url: str) -> str:
    """Give the address that stands in for one of Twilio's.

    Args:
        url: An address.
        base_url: Where the sandbox's host labels begin.

    Returns:
        The address in the sandbox, or the address itself if it isn't Twilio's.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    if not host.endswith(HOSTS):
        return url
    label = host[: -len(HOSTS)]
    return base_url + "/" + label + parts.path + ("?" + parts.query if parts.query else "")


def main() -> None:
    """Patch the transport, then hand over to the connector."""
    base_url, command, *arguments = sys.argv[1:]
    send = HTTPAdapter.send

    def send_redirected(
        self: HTTPAdapter, request: PreparedRequest, *args: Any, **kwargs: Any
    ) -> Response:
        request.url = redirect(request.url or "", base_url)
        return send(self, request, *args, **kwargs)

    HTTPAdapter.send = send_redirected  # type: ignore[method-assign]
    sys.argv = [command, *arguments]
    if command.endswith(".py"):
        runpy.run_path(command, run_name="__main__")
        return
    (script,) = entry_points(group="console_scripts", name=command)
    sys.exit(script.load()())


if __name__ == "__main__":
    main()
