"""The recipes of docs/new-products.md read lists of the shapes that these products have."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from harness import config_for, utc_now
from sandbox import Sandbox
from sandbox.endpoints import SCHEMAS

PAGE = Path(__file__).parents[2] / "docs" / "new-products.md"
BLOCKS = re.findall(r"^```json\n(.*?)^```", PAGE.read_text(), re.DOTALL | re.MULTILINE)
RECIPES = [json.loads(f"{{{block}}}")["custom_streams"] for block in BLOCKS]

TIME = {"type": ["string", "null"], "format": "date-time"}
TEXT = {"type": ["string", "null"]}
TOKENS = {"pageSize": {"type": "integer"}, "pageToken": {"type": "string"}}
MOMENT = {"type": "string", "format": "date-time"}
CONVERSATIONS = "/v2/Conversations"

# As Twilio describes them: host, path, array, form of paging, filters by date.
LISTS = {
    "orchestrator_conversations": ("conversations", CONVERSATIONS, "conversations", "token", {}),
    "orchestrator_participants": (
        "conversations",
        f"{CONVERSATIONS}/{{ConversationId}}/Participants",
        "participants",
        "token",
        {},
    ),
    "orchestrator_communications": (
        "conversations",
        f"{CONVERSATIONS}/{{ConversationId}}/Communications",
        "communications",
        "token",
        {},
    ),
    "intelligence_v3_conversations": (
        "intelligence",
        "/v3/Conversations",
        "conversations",
        "token",
        {"createdAtAfter": MOMENT, "createdAtBefore": MOMENT},
    ),
    "intelligence_v3_operator_results": (
        "intelligence",
        "/v3/OperatorResults",
        "operatorResults",
        "token",
        {},
    ),
    "bulk_messages": ("comms", "/v1/Messages", "messages", "cursor", {}),
    "bulk_message_operations": (
        "comms",
        "/v1/Messages/Operations",
        "operations",
        "cursor",
        {},
    ),
}


@pytest.fixture(scope="module")
def twilio(tmp_path_factory):
    folder = tmp_path_factory.mktemp("schemas")
    shutil.copytree(SCHEMAS / "api", folder / "api")
    for name, (host, path, key, paging, filters) in LISTS.items():
        schema = {
            "properties": {"id": {"type": "string"}, "createdAt": TIME, "status": TEXT},
            "x-twilio": {
                "host": host,
                "path": path,
                "data_key": key,
                "paging": paging,
                "page_size": 1000,
                "parameters": TOKENS | filters,
            },
        }
        (folder / host).mkdir(exist_ok=True)
        (folder / host / f"{name}.json").write_text(json.dumps(schema))
    volumes = dict.fromkeys(LISTS, 130) | {"calls": 0, "messages": 0}
    volumes |= {"orchestrator_conversations": 3, "orchestrator_participants": 5}
    with Sandbox(now=utc_now(), schemas=folder, volumes=volumes, days=5, subaccounts=1) as twilio:
        yield twilio


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe[0]["name"])
def test_each_list_is_read_to_its_last_page(run, twilio, recipe):
    twilio.requests.reset()
    config = config_for(twilio, custom_streams=recipe)

    output = run(config, streams=None, catalog=catalog(run, config, recipe))

    assert output.exit_code == 0, output.log
    for stream in recipe:
        host, path, *_ = LISTS[stream["name"]]
        want = {
            (account.sid, row["id"])
            for account in twilio.accounts
            for row in twilio.truth(host, path, account_sid=account.sid)
        }
        got = [(row["account_sid"], row["id"]) for row in output.records(stream["name"])]
        assert len({sid for sid, _ in got}) == len(twilio.accounts)
        assert sorted(got) == sorted(want)
    assert any("pageToken" in dict(one.query) for one in twilio.requests)


def catalog(run, config, recipe):
    path = run.folder / "discover.json"
    path.write_text(json.dumps(config))
    found = run.raw("--config", str(path), "--discover").messages[0]
    names = {stream["name"] for stream in recipe}
    for entry in found["streams"]:
        for one in entry["metadata"]:
            if one["breadcrumb"] == []:
                one["metadata"]["selected"] = entry["tap_stream_id"] in names
    return found


def test_all_recipes_are_here():
    names = [stream["name"] for recipe in RECIPES for stream in recipe]

    assert sorted(names) == sorted(LISTS)
