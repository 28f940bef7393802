from __future__ import annotations

import os
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest

from benchmarks import plot, reader
from benchmarks.measure import measure
from benchmarks.redirect import redirect
from benchmarks.results import Reading, load, save, summarize, table
from benchmarks.scenarios import AIRBYTE, OURS, SINGER_IO, Scenario, World, choose

pytestmark = pytest.mark.door

READING = Reading(
    scenario="cpu",
    connector=OURS,
    share=1.0,
    rows=1000,
    seconds=2.0,
    first=1.0,
    cpu=0.05,
    memory=100_000_000,
    size=2_000_000,
    requests=3,
    refused=0,
    in_flight=2,
    missing=0,
    repeated=0,
    stopped=False,
    exit_code=0,
)
SLOW = replace(READING, connector=SINGER_IO, share=0.1, rows=100, seconds=11.0, cpu=0.1, missing=2)


def test_the_median_run_counts_and_the_worst_loss():
    readings = [replace(READING, seconds=s, missing=m) for s, m in ((2, 0), (8, 7), (4, 0))]

    summary = summarize(readings)["cpu"][OURS]

    assert summary.rate == 250
    assert summary.spread == (125, 500)
    assert summary.missing == 7


def test_a_share_is_charged_its_start_once():
    assert SLOW.rate == pytest.approx(1000 / (1 + 100))


def test_others_are_compared_with_ours():
    lines = table([READING, SLOW], {"cpu": "Calls"}, reference=OURS).splitlines()

    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    assert cells[2][0] == "**Calls**"
    ours, theirs = (dict(zip(cells[0], row, strict=True)) for row in cells[3:])
    assert (ours["rows/s"], ours["µs CPU/row"], ours["missing"]) == ("500", "50", "0")
    assert (theirs["rows"], theirs["of all"], theirs["missing"]) == ("100", "10%", "2")
    assert cells[4][5] == "50.5x"
    assert cells[4][7] == "20x"


def test_a_file_of_readings_comes_back_as_it_was(tmp_path):
    path = tmp_path / "results" / "made-up.json"

    save(path, {"scenarios": {"cpu": {"latency": 0}}}, [READING, SLOW])

    assert load(path) == ({"scenarios": {"cpu": {"latency": 0}}}, [READING, SLOW])


def test_a_scenario_measured_again_replaces_itself_only(tmp_path):
    path = tmp_path / "made-up.json"
    media = replace(READING, scenario="media")
    save(path, {"scenarios": {"cpu": {}, "media": {}}}, [READING, media])

    save(path, {"scenarios": {"cpu": {"load": 1}}}, [SLOW])

    about, readings = load(path)
    assert about["scenarios"] == {"cpu": {"load": 1}, "media": {}}
    assert readings == [media, SLOW]


def test_charts_have_a_line_for_each_connector(tmp_path, monkeypatch):
    path = tmp_path / "made-up.json"
    names = (OURS, SINGER_IO, AIRBYTE)
    readings = [
        replace(READING, scenario=f"latency-{ms}", connector=name, seconds=number + ms / 100)
        for ms in (50, 500)
        for number, name in enumerate(names, start=2)
    ] + [replace(READING, scenario=f"memory-{n}k", rows=n * 1000) for n in (50, 2000)]
    titles = {
        "latency-50": "Fifty",
        "latency-500": "Five hundred",
        "memory-50k": "",
        "memory-2000k": "",
    }
    about = {
        "python": "3",
        "system": "none",
        "versions": dict.fromkeys(names, "1"),
        "scenarios": {
            name: {"title": title, "latency": 0.05 if name == "latency-50" else 0.5}
            for name, title in titles.items()
        },
    }
    save(path, about, readings)
    readme = tmp_path / "README.md"
    readme.write_text("Before\n<!-- speed -->\nold\n<!-- end of speed -->\nafter\n")
    monkeypatch.setattr("sys.argv", ["plot", str(path), str(tmp_path), str(readme)])

    plot.main()

    before, *table, after = readme.read_text().splitlines()
    assert (before, after) == ("Before", "after")
    assert "old" not in table
    assert any(line.startswith("| Fifty |") and "(1.4x)" in line for line in table)

    for name, lines in (("throughput.svg", len(names)), ("memory.svg", 1)):
        drawing = ET.parse(tmp_path / name).getroot()  # noqa: S314 - we wrote it
        assert len(drawing.findall("{*}polyline")) == lines


def test_the_readme_tells_the_last_figures():
    table = plot.figures(*load(plot.RESULTS))

    assert plot.PAGE.read_text() == plot.written(plot.PAGE.read_text(), table)
    for name, drawing in plot.draw(*load(plot.RESULTS)).items():
        assert (plot.DOCS / name).read_text() == drawing
        assert f"]({name})" in plot.PAGE.read_text()


def test_the_reader_counts_rows_of_all_dialects():
    sids = [f"CA{number:032x}" for number in range(3)]
    lines = [
        f'{{"type":"RECORD","stream":"calls","record":{{"sid":"{sids[0]}"}}}}',
        f'{{"type": "RECORD", "record": {{"account_sid": "AC{0:032x}", "sid": "{sids[0]}"}}}}',
        f'{{"type":"RECORD","record":{{"data":{{"sid":"{sids[1]}"}}}}}}',
        '{"type": "STATE", "value": {}}',
    ]
    end, start = os.pipe()
    with os.fdopen(end, "rb") as source, os.fdopen(start, "wb") as sink:
        sink.write("\n".join(lines).encode())
        sink.close()
        tally = reader.drain(source)

    counts = tally.result({sid.encode() for sid in sids[1:]})
    assert (counts["rows"], counts["distinct"]) == (3, 2)
    assert (counts["missing"], counts["unknown"]) == (1, 1)
    assert tally.states == [b'{"type": "STATE", "value": {}}']


def test_only_twilio_is_redirected():
    assert redirect("https://api.twilio.com/x?a=1", "http://here") == "http://here/api/x?a=1"
    assert redirect("https://example.com/x", "http://here") == "https://example.com/x"


def test_scenarios_are_chosen_by_the_beginning_of_their_names():
    assert {scenario.name for scenario in choose(["memory", "cpu"])} > {"cpu", "memory-50k"}
    with pytest.raises(ValueError, match="no scenario 'cup'"):
        choose(["cup"])


def test_a_tiny_run_of_ours_is_complete():
    scenario = Scenario("tiny", "Tiny", World({"calls": 300}, subaccounts=1), shares={OURS: 1})

    (reading,) = measure(scenario, [OURS], repeats=1, warm=False)

    assert (reading.rows, reading.missing, reading.repeated) == (300 + 100, 0, 0)
    assert (reading.exit_code, reading.refused) == (0, 0)
    assert reading.requests >= 2
