"""Signing in: whose rows the credentials can read is known before anything is read."""

from __future__ import annotations

import json

import pytest

from harness import STREAMS_BY_NAME, catalog_of, config_for, utc_now, wire_path
from sandbox import Sandbox, faults
from tap_twilio.streams import STREAMS
from tap_twilio.streams.accounts import Accounts


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


# --- Credentials of subaccounts ----------------------------------------------------------------

ELSEWHERE = [
    stream.name
    for stream in STREAMS
    if stream.product != "api" and stream.parent_stream_type is Accounts
]
"""Streams of which the signature alone says whose rows they give."""


def by_token(account):
    return {account.sid: {"auth_token": account.auth_token}}


def by_key(account, twilio):
    key = twilio.subaccount_keys[account.sid]
    return {account.sid: {"api_key_sid": key.sid, "api_key_secret": key.secret}}


def incomplete(output, twilio):
    """Names the streams that lack an account's rows; another account's rows are an error."""
    lacking = set()
    for name in output.by_stream:
        stream = STREAMS_BY_NAME[name]
        expected = {
            (account.sid, row.get("sid"), row.get("url"))
            for account in twilio.accounts
            for row in twilio.truth(stream.product, wire_path(stream), account_sid=account.sid)
        }
        got = {
            (record["account_sid"], record.get("sid"), record.get("url"))
            for record in output.records(name)
        }
        assert got <= expected, name
        if {sid for sid, *_ in got} != {sid for sid, *_ in expected}:
            lacking.add(name)
    return lacking


@pytest.fixture(scope="module")
def three():
    """A simulated Twilio with two subaccounts and a few rows of everything."""
    options = {"volumes": {"calls": 9, "messages": 9}, "subaccounts": 2, "days": 5}
    with Sandbox(seed=4, now=utc_now(), **options) as twilio:
        yield twilio


@pytest.mark.parametrize("kind", ["listed", "token", "key"])
def test_every_product_gives_each_account_its_own_rows(run, three, kind):
    others = three.accounts[1:]
    config = key_config(three, three.main_key) if kind != "listed" else config_for(three)
    if kind != "listed":
        config["subaccount_credentials"] = {
            sid: own
            for account in others
            for sid, own in (
                by_token(account) if kind == "token" else by_key(account, three)
            ).items()
        }

    output = run(config | {"start_date": "P30D"}, streams=ELSEWHERE)

    assert output.exit_code == 0
    assert len(output.by_stream) > 100
    # A Standard key may not list keys: that is no reason to leave out anything else. Of exports,
    # the sandbox has configured few.
    expected = {"bulkexports_configurations"} | ({"iam_keys"} if kind == "key" else set())
    assert incomplete(output, three) <= expected


def test_credentials_of_a_subaccount_sign_for_it_everywhere(run, three):
    account = three.accounts[1]
    three.requests.reset()
    config = config_for(three, subaccount_credentials=by_key(account, three))

    output = run(config, streams=["calls", "keys"])

    assert {record["account_sid"] for record in output.records("calls")} >= {account.sid}
    # What the subaccount's Standard key may not read, it signed for.
    assert {record["account_sid"] for record in output.records("keys")} == {
        one.sid for one in three.accounts if one is not account
    }
    assert f"keys: skipped for {account.sid}" in output.log


def test_further_accounts_are_read_where_accounts_cannot_be_listed(run, three):
    account = three.accounts[2]
    config = key_config(three, three.standard_key, subaccount_credentials=by_token(account))

    output = run(config, streams=["calls", "verify_services"])

    assert output.exit_code == 0
    for name in ("calls", "verify_services"):
        assert {record["account_sid"] for record in output.records(name)} == {
            three.account_sid,
            account.sid,
        }
    only = run(config | {"include_subaccounts": False}, streams=["calls"])
    assert {record["account_sid"] for record in only.records("calls")} == {three.account_sid}


@pytest.mark.parametrize(
    "wrong",
    [
        {"auth_token": "stale-token-stale-token"},
        {"api_key_sid": "SK" + "0" * 32, "api_key_secret": "stale-secret-stale"},
    ],
)
def test_wrong_credentials_of_one_subaccount_skip_it_with_one_warning(run, three, wrong):
    bad, good = three.accounts[1:]
    config = config_for(three, subaccount_credentials={bad.sid: wrong} | by_token(good))

    output = run(config, streams=["calls", *ELSEWHERE])

    assert output.exit_code == 0
    for name in ("calls", "verify_services", "conversations"):
        assert {record["account_sid"] for record in output.records(name)} == {
            three.account_sid,
            good.sid,
        }
    warnings = [line for line in output.log.splitlines() if line.startswith("WARNING")]
    (warning,) = [line for line in warnings if bad.sid in line]
    assert "subaccount_credentials" in warning
    assert not [secret for secret in wrong.values() if "stale" in secret and secret in output.log]


