"""Every stream of every product, read from beginning to end."""

from __future__ import annotations

from collections import Counter

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from tap_twilio.streams import STREAMS
from tests.harness import STREAMS_BY_NAME, config_for, keyed


@pytest.fixture(scope="module")
def everything(tmp_path_factory):
    """One run with all streams selected, over two accounts with rows of the same shapes."""
    from sandbox import Sandbox  # noqa: PLC0415
    from tests.harness import LogKeeper, Runner, utc_now  # noqa: PLC0415

    run = Runner(tmp_path_factory.mktemp("all"), LogKeeper())
    with Sandbox(
        seed=11, now=utc_now(), days=20, volumes={"calls": 12, "messages": 12}, subaccounts=1
    ) as twilio:
        output = run(config_for(twilio, start_date="P30D"), streams=list(STREAMS_BY_NAME))
        yield twilio, output


def test_all_are_read_to_the_end(everything):
    _, output = everything

    assert output.exit_code == 0, output.log[-3000:]
    assert "FAILED" not in output.log


def test_each_endpoint_is_asked(everything):
    twilio, output = everything
    asked = {request.path for request in twilio.requests}
    silent = []
    for stream in STREAMS:
        parent = stream.parent_stream_type
        if parent is None or not output.by_stream.get(parent.name):
            continue
        pattern = stream.address()[1].split("{}")
        if not any(all(part in path for part in pattern) for path in asked):
            silent.append(stream.name)
    assert silent == []


def test_every_record_fits_its_schema(everything):
    _, output = everything
    checker = FormatChecker()
    for name, records in output.by_stream.items():
        validator = Draft202012Validator(output.schemas[name]["schema"], format_checker=checker)
        for record in records:
            error = next(validator.iter_errors(record), None)
            assert error is None, f"{name}: {error.message} at {error.json_path}"


def test_keys_are_unique_over_accounts_and_parents(everything):
    _, output = everything
    for name, records in output.by_stream.items():
        keys = STREAMS_BY_NAME[name].primary_keys
        if keys:
            keyed(records, keys)


def test_every_record_carries_its_parents(everything):
    _, output = everything
    for name, records in output.by_stream.items():
        stream = STREAMS_BY_NAME[name]
        if stream.parent_stream_type is None:
            continue
        placeholders = {part.split("}")[0] for part in stream.path.split("{")[1:]}
        for record in records:
            missing = [key for key in {"account_sid", *placeholders} if not record.get(key)]
            assert not missing, f"{name} lacks {missing}"


def test_every_request_goes_to_its_product_with_credentials(everything):
    twilio, _ = everything
    products = {stream.product for stream in STREAMS}

    assert {request.product for request in twilio.requests} <= products
    assert all(request.authorized for request in twilio.requests)


def test_names_paths_and_keys_are_declared_once():
    names = Counter(stream.name for stream in STREAMS)
    addresses = Counter(stream.address() for stream in STREAMS)

    assert [name for name, count in names.items() if count > 1] == []
    assert [address for address, count in addresses.items() if count > 1] == []
    assert all(stream.__doc__ for stream in STREAMS)
