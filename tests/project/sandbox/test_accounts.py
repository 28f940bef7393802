"""Who may read what."""

from __future__ import annotations

from datetime import timedelta

import pytest
import requests

from tests.project.sandbox.client import ACCOUNT, CALLS, MESSAGES, Client

ACCOUNTS = "/2010-04-01/Accounts.json"


def refusal(answer):
    return answer.status_code, answer.json()["code"]


def test_wrong_credentials_are_refused_with_twilios_body(shared):
    answer = Client(shared, (shared.account_sid, "wrong")).get("api", ACCOUNTS)
    assert answer.status_code == 401
    assert answer.json() == {
        "code": 20003,
        "message": "Authenticate",
        "more_info": "https://www.twilio.com/docs/errors/20003",
        "status": 401,
    }


def test_parent_sees_all_accounts_with_tokens_and_a_subaccount_only_itself(shared, client):
    rows = client.rows("api", ACCOUNTS)
    assert {row["sid"]: row["auth_token"] for row in rows} == {
        account.sid: account.auth_token for account in shared.accounts
    }
    assert {row["owner_account_sid"] for row in rows} == {shared.account_sid}
    child = shared.accounts[1]
    assert [
        row["sid"] for row in Client(shared, (child.sid, child.auth_token)).rows("api", ACCOUNTS)
    ] == [child.sid]


def test_main_key_reads_accounts_without_their_tokens(shared):
    key = shared.main_key
    rows = Client(shared, (key.sid, key.secret)).rows("api", ACCOUNTS)
    assert len(rows) == 3
    assert {row["auth_token"] for row in rows} == {""}


@pytest.mark.parametrize(
    ("host", "path", "status"),
    [
        ("api", ACCOUNTS, 401),
        ("api", f"{ACCOUNT}.json", 401),
        ("api", f"{ACCOUNT}/Keys.json", 401),
        ("iam", "/v1/Keys", 401),
        ("api", CALLS, 200),
        ("monitor", "/v1/Alerts", 200),
    ],
)
def test_standard_key_reads_everything_but_accounts_and_keys(shared, host, path, status):
    key = shared.standard_key
    answer = Client(shared, (key.sid, key.secret)).get(host, path)
    assert answer.status_code == status
    if status == 401:
        assert answer.json()["code"] == 20003


def test_restricted_key_reads_what_it_is_allowed(shared):
    key = shared.restricted_key
    client = Client(shared, (key.sid, key.secret))
    assert client.get("api", CALLS).status_code == 200
    assert client.get("monitor", "/v1/Alerts").status_code == 200
    assert refusal(client.get("api", f"{ACCOUNT}/Recordings.json")) == (403, 70051)
    assert refusal(client.get("video", "/v1/Rooms")) == (403, 70051)


def test_parent_reads_a_subaccount_by_the_path_on_the_2010_api(shared, client):
    child = shared.accounts[1]
    rows = client.get("api", CALLS, child.sid, PageSize=1000).json()["calls"]
    assert rows == shared.truth("api", CALLS, child.sid)
    assert {row["account_sid"] for row in rows} == {child.sid}


def test_subaccount_reads_neither_its_parent_nor_its_sibling(shared):
    child = shared.accounts[1]
    client = Client(shared, (child.sid, child.auth_token))
    assert client.get("api", CALLS, child.sid).status_code == 200
    for other in (shared.accounts[0], shared.accounts[2]):
        assert refusal(client.get("api", CALLS, other.sid)) == (401, 20003)


def test_elsewhere_the_credential_alone_decides(shared, client):
    child = shared.accounts[1]
    own = Client(shared, (child.sid, child.auth_token)).rows("monitor", "/v1/Alerts")
    assert {row["account_sid"] for row in own} == {child.sid}
    parents = client.rows("monitor", "/v1/Alerts", {"AccountSid": child.sid})
    assert {row["account_sid"] for row in parents} == {shared.account_sid}


def test_unknown_account_is_not_found(client):
    assert refusal(client.get("api", CALLS, "AC" + "0" * 32)) == (404, 20404)


def test_suspended_and_closed_accounts(fresh):
    child = fresh.accounts[1]
    parent, own = Client(fresh), Client(fresh, (child.sid, child.auth_token))
    fresh.set_status(child.sid, "suspended")
    assert refusal(own.get("monitor", "/v1/Alerts")) == (403, 20403)
    assert refusal(parent.get("api", MESSAGES, child.sid)) == (403, 20403)
    fresh.set_status(child.sid, "closed")
    assert refusal(own.get("monitor", "/v1/Alerts")) == (401, 20003)
    assert refusal(parent.get("api", MESSAGES, child.sid)) == (401, 20003)
    rows = {row["sid"]: row["status"] for row in parent.rows("api", ACCOUNTS)}
    assert rows == {fresh.account_sid: "active", child.sid: "closed"}
    assert parent.rows("api", ACCOUNTS, {"Status": "closed"})[0]["sid"] == child.sid


def test_test_credentials_read_nothing(shared):
    assert refusal(Client(shared, shared.test_auth).get("api", MESSAGES)) == (403, 20008)


def token_of(twilio, secret=None, **query):
    app = {"client_id": twilio.app.client_id, "client_secret": secret or twilio.app.secret}
    return requests.post(
        f"{twilio.base_url}/oauth/v2/token",
        params=query,
        data={"grant_type": "client_credentials", **app},
        timeout=10,
    )


def bearing(twilio, token):
    client = Client(twilio)
    client.session.auth = None
    client.session.headers["Authorization"] = f"Bearer {token}"
    return client


def test_an_app_gets_tokens_that_end(fresh):
    answer = token_of(fresh)
    assert answer.status_code == 200
    assert (answer.json()["token_type"], answer.json()["expires_in"]) == ("Bearer", 3600)
    client = bearing(fresh, answer.json()["access_token"])
    assert client.get("api", CALLS).status_code == 200
    assert client.get("api", CALLS, fresh.accounts[1].sid).status_code == 200
    assert {row["account_sid"] for row in client.rows("monitor", "/v1/Alerts")} == {
        fresh.account_sid
    }
    assert not any(row.get("auth_token") for row in client.rows("api", ACCOUNTS))
    fresh.advance(timedelta(seconds=3600))
    assert refusal(client.get("api", CALLS)) == (401, 20003)


def test_a_token_on_behalf_of_a_subaccount_is_good_for_that_alone(fresh):
    child = fresh.accounts[1]
    client = bearing(fresh, token_of(fresh, account_sid=child.sid).json()["access_token"])
    assert {row["account_sid"] for row in client.rows("monitor", "/v1/Alerts")} == {child.sid}
    assert refusal(client.get("api", CALLS)) == (401, 20003)


def test_nobody_else_gets_a_token(fresh):
    assert refusal(token_of(fresh, secret="wrong")) == (401, 20003)
    assert refusal(token_of(fresh, account_sid="AC" + "0" * 32)) == (401, 20003)
    asked = requests.post(f"{fresh.base_url}/oauth/v2/token", data={}, timeout=10)
    assert refusal(asked) == (400, 20001)
    assert refusal(bearing(fresh, "made-up").get("api", CALLS)) == (401, 20003)


def test_secrets_name_all_there_are(shared):
    assert {shared.auth_token, shared.main_key.secret, shared.accounts[2].auth_token} < set(
        shared.secrets
    )