def test_a_key_of_the_parent_does_not_pass_for_a_subaccounts(run, three):
    account, key = three.accounts[1], three.main_key
    own = {"api_key_sid": key.sid, "api_key_secret": key.secret}
    config = config_for(three, subaccount_credentials={account.sid: own})

    output = run(config, streams=["calls", "verify_services"])

    assert output.exit_code == 0
    assert account.sid not in {row["account_sid"] for row in output.records("verify_services")}
    assert f"reads {three.account_sid}" in output.log
    assert output.log.count("subaccount_credentials has for it") == 2  # warning and summary


def test_a_name_of_any_length_makes_no_line_of_any_length(run, three):
    three.patch(three.accounts[1].sid, friendly_name="x" * 100_000)

    output = run(config_for(three, accounts=["y"]))

    assert output.exit_code == 1
    assert "accounts: no account is called 'y'" in output.log
    assert max(map(len, output.log.splitlines())) < 2_000


FAULTS = {
    "401": faults.answer(401, 20003, "Authenticate"),
    "403": faults.answer(403, 20003, "Permission denied"),
    "429": faults.throttle(),
    "503": faults.answer(503, 20503, "Service unavailable"),
    "reset": faults.reset(),
}


@pytest.mark.parametrize("name", FAULTS)
def test_nor_where_the_request_that_tells_fails(run, three, name):
    account, key = three.accounts[1], three.main_key
    own = {"api_key_sid": key.sid, "api_key_secret": key.secret}
    plan = three.plan(FAULTS[name], f"{three.account_sid}/Messages.json", times=1)

    output = run(
        config_for(three, subaccount_credentials={account.sid: own}), streams=["verify_services"]
    )

    assert plan.hits == 1
    assert output.exit_code == 0
    assert account.sid not in {row["account_sid"] for row in output.records("verify_services")}
    assert f"reads {three.account_sid}" in output.log


def test_nor_where_nothing_tells(run, three):
    account, key = three.accounts[1], three.main_key
    own = {"api_key_sid": key.sid, "api_key_secret": key.secret}
    plan = three.plan(FAULTS["503"], f"{three.account_sid}/Messages.json")
    config = config_for(three, subaccount_credentials={account.sid: own}, max_retries=3)

    output = run(config, streams=["verify_services"])

    assert plan.hits == 4
    assert output.exit_code == 0
    assert account.sid not in {row["account_sid"] for row in output.records("verify_services")}
    assert f"may be that of {three.account_sid}" in output.log


def test_a_listed_token_that_is_wrong_skips_what_needs_it(run, sandbox):
    twilio = sandbox(volumes={"calls": 9, "messages": 0}, subaccounts=2)
    bad, good = twilio.accounts[1:]
    twilio.patch(bad.sid, auth_token="stale-token-stale-token")

    output = run(config_for(twilio), streams=["calls", "alerts", *ELSEWHERE])

    assert output.exit_code == 0
    assert bad.sid in {record["account_sid"] for record in output.records("calls")}
    assert {record["account_sid"] for record in output.records("verify_services")} == {
        twilio.account_sid,
        good.sid,
    }
    warnings = [line for line in output.log.splitlines() if line.startswith("WARNING")]
    (warning,) = [line for line in warnings if bad.sid in line]
    assert "subaccount_credentials" in warning
    assert "stale-token" not in output.log


def test_credentials_of_subaccounts_come_from_the_environment_too(run, three, monkeypatch):
    account = three.accounts[1]
    config = key_config(three, three.main_key, subaccount_credentials=by_token(account))
    for name, value in config.items():
        text = json.dumps(value) if isinstance(value, dict) else str(value)
        monkeypatch.setenv(f"TAP_TWILIO_{name.upper()}", text)
    catalog = run.folder / "some.json"
    catalog.write_text(json.dumps(catalog_of(["verify_services"])))

    output = run.raw("--config=ENV", "--catalog", str(catalog))

    assert output.exit_code == 0
    assert {record["account_sid"] for record in output.records("verify_services")} == {
        three.account_sid,
        account.sid,
    }
