"""Rows that are unlike those before them."""

from __future__ import annotations

import pytest

from harness import config_for
from sandbox import faults
from sandbox.paths import CALLS

LATER = {
    "a field never heard of": ("brand_new", {"a": [1]}, {"a": [1]}, "is not in the schema"),
    "an object for a string": ("caller_name", {"a": 1}, '{"a":1}', ""),
    "a string for an object": ("subresource_uris", "x", None, "'subresource_uris' had a value"),
    "a date that is a word": ("end_time", "soon", None, "'end_time' had a value"),
    "another offset": ("end_time", "Fri, 24 May 2019 17:44:46 -0700", "2019-05-25T00:44:46Z", ""),
}


@pytest.mark.parametrize("name", LATER)
def test_odd_rows_behind_others(run, sandbox, name):
    field, sent, kept, sentence = LATER[name]
    twilio = sandbox(volumes={"calls": 120, "messages": 0}, subaccounts=0)
    sid = twilio.truth("api", CALLS)[0]["sid"]
    twilio.plan(
        faults.rewrite(
            lambda page: (
                page
                | {
                    "calls": [
                        call | {field: sent} if call["sid"] == sid else call
                        for call in page.get("calls", [])
                    ]
                }
            )
        ),
        "/Calls.json",
    )

    output = run(config_for(twilio, page_size=10), streams=["calls"])

    assert output.exit_code == 0
    records = {record["sid"]: record for record in output.records("calls")}
    assert len(records) == len(output.records("calls")) == 120
    assert records[sid][field] == kept
    assert sentence in output.log
