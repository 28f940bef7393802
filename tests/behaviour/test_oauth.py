"""Signing in as an OAuth app: tokens are fetched, shared, renewed, and never shown."""

from __future__ import annotations

import time
from collections import Counter
from datetime import timedelta
from itertools import count

import pytest

from harness import assert_complete, config_for
from harness.target import TargetRunner, number, records
from sandbox import faults
from tap_twilio.http import oauth
from tests.behaviour.test_secrets import assert_silent, say_everything

V1 = ["verify_services", "alerts"]


def app_config(twilio, **settings):
    app = {"client_id": twilio.app.client_id, "client_secret": twilio.app.secret}
    config = config_for(twilio, **app, **settings)
    del config["auth_token"]
    return config


def asked(twilio):
    """Tokens asked for, by account."""
    return Counter(one.account for one in twilio.requests if one.product == "oauth")


def third(action):
    """Do something once, at the third request that matches."""
    requests = count(1)
    return lambda _: next(requests) == 3 and action()


@pytest.fixture
def twilio(sandbox):
    return sandbox(volumes={"calls": 90, "messages": 60}, subaccounts=1)


def test_all_accounts_are_read_with_a_token_each(run, twilio):
    output = run(app_config(twilio, page_size=20), streams=["accounts", "calls", "messages", *V1])

    assert output.exit_code == 0
    assert_complete(output, twilio, "calls", "messages", *V1)
    for name in V1:
        assert {row["account_sid"] for row in output.records(name)} == {
            account.sid for account in twilio.accounts
        }
    # Nothing but tokens is asked for by POST, and those only at their own host.
    assert asked(twilio) == dict.fromkeys([account.sid for account in twilio.accounts], 1)
    assert {(one.product, one.path) for one in twilio.requests if one.method != "GET"} == {
        ("oauth", "/v2/token")
    }
    assert not [secret for secret in twilio.secrets if secret in output.log]


def test_a_token_is_renewed_before_it_ends(run, twilio, monkeypatch):
    passed = [0.0]
    monkeypatch.setattr(
        oauth.Tokens.__init__, "__defaults__", (lambda: time.monotonic() + passed[0],)
    )
    twilio.app.lifetime = 600

    def later(_):
        # As long as tokens are used: their margin is left.
        passed[0] += 200
        twilio.advance(timedelta(seconds=200))
        return True

    twilio.plan(faults.delay(0), "/Calls.json", when=later)

    output = run(app_config(twilio, page_size=20, max_concurrent_requests=1), streams=["calls"])

    assert output.exit_code == 0
    assert_complete(output, twilio, "calls")
    assert asked(twilio)[twilio.account_sid] > 2
    assert 401 not in twilio.requests.statuses


def test_one_that_ended_all_the_same_is_replaced(run, twilio):
    twilio.plan(faults.delay(0), "/Calls.json", when=third(twilio.desk.revoke))

    output = run(app_config(twilio, page_size=20), streams=["calls"])

    assert output.exit_code == 0
    assert_complete(output, twilio, "calls")
    assert asked(twilio)[twilio.account_sid] == 2
    assert "waiting" not in output.log


def test_trouble_with_tokens_is_waited_out(run, twilio):
    plan = twilio.plan(faults.answer(503, 20503, "Service unavailable"), "oauth/v2/token", times=2)

    output = run(app_config(twilio), streams=["calls", *V1])

    assert plan.hits == 2
    assert output.exit_code == 0
    assert_complete(output, twilio, "calls", *V1)


def test_wrong_client_credentials_are_one_sentence(run, twilio):
    config = app_config(twilio) | {"client_secret": "wrong-secret-wrong"}

    output = run(config, streams=["calls"])

    assert output.exit_code == 1
    (error,) = [line for line in output.log.splitlines() if "refused to sign in" in line]
    assert f"sign in {twilio.app.client_id} for account {twilio.account_sid}" in error
    assert "Check account_sid, client_id and client_secret" in error
    assert "wrong-secret" not in output.log
    assert twilio.requests.products.keys() == {"oauth"}
    assert twilio.requests.total <= 2


def test_an_app_that_is_deleted_meanwhile_fails_the_run(run, twilio):
    def delete():
        twilio.desk.apps.clear()
        twilio.desk.revoke()

    twilio.plan(faults.delay(0), "/Calls.json", when=third(delete))

    output = run(app_config(twilio, page_size=20), streams=["calls", "alerts"])

    assert output.exit_code == 1
    assert "Twilio gives no more tokens" in output.log
    assert "Traceback" not in output.log


def test_what_its_scope_leaves_out_is_skipped_and_named(run, twilio):
    twilio.plan(faults.answer(403, 70051, "Authorization failed"), "/Alerts")

    output = run(app_config(twilio), streams=["calls", "alerts"])

    assert output.exit_code == 0
    assert output.records("calls")
    assert "alerts: skipped" in output.log
    assert "70051" in output.log


