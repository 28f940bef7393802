"""Every stream of every product, read from beginning to end."""

from __future__ import annotations

from collections import Counter

from jsonschema import Draft202012Validator, FormatChecker

from tap_twilio.streams import STREAMS


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
