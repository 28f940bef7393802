from __future__ import annotations

import io
import json
import os
from dataclasses import replace
from xml.etree import ElementTree as ET

import duckdb
import pytest

from benchmarks import loaded, plot, reader
from benchmarks.measure import measure
from benchmarks.redirect import redirect
from benchmarks.results import Reading, load, save, summarize, table
from benchmarks.scenarios import (
    AIRBYTE,
    DLT_DUCKDB,
    OURS,
    PIPE_DUCKDB,
    REST_API,
    SINGER_IO,
    Scenario,
    World,
    choose,
)
from environments.doors import TARGET_DUCKDB

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
    about = {"scenarios": {"cpu": {}, "media": {}}, "versions": {OURS: "1", AIRBYTE: "1"}}
    save(path, about, [READING, media])

    save(path, {"scenarios": {"cpu": {"load": 1}}, "versions": {SINGER_IO: "2"}}, [SLOW])

    about, readings = load(path)
    assert about["scenarios"] == {"cpu": {"load": 1}, "media": {}}
    assert about["versions"] == {OURS: "1", AIRBYTE: "1", SINGER_IO: "2"}
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
    assert not (tmp_path / "doors.svg").exists()

    for name, lines in (("throughput.svg", len(names)), ("memory.svg", 1)):
        drawing = ET.parse(tmp_path / name).getroot()  # noqa: S314 - we wrote it
        assert len(drawing.findall("{*}polyline")) == lines


def test_the_readme_tells_the_last_figures():
    table = plot.figures(*load(plot.RESULTS))

    assert plot.PAGE.read_text() == plot.written(plot.PAGE.read_text(), table)
    for name, drawing in plot.draw(*load(plot.RESULTS)).items():
        assert (plot.DOCS / name).read_text() == drawing
        page = plot.DOORS if name == "doors.svg" else plot.PAGE
        assert f"]({name})" in page.read_text()


def test_doors_stand_by_their_destination_the_fastest_first(tmp_path, monkeypatch):
    path = tmp_path / "made-up.json"
    door = replace(READING, scenario="doors-duckdb", size=None)
    readings = [
        replace(door, connector=REST_API, share=0.5, seconds=5.0, missing=3),
        replace(door, connector=DLT_DUCKDB),
        replace(door, connector=PIPE_DUCKDB, seconds=3.0, loader=0.15, repeated=4),
    ]
    about = {
        "python": "3",
        "system": "none",
        "versions": {one.connector: f"{one.connector} 1" for one in readings},
        "scenarios": {"doors-duckdb": {"title": "Calls into DuckDB", "latency": 0}},
    }
    save(path, about, readings)
    page, doors = tmp_path / "speed.md", tmp_path / "doors.md"
    page.write_text("")
    doors.write_text("Before\n<!-- doors -->\nold\n<!-- end of doors -->\nafter\n")
    monkeypatch.setattr("sys.argv", ["plot", *map(str, (path, tmp_path, page, doors))])

    plot.main()

    before, marker, head, _, *rows, _, _, end, after = doors.read_text().splitlines()
    assert (before, marker) == ("Before", "<!-- doors -->")
    assert (end, after) == ("<!-- end of doors -->", "after")
    assert head.startswith("| Calls into DuckDB |")
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]
    assert [row[0] for row in cells] == [DLT_DUCKDB, PIPE_DUCKDB, REST_API]
    assert [row[3:5] for row in cells] == [["1.0", "1,000"], ["1.0", "500"], ["1.0", "250"]]
    # The loader's time is beside the tap's, and in the sum.
    assert [row[5:7] for row in cells] == [["50", ""], ["200", "150"], ["50", ""]]
    assert [row[8:] for row in cells] == [["0", "0"], ["0", "4"], ["3", "0"]]
    drawing = ET.parse(tmp_path / "doors.svg").getroot()  # noqa: S314 - we wrote it
    widths = [float(bar.get("width")) for bar in drawing.findall("{*}rect")]
    # 1,000 rows in 2 s and in 3; the share's start counts once: 2,000 in 1 s and twice 4.
    assert [width / widths[0] for width in widths[1:]] == pytest.approx([2 / 3, 4 / 9], abs=0.01)


def test_the_page_of_doors_tells_the_last_figures():
    table = plot.door_figures(*load(plot.RESULTS))

    page = plot.DOORS.read_text()
    assert page == plot.written(page, table, "doors")
    assert "| dlt into DuckDB |" in page


def test_a_row_lost_and_one_doubled_in_a_warehouse_are_seen(tmp_path, monkeypatch, capsys):
    sids = [f"CA{number:032x}" for number in range(3)]
    (tmp_path / "truth").write_text("\n".join(sids))
    warehouse, lake = tmp_path / "warehouse.duckdb", tmp_path / "lake" / "calls"
    lake.mkdir(parents=True)
    with duckdb.connect(str(warehouse)) as database:
        database.execute("CREATE SCHEMA twilio; CREATE TABLE twilio.calls (sid TEXT)")
        database.executemany("INSERT INTO twilio.calls VALUES (?)", [[sids[0]], *[[sids[1]]] * 2])
        database.execute(f"COPY twilio.calls TO '{lake / 'rows.parquet'}'")
    monkeypatch.setattr("sys.stdin", io.StringIO("\n".join([sids[0], sids[1], sids[1]])))

    for place in (warehouse, lake.parent, "-"):
        arguments = ["loaded", str(tmp_path / "truth"), "calls", str(place)]
        monkeypatch.setattr("sys.argv", arguments)
        loaded.main()
        counts = json.loads(capsys.readouterr().out)
        assert (counts["rows"], counts["distinct"]) == (3, 2)
        assert (counts["missing"], counts["unknown"]) == (1, 0)


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


@pytest.mark.environment(*TARGET_DUCKDB)
def test_a_tiny_run_into_a_warehouse_is_complete():
    scenario = Scenario("doors-tiny", "Tiny", World({"calls": 300}), shares={PIPE_DUCKDB: 1})

    (reading,) = measure(scenario, [PIPE_DUCKDB], repeats=1, warm=False)

    assert (reading.rows, reading.missing, reading.repeated) == (300, 0, 0)
    assert reading.exit_code == 0
    assert reading.first < reading.seconds
    assert reading.cpu > 0.1
    assert reading.loader > 0.1
