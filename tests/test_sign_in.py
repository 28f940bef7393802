"""Signing in: whose rows the credentials can read is known before anything is read."""

from __future__ import annotations

import pytest

from sandbox import faults
from tests.harness import config_for


def key_config(twilio, key, **settings):
    config = config_for(twilio, api_key_sid=key.sid, api_key_secret=key.secret, **settings)
    del config["auth_token"]
    return config


def test_wrong_token_is_one_sentence_and_no_record(run, small):
    output = run(config_for(small, auth_token="wrong-token-wrong-token"))

    assert output.exit_code == 1
    assert output.records("accounts") == []
    errors = [line for line in output.log.splitlines() if "Twilio refused to sign in" in line]
    assert len(errors) == 1
    assert small.account_sid in errors[0]
    assert "auth_token" in errors[0]
    assert "Traceback" not in output.log


def test_wrong_key_secret_names_the_key(run, small):
    key = small.standard_key
    config = key_config(small, key) | {"api_key_secret": "wrong-secret-wrong"}

    output = run(config)

    assert output.exit_code == 1
    assert f"refused to sign in {key.sid}" in output.log


def test_main_key_reads_all_accounts(run, small):
    output = run(key_config(small, small.main_key), streams=["accounts", "calls"])

    assert output.exit_code == 0
    assert {record["account_sid"] for record in output.records("calls")} == {
        account.sid for account in small.accounts
    }


def test_main_key_skips_subaccounts_on_other_hosts_with_a_warning(run, small):
    output = run(key_config(small, small.main_key), streams=["alerts"])

    assert output.exit_code == 0
    assert {record["account_sid"] for record in output.records("alerts")} == {small.account_sid}
    subaccount = small.accounts[1].sid
    warnings = [line for line in output.log.splitlines() if line.startswith("WARNING")]
    assert len([line for line in warnings if subaccount in line]) == 1


def test_standard_key_reads_its_own_account_and_says_so_once(run, small):
    output = run(key_config(small, small.standard_key), streams=["accounts", "calls", "keys"])

    assert output.exit_code == 0
    assert {record["account_sid"] for record in output.records("calls")} == {small.account_sid}
    assert output.records("accounts") == []
    assert output.records("keys") == []
    assert output.log.count("may not list accounts") == 1
    assert "keys: skipped" in output.log


def test_restricted_key_reads_what_it_may(run, small):
    output = run(key_config(small, small.restricted_key), streams=["calls", "recordings"])

    assert output.exit_code == 0
    assert output.records("calls")
    assert output.records("recordings") == []
    assert "recordings: skipped" in output.log
    assert "70051" in output.log


def test_subaccounts_own_token_reads_the_subaccount(run, small):
    account = small.accounts[1]
    config = config_for(small, account_sid=account.sid, auth_token=account.auth_token)

    output = run(config, streams=["calls", "alerts"])

    assert output.exit_code == 0
    for stream in ("calls", "alerts"):
        assert {record["account_sid"] for record in output.records(stream)} == {account.sid}


@pytest.mark.parametrize("by", ["sid", "friendly_name"])
def test_accounts_can_be_chosen(run, small, by):
    account = small.accounts[1]

    output = run(config_for(small, accounts=[getattr(account, by)]), streams=["accounts", "calls"])

    assert {record["sid"] for record in output.records("accounts")} == {account.sid}
    assert {record["account_sid"] for record in output.records("calls")} == {account.sid}


def test_an_account_that_does_not_exist_is_an_error(run, small):
    output = run(config_for(small, accounts=["Nobody"]))

    assert output.exit_code == 1
    assert "accounts: no account is called 'Nobody'" in output.log


def test_subaccounts_can_be_left_out(run, small):
    output = run(config_for(small, include_subaccounts=False), streams=["calls"])

    assert {record["account_sid"] for record in output.records("calls")} == {small.account_sid}


@pytest.mark.parametrize("status", ["suspended", "closed"])
def test_accounts_that_give_nothing_are_not_asked(run, sandbox, status):
    twilio = sandbox(volumes={"calls": 30, "messages": 0})
    gone = twilio.accounts[1].sid
    twilio.set_status(gone, status)

    output = run(config_for(twilio), streams=["accounts", "calls"])

    assert output.exit_code == 0
    assert not [request for request in twilio.requests if gone in request.path]
    assert f"{gone} is {status}" in output.log
    assert {record["sid"] for record in output.records("accounts")} >= {twilio.account_sid}


def test_connection_test_reads_nothing(run, small):
    small.requests.reset()
    output = run(config_for(small), "--test=connection")

    assert output.exit_code == 0
    assert output.messages == []
    assert small.requests.total == 1


def test_connection_test_fails_with_bad_credentials(run, small):
    output = run(config_for(small, auth_token="wrong-token-wrong-token"), "--test=connection")

    assert output.exit_code == 1
    assert "Twilio refused to sign in" in output.log


def test_nobody_at_the_address_is_one_sentence(run, small):
    output = run(config_for(small, base_url="http://127.0.0.1:9", max_retries=1))

    assert output.exit_code == 1
    assert "Traceback" not in output.log
    assert "127.0.0.1" in output.log.splitlines()[-1]


def test_a_server_error_at_the_start_is_told(run, sandbox):
    twilio = sandbox(volumes={"calls": 5, "messages": 5})
    twilio.plan(faults.answer(503, 20503, "Service unavailable"), "/Accounts.json")

    output = run(config_for(twilio, max_retries=2))

    assert output.exit_code == 1
    assert "Traceback" not in output.log
    assert "20503" in output.log
