"""A sandbox with the repository's schemas, and a few more that show every form of paging."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from sandbox import Sandbox
from sandbox.endpoints import SCHEMAS
from tests.project.sandbox.client import Client

if TYPE_CHECKING:
    from pathlib import Path

_TIME = {"type": ["string", "null"], "format": "date-time"}
_TEXT = {"type": ["string", "null"]}


def _schema(  # noqa: PLR0913, PLR0917 - a schema file has so many parts
    host: str,
    path: str,
    data_key: str | None,
    paging: str,
    fields: dict[str, Any],
    parameters: dict[str, Any] | None = None,
    page_size: int | None = 1000,
) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": fields,
        "x-twilio": {
            "host": host,
            "path": path,
            "data_key": data_key,
            "paging": paging,
            "page_size": page_size,
            "parameters": parameters or {},
        },
    }


def _sid(prefix: str) -> dict[str, Any]:
    return {"type": "string", "x-twilio-sid": prefix}


_DATES = {"type": "string", "format": "date-time"}
EXTRA = {
    "video/rooms": _schema(
        "video",
        "/v1/Rooms",
        "rooms",
        "meta",
        {
            "sid": _sid("RM"),
            "date_created": _TIME,
            "status": _TEXT | {"x-twilio-enum": ["in-progress", "completed", "failed"]},
        },
        {"Status": {"type": "string", "enum": ["in-progress", "completed", "failed"]}},
    ),
    "video/participants": _schema(
        "video",
        "/v1/Rooms/{RoomSid}/Participants",
        "participants",
        "meta",
        {"sid": _sid("PA"), "room_sid": _sid("RM"), "start_time": _TIME, "identity": _TEXT},
    ),
    "numbers/port_ins": _schema(
        "numbers",
        "/v1/Porting/PortIn/PortInRequests",
        "port_in_requests",
        "token",
        {"port_in_request_sid": _sid("KW"), "account_sid": _sid("AC")},
        {"Size": {"type": "integer"}, "Token": {"type": "string"}},
        page_size=100,
    ),
    "numbers/short_codes": _schema(
        "numbers",
        "/v2/ShortCodes/Applications",
        "results",
        "page_number",
        {"sid": _sid("AP"), "date_created": _TIME},
        page_size=50,
    ),
    "organizations/users": _schema(
        "preview-iam",
        "/Organizations/{OrganizationSid}/scim/Users",
        "Resources",
        "scim",
        {"id": _TEXT, "userName": _TEXT},
    ),
    "insights/call_summaries": _schema(
        "insights",
        "/v1/Voice/Summaries",
        "call_summaries",
        "meta",
        {"call_sid": _sid("CA"), "start_time": _TIME, "created_time": _TIME, "end_time": _TIME},
        {"StartTime": {"type": "string"}, "EndTime": {"type": "string"}},
    ),
    "taskrouter/workspaces": _schema(
        "taskrouter", "/v1/Workspaces", "workspaces", "meta", {"sid": _sid("WS")}
    ),
    "taskrouter/events": _schema(
        "taskrouter",
        "/v1/Workspaces/{WorkspaceSid}/Events",
        "events",
        "meta",
        {"sid": _sid("EV"), "workspace_sid": _sid("WS"), "event_date": _TIME},
        {"StartDate": _DATES, "EndDate": _DATES, "Minutes": {"type": "integer"}},
    ),
    "studio/executions": _schema(
        "studio",
        "/v2/Executions",
        "executions",
        "meta",
        {"sid": _sid("FN"), "date_created": _TIME},
        {"DateCreatedFrom": _DATES, "DateCreatedTo": _DATES},
    ),
    "iam/keys": _schema(
        "iam", "/v1/Keys", "keys", "meta", {"sid": _sid("SK")}, {"AccountSid": {"type": "string"}}
    ),
}


@pytest.fixture(scope="session")
def schemas(tmp_path_factory):
    folder: Path = tmp_path_factory.mktemp("schemas")
    shutil.copytree(SCHEMAS, folder, dirs_exist_ok=True)
    for product in EXTRA:
        (folder / product).parent.mkdir(exist_ok=True)
    for extra in EXTRA.values():
        place = (extra["x-twilio"]["host"], extra["x-twilio"]["path"])
        for file in folder.glob("*/*.json"):
            described = json.loads(file.read_text())["x-twilio"]
            if (described["host"], described["path"]) == place:
                file.unlink()
    for name, extra in EXTRA.items():
        (folder / f"{name}.json").write_text(json.dumps(extra))
    return folder


@pytest.fixture(scope="session")
def shared(schemas):
    volumes = {"calls": 400, "messages": 400, "alerts": 120}
    with Sandbox(schemas=schemas, volumes=volumes, subaccounts=2) as twilio:
        yield twilio


@pytest.fixture(scope="session")
def client(shared):
    return Client(shared)


@pytest.fixture
def fresh(schemas):
    with Sandbox(schemas=schemas, volumes={"calls": 120, "messages": 120}) as twilio:
        yield twilio
