"""No secret is in anything that the tap says, however a run ends."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from base64 import b64encode
from urllib.parse import quote, quote_plus

import pytest

from harness import PATIENCE, STREAMS_BY_NAME, catalog_of, config_for
from sandbox import faults
from tap_twilio.http.redaction import Redactor
from tap_twilio.records.secrets import NAMES

TROUBLE = {
    "a good run": {},
    "a wrong address": {"base_url": "http://127.0.0.1:9", "max_retries": 0},
    "a bad date": {"start_date": "whenever"},
    "an unknown setting": {"tokn": "x"},
    "too many credentials": {"api_key_sid": "SK1", "api_key_secret": "another-secret-thing"},
    "credentials of nobody": {
        "subaccount_credentials": {"AC1": {"auth_token": "another-secret-thing"}}
    },
    "credentials of no form": {"subaccount_credentials": {"AC1": ["another-secret-thing"]}},
    "an unknown account": {"accounts": ["nobody"]},
    "an unknown filter": {"filters": {"calls": {"x": 1}}},
}


def say_everything(tmp_path, config, *arguments, streams=("calls", "message_media", "keys")):
    path, catalog = tmp_path / "config.json", tmp_path / "catalog.json"
    path.write_text(json.dumps(config))
    catalog.write_text(json.dumps(catalog_of(streams)))
    given = ["--config", str(path), "--catalog", str(catalog), *arguments]
    done = subprocess.run(
        [sys.executable, "-m", "tap_twilio", *given],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "LOGLEVEL": "DEBUG"},
        timeout=PATIENCE,
    )
    return done.stdout + done.stderr


def assert_silent(text, twilio, *more):
    for secret in [*twilio.secrets, *more]:
        assert secret not in text


@pytest.mark.parametrize("name", TROUBLE)
def test_whatever_the_settings(tmp_path, small, name):
    text = say_everything(tmp_path, config_for(small, **TROUBLE[name]))

    assert text
    assert_silent(text, small, "another-secret-thing")


@pytest.mark.parametrize("arguments", [["--discover"], ["--about"], ["--test=connection"]])
def test_whatever_the_command(tmp_path, small, arguments):
    assert_silent(say_everything(tmp_path, config_for(small), *arguments), small)


def test_wrong_credentials_are_secrets_too(tmp_path, small):
    text = say_everything(tmp_path, config_for(small, auth_token="mistyped-token-value"))

    assert "refused to sign in" in text
    assert_silent(text, small, "mistyped-token-value")


def carried(user, password):
    """Credentials as a request carries them."""
    return b64encode(f"{user}:{password}".encode()).decode()


def test_credentials_are_masked_as_requests_carry_them(run, sandbox):
    twilio = sandbox(volumes={"calls": 3, "messages": 3}, subaccounts=2)
    main, listed, given = twilio.accounts
    key = twilio.subaccount_keys[given.sid]
    forms = [
        carried(main.sid, main.auth_token),
        carried(listed.sid, listed.auth_token),
        carried(key.sid, key.secret),
    ]
    forms += [quote(form, safe="") for form in forms]
    told = " ".join(f"<{form}>" for form in forms)
    twilio.plan(faults.answer(400, message=told), "/Alerts")
    own = {given.sid: {"api_key_sid": key.sid, "api_key_secret": key.secret}}

    output = run(config_for(twilio, subaccount_credentials=own), streams=["alerts"])

    assert output.exit_code == 1
    assert output.log.count("<********>") >= len(forms)
    assert not [form for form in forms if form in output.log]


def test_secrets_are_masked_as_addresses_carry_them(run, small):
    key = "a key/with+signs & spaces"
    encoded = [quote(key, safe=""), quote_plus(key)]
    small.plan(faults.answer(400, message=" ".join([key, *encoded])), "/Calls.json")
    try:
        output = run(config_for(small, pii="hash", pii_key=key), streams=["calls"])
    finally:
        small.clear_plans()

    assert output.exit_code == 1
    assert not [form for form in (key, *encoded) if form in output.log]


FORGED = "gone\r\nERROR tap-twilio forged\x1b[2J\x9b31m\u2028\u202e\x00 end"


def assert_one_line(output):
    assert "\\r\\nERROR tap-twilio forged\\x1b[2J" in output.log
    assert not [
        line for line in output.log.splitlines() if line.startswith("ERROR tap-twilio forg")
    ]
    assert all(one.isprintable() for one in output.log.split("\n"))


def test_what_twilio_says_is_one_line(run, sandbox):
    twilio = sandbox(volumes={"calls": 3, "messages": 3}, subaccounts=0)
    twilio.plan(faults.answer(400, message=FORGED), "/Calls.json")

    assert_one_line(run(config_for(twilio), streams=["calls"]))


def test_what_an_account_is_called_is_one_line(run, sandbox):
    twilio = sandbox(subaccounts=1)
    twilio.patch(twilio.accounts[1].sid, friendly_name=FORGED)

    assert_one_line(run(config_for(twilio, accounts=["x"])))


@pytest.mark.parametrize("name", [FORGED, "filters"])
def test_what_settings_hold_is_one_line(run, small, name):
    assert_one_line(run(config_for(small, **{name: {FORGED: {}}})))


def test_what_a_state_holds_is_one_line(run, small):
    state = {"bookmarks": {FORGED: {"partitions": []}}}

    assert_one_line(run(config_for(small), streams=["calls"], state=state))


def test_no_line_of_a_traceback_looks_like_another_message():
    record = logging.LogRecord("tap-twilio", logging.ERROR, "", 0, "Ended", (), None)
    masked = Redactor()
    masked.add("a-secret-of-some-length")
    try:
        raise ValueError(f"{FORGED} a-secret-of-some-length")  # noqa: EM102, TRY003, TRY301
    except ValueError:
        record.exc_info = sys.exc_info()

    masked.filter(record)
    first, *rest = logging.Formatter().format(record).split("\n")[1:]

    assert first.startswith("Traceback")
    assert all(line.startswith("  ") and line.isprintable() for line in rest)
    assert "a-secret-of-some-length" not in str(record.__dict__)


ANSWERS = {
    "a server error": faults.answer(500, 20500, "Internal error"),
    "a refusal": faults.answer(403, 20403, "Forbidden"),
    "HTML": faults.html(),
    "nothing": faults.reset(),
    "a redirect": faults.redirect("https://evil.example.com/"),
    "a foreign link": faults.next_link("https://evil.example.com/"),
}


def lineage(stream):
    """Names of a stream and of those above it."""
    above = stream.parent_stream_type
    return [stream.name, *(lineage(above) if above else [])]


@pytest.mark.parametrize("name", ANSWERS)
def test_whatever_twilio_answers(tmp_path, sandbox, name):
    twilio = sandbox(volumes={"calls": 9, "messages": 3})
    twilio.plan(ANSWERS[name], "/Calls.json")
    streams = [name for name, stream in STREAMS_BY_NAME.items() if "calls" in lineage(stream)]

    config = config_for(twilio, max_retries=1, page_size=3)
    text = say_everything(tmp_path, config, streams=[*streams, "accounts", "keys"])

    assert "calls" in text
    assert_silent(text, twilio)


# --- Credentials among the rows ----------------------------------------------------------------

HUSH = "not-to-be-told"

PLACES = {
    "a field": {"NAME": HUSH},
    "a field with more in it": {"NAME": {"deep": [HUSH]}},
    "an object": {"subresource_uris": {"a": "b", "NAME": HUSH}},
    "an object where a string is due": {"caller_name": {"NAME": HUSH}},
    "an object where a date is due": {"end_time": {"NAME": HUSH}},
    "an array where a number is due": {"price": [{"NAME": HUSH}]},
    "a field never heard of": {"brand_new": {"a": [1, [{"b": None, "NAME": {"x": HUSH}}]]}},
}


def with_name(value, name):
    return json.loads(json.dumps(value).replace("NAME", name))


def plan(twilio, path, key, fields, **hits):
    twilio.plan(
        faults.rewrite(lambda page: page | {key: [row | fields for row in page[key]]}),
        path,
        **hits,
    )


@pytest.mark.parametrize("first", [0, 1], ids=["from the first page on", "from the second page on"])
@pytest.mark.parametrize("place", PLACES)
def test_what_is_called_like_a_credential_never_leaves(run, sandbox, place, first):
    twilio = sandbox(volumes={"calls": 50, "messages": 0}, subaccounts=0)
    plan(twilio, "/Calls.json", "calls", with_name(PLACES[place], "auth_token"), skip=first)

    output = run(config_for(twilio, page_size=10), streams=["calls"])

    assert output.exit_code == 0
    assert len({record["sid"] for record in output.records("calls")}) == 50
    assert HUSH not in "".join(output.lines) + output.log
    assert "auth_token" not in "".join(output.lines)
    assert output.log.count("has the name of a credential") == 1


def test_the_rest_of_an_object_stays(run, sandbox):
    twilio = sandbox(volumes={"calls": 5, "messages": 0}, subaccounts=0)
    kept = {"token": "t", "key": "k", "secret_count": 2, "api_key_sid": "SK1", "list": [{"a": 1}]}
    odd = {"auth_token": HUSH, "list": [{"a": 1, "secret": HUSH}]}
    plan(twilio, "/Calls.json", "calls", {"brand_new": kept | odd})

    output = run(config_for(twilio), streams=["calls"])

    assert [record["brand_new"] for record in output.records("calls")] == [kept] * 5


@pytest.mark.parametrize(("stream", "path"), [("keys", "/Keys.json"), ("iam_keys", "/v1/Keys")])
def test_keys_come_without_any_of_these(run, sandbox, stream, path):
    twilio = sandbox(volumes={"calls": 0, "messages": 0}, subaccounts=0)
    all_names = dict.fromkeys(NAMES, HUSH)
    plan(twilio, path, "keys", {**all_names, "policy": {"allow": [all_names]}})

    output = run(config_for(twilio), streams=[stream])

    assert output.exit_code == 0
    assert output.records(stream)
    assert all(record["policy"] == {"allow": [{}]} for record in output.records(stream))
    assert HUSH not in "".join(output.lines) + output.log


def test_tokens_of_accounts_are_no_news(run, small):
    output = run(config_for(small), streams=["accounts"])

    assert len(output.records("accounts")) == len(small.accounts)
    assert "auth_token" not in "".join(output.lines) + output.log


def test_seeds_of_one_time_passwords_stay_with_twilio(run, sandbox):
    twilio = sandbox(volumes={"calls": 0, "messages": 0}, subaccounts=0)
    uri = f"otpauth://totp/me?secret={HUSH}"
    plan(twilio, "/Factors", "factors", {"binding": {"secret": HUSH, "uri": uri}})

    output = run(config_for(twilio), streams=["verify_factors"])

    assert output.records("verify_factors")
    assert HUSH not in "".join(output.lines) + output.log


def test_a_declared_stream_hides_them_too(run, sandbox):
    twilio = sandbox(volumes={"calls": 3, "messages": 0}, subaccounts=0)
    plan(twilio, "/Calls.json", "calls", {"client_secret": HUSH, "to": {"password": HUSH}})
    path = "/2010-04-01/Accounts/{account_sid}/Calls.json"
    properties = {"sid": {"type": "string"}, "client_secret": {"type": "string"}}
    schemas = [{}, {"schema": {"properties": properties}}]
    declared = [
        {"name": f"own_{number}", "product": "api", "path": path, **schema}
        for number, schema in enumerate(schemas)
    ]

    output = run(config_for(twilio, custom_streams=declared))

    assert output.exit_code == 0
    for one in declared:
        assert len(output.records(one["name"])) == 3
        assert "client_secret" not in output.schemas[one["name"]]["schema"]["properties"]
    assert HUSH not in "".join(output.lines) + output.log
