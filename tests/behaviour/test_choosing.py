"""Streams are seen and chosen on the command line, without a catalog."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from harness import a_run, config_for
from tap_twilio.streams import STREAMS
from tap_twilio.tap import TapTwilio

FLOWS = {"name": "my_flows", "product": "studio", "path": "/v2/Flows"}


def listed(*arguments):
    with a_run():
        result = CliRunner().invoke(TapTwilio.cli, arguments)
    assert result.exit_code == 0
    return result.stdout.splitlines()


def names_in(lines):
    return [line[2:].split()[0] for line in lines if line[:2] in {"* ", "  "}]


def test_all_streams_are_listed_without_settings():
    lines = listed("--streams")

    assert sorted(names_in(lines)) == sorted(stream.name for stream in STREAMS)
    assert lines[-1].startswith(f"{len(STREAMS)} streams; ")


def test_what_is_chosen_is_listed_discovered_and_read(run, small, tmp_path):
    config = config_for(small, start_date="P3D", custom_streams=[FLOWS])
    (path := tmp_path / "settings.json").write_text(json.dumps(config))
    options = ("--config", str(path), "--select", "balance,message_media,my_*")

    names = names_in(listed("--streams", *options))
    (catalog,) = run.raw(*options, "--discover").messages
    output = run.raw(*options)

    chosen = {"balance", "message_media", "my_flows"}
    assert chosen == {*names}
    assert chosen == {entry["tap_stream_id"] for entry in catalog["streams"]}
    assert all(
        entry["metadata"]["selected"]
        for stream in catalog["streams"]
        for entry in stream["metadata"]
        if entry["breadcrumb"] == []
    )
    assert chosen == output.schemas.keys()
    assert output.records("message_media")
    assert not output.records("messages"), "read, and not written"
    again = run(config, catalog=catalog)
    assert {name: len(rows) for name, rows in again.by_stream.items()} == {
        name: len(rows) for name, rows in output.by_stream.items()
    }


@pytest.mark.parametrize("option", ["--streams", "--discover"])
def test_mistakes_are_told_as_by_a_run(run, small, option):
    good = config_for(small)
    for config, said in (
        ({**good, "strat_date": "P3D"}, "there is no such setting; did you mean 'start_date'?"),
        ({**good, "filters": {"calls": {"statsu": "busy"}}}, "did you mean 'status'?"),
        ({**good, "stream_maps": {"clals": {}}}, "did you mean 'calls'?"),
    ):
        told, read = run(config, option), run(config)

        assert told.exit_code == read.exit_code == 1
        (sentence,) = [line for line in told.log.splitlines() if "ERROR" in line]
        assert said in sentence
        assert sentence in read.log
        assert "Reading" not in read.log


def test_a_name_that_is_none_is_told(run, small):
    for option in ((), ("--streams",), ("--discover",)):
        output = run(config_for(small), "--select", "clals", *option)

        assert output.exit_code == 1
        assert output.lines == []
        assert "--select: there is no stream or product 'clals'; did you mean" in output.log


def test_a_catalog_selects_by_itself(run, small):
    output = run(config_for(small), "--select", "calls", streams=["calls"])

    assert output.exit_code == 1
    assert "--select: give either this or --catalog, which selects streams itself" in output.log
