"""No secret is in anything that the tap says, however a run ends."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from sandbox import faults
from tests.harness import config_for

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


def say_everything(tmp_path, config, *arguments):
    path = tmp_path / "config.json"
    path.write_text(json.dumps(config))
    done = subprocess.run(
        [sys.executable, "-m", "tap_twilio", "--config", str(path), *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "LOGLEVEL": "DEBUG"},
        timeout=60,
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


ANSWERS = {
    "a server error": faults.answer(500, 20500, "Internal error"),
    "a refusal": faults.answer(403, 20403, "Forbidden"),
    "HTML": faults.html(),
    "nothing": faults.reset(),
    "a redirect": faults.redirect("https://evil.example.com/"),
    "a foreign link": faults.next_link("https://evil.example.com/"),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_whatever_twilio_answers(tmp_path, sandbox, name):
    twilio = sandbox(volumes={"calls": 30, "messages": 10})
    twilio.plan(ANSWERS[name], "/Calls.json")

    text = say_everything(tmp_path, config_for(twilio, max_retries=1, page_size=10))

    assert_silent(text, twilio)
