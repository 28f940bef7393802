"""A plain client of the sandbox, which follows links as Twilio's own do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import requests

if TYPE_CHECKING:
    from sandbox import Sandbox

ACCOUNT = "/2010-04-01/Accounts/{AccountSid}"
CALLS = f"{ACCOUNT}/Calls.json"
MESSAGES = f"{ACCOUNT}/Messages.json"
RECORDINGS = f"{ACCOUNT}/Recordings.json"
CONFERENCES = f"{ACCOUNT}/Conferences.json"


class Client:
    """Asks a sandbox as `requests` would, and walks its lists as Twilio's clients do."""

    def __init__(self, twilio: Sandbox, auth: tuple[str, str] | None = None) -> None:
        self.twilio = twilio
        self.session = requests.Session()
        self.session.auth = auth or twilio.auth

    def get(self, host: str, path: str, account: str | None = None, **params: Any):
        place = path.replace("{AccountSid}", account or self.twilio.account_sid)
        return self.session.get(
            f"{self.twilio.base_url}/{host}{place}", params=params, allow_redirects=False
        )

    def ask(self, host: str, path: str, params: dict[str, Any], account: str | None = None):
        return self.get(host, path, account, **params)

    def pages(self, host: str, path: str, params: dict[str, Any] | None = None):
        body = self.get(host, path, **(params or {})).json()
        while True:
            yield body
            if "meta" in body:
                link = body["meta"]["next_page_url"]
                link = link and link.replace("https://", "").replace(".twilio.com", "", 1)
            else:
                link = body["next_page_uri"] and f"{host}{body['next_page_uri']}"
            if not link:
                return
            answer = self.session.get(f"{self.twilio.base_url}/{link}")
            body = answer.json()
            assert answer.status_code == 200, body

    def rows(self, host: str, path: str, params: dict[str, Any] | None = None):
        found = []
        for page in self.pages(host, path, params):
            key = (
                page["meta"]["key"]
                if "meta" in page
                else next(name for name, value in page.items() if isinstance(value, list))
            )
            found += page[key]
        return found