def test_refusals_of_many_lists_are_no_reason_for_many_tokens(run, twilio):
    twilio.plan(faults.answer(401, 20003, "Authenticate"), "verify/")
    twilio.plan(faults.answer(401, 20003, "Authenticate"), "studio/")
    twilio.plan(faults.answer(401, 20003, "Authenticate"), "taskrouter/")
    names = ["verify_services", "studio_flows", "taskrouter_workspaces", "calls"]

    output = run(app_config(twilio, include_subaccounts=False), streams=names)

    assert output.exit_code == 0
    assert output.log.count(": skipped for ") == 3
    assert asked(twilio)[twilio.account_sid] == 2


def test_a_subaccount_that_it_gets_no_token_for_is_skipped_with_one_warning(run, twilio):
    account = twilio.accounts[1]
    query = {"account_sid": account.sid}
    twilio.plan(faults.answer(403, 20403, "Forbidden"), "oauth/v2/token", query=query)

    output = run(app_config(twilio), streams=["calls", *V1, "studio_flows"])

    assert output.exit_code == 0
    assert_complete(output, twilio, "calls")
    assert {row["account_sid"] for row in output.records("alerts")} == {twilio.account_sid}
    warnings = [line for line in output.log.splitlines() if line.startswith("WARNING")]
    (warning,) = [line for line in warnings if account.sid in line]
    assert "subaccount_credentials" in warning


def test_credentials_of_a_subaccount_go_before_tokens_for_it(run, twilio):
    account = twilio.accounts[1]
    own = {account.sid: {"auth_token": account.auth_token}}

    output = run(app_config(twilio, subaccount_credentials=own), streams=V1)

    assert_complete(output, twilio, *V1)
    assert asked(twilio) == {twilio.account_sid: 1}


def test_the_connection_test_says_that_it_works(run, twilio):
    output = run(app_config(twilio), "--test=connection")

    assert output.exit_code == 0
    assert output.messages == []
    assert twilio.requests.products == {"oauth": 1, "api": 1}
    assert f"Signing in as the OAuth app {twilio.app.client_id}" in output.log
    assert "Signed in; 2 accounts can be read" in output.log


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"client_secret": None}, "client_secret: it is required beside client_id"),
        ({"client_id": ""}, "client_id: it is required beside client_secret"),
        ({"auth_token": "t"}, "give either client_id or other credentials, not both (auth_token)"),
        ({"api_key_sid": "SK" + "0" * 32}, "not both (api_key_sid)"),
        ({"client_id": "two words"}, "client_id: it is too long, or has spaces"),
    ],
)
def test_what_is_missing_or_too_much_is_named(run, small, given, message):
    output = run(app_config(small) | given, streams=["calls"])

    assert output.exit_code == 1
    assert message in output.log
    assert small.app.secret not in output.log


def test_nothing_of_it_is_in_any_output(tmp_path, twilio):
    text = say_everything(tmp_path, app_config(twilio), streams=["calls", "alerts"])

    assert twilio.desk.tokens
    assert_silent(text, twilio)
    assert "/v2/token" in text  # it speaks of requests, at this level


def test_the_target_signs_in_so_too(tmp_path, twilio):
    target = TargetRunner(tmp_path, twilio)
    rows = [{"id": place, "to": number(place), "body": "Hello"} for place in range(5)]
    # A token that ends between two messages costs neither of them, and sends none twice.
    twilio.plan(faults.delay(0), "/Messages.json", method="POST", when=third(twilio.desk.revoke))
    app = {"client_id": twilio.app.client_id, "client_secret": twilio.app.secret}

    told = target(records("messages", rows), auth_token=None, **app)

    assert told.exit_code == 0, told.log
    assert told.outcomes == ["sent"] * 5
    assert [one["parameters"]["To"] for one in twilio.held] == [row["to"] for row in rows]
    assert asked(twilio)[twilio.account_sid] == 2
    assert not [secret for secret in twilio.secrets if secret in told.log]


@pytest.mark.parametrize(
    ("status", "told_so"), [(401, "Twilio refused to sign in"), (503, None)], ids=["wrong", "busy"]
)
def test_without_a_token_the_target_sends_nothing(tmp_path, twilio, status, told_so):
    target = TargetRunner(tmp_path, twilio)
    times = None if told_so else 1
    plan = twilio.plan(faults.answer(status, 20003, "No"), "oauth/v2/token", times=times)
    app = {"client_id": twilio.app.client_id, "client_secret": twilio.app.secret}

    told = target(
        records("messages", [{"id": 1, "to": number(1), "body": "x"}]), auth_token=None, **app
    )

    assert plan.hits
    assert (told.exit_code == 0) is (told_so is None)
    assert len(twilio.held) == (1 if told_so is None else 0)
    assert (told_so or "") in told.log


def test_a_message_that_was_refused_for_its_token_is_known_not_to_be_sent(tmp_path, twilio):
    target = TargetRunner(tmp_path, twilio)
    twilio.plan(faults.delay(0), "/Messages.json", method="POST", when=third(twilio.desk.revoke))
    # The next token comes late.
    busy = twilio.plan(faults.answer(503, 20503, "No"), "oauth/v2/token", skip=1, times=1)
    app = {"client_id": twilio.app.client_id, "client_secret": twilio.app.secret}
    rows = [{"id": place, "to": number(place), "body": "Hello"} for place in range(4)]

    told = target(records("messages", rows), auth_token=None, **app)

    assert busy.hits == 1
    assert told.outcomes == ["sent"] * 4
    assert len(twilio.held) == 4
