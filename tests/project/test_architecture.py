"""Who may know whom: imports point down, those for type checking included."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "tap_twilio"
TARGET = ROOT / "target_twilio"
SANDBOX = ROOT / "dev" / "sandbox"
PAGE = ROOT / "docs" / "architecture.md"
ORDERING = "tap_twilio.engine.ordering"

LAYERS = (
    {"airbyte", "dlt", "spark", "__main__"},
    {"arrow"},
    {"tap"},
    {"custom"},
    {"engine", "streams"},
    {"output"},
    {"config"},
    {"records"},
    {"resource"},
    {"http"},
)
"""Top to bottom: each may know those below it; neighbours don't know each other."""

WITHOUT_SINGER = {"engine", "http", "records"}
"""Packages that know nothing of the SDK."""


def modules(folder):
    """Each module of a package, by its name."""
    return {
        ".".join(path.relative_to(folder.parent).with_suffix("").parts): path
        for path in sorted(folder.rglob("*.py"))
        if path.name != "__init__.py" or path.parent != folder
    }


def imports(path):
    """Modules, or names in them, that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (one.name for one in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports name their whole module"
            yield from (f"{node.module}.{one.name}" for one in node.names)


def layer_of(name):
    """The place of a module in the order; lower is further down."""
    part = name.split(".")[1]
    (found,) = (number for number, layer in enumerate(LAYERS) if part in layer)
    return -found


@pytest.mark.parametrize("name", modules(PACKAGE))
def test_imports_point_down(name):
    own = name.split(".")[1]
    wrong = [
        other
        for other in imports(modules(PACKAGE)[name])
        if other.startswith("tap_twilio.")
        and other.split(".")[1] != own
        and layer_of(other) >= layer_of(name)
    ]
    assert not wrong


@pytest.mark.parametrize("package", sorted(WITHOUT_SINGER))
def test_the_sdk_is_at_the_edge(package):
    found = {
        name
        for name, path in modules(PACKAGE).items()
        if name.split(".")[1] == package
        and any(other.split(".")[0] == "singer_sdk" for other in imports(path))
    }
    assert not found


@pytest.mark.parametrize("name", modules(TARGET))
def test_the_target_knows_of_the_tap_how_twilio_is_reached_and_no_more(name):
    known = ("tap_twilio.http.", "tap_twilio.config.")
    of_the_tap = [other for other in imports(modules(TARGET)[name]) if "tap_twilio" in other]
    assert not [other for other in of_the_tap if not f"{other}.".startswith(known)]


def test_the_tap_does_not_know_the_target():
    paths = modules(PACKAGE).values()
    assert not [other for path in paths for other in imports(path) if "target_twilio" in other]


def test_the_tap_has_nothing_done_but_orders():
    """Only what is asked through ``Transport.send`` changes anything at Twilio."""
    sends = [
        name
        for name, path in modules(PACKAGE).items()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and node.attr == "send"
        if "transport" in ast.unparse(node.value)
    ]
    assert sends == [ORDERING]


def test_nothing_orders_but_a_run_whose_settings_say_so():
    makers = {
        name: path.read_text()
        for name, path in modules(PACKAGE).items()
        if f"{ORDERING}.Ordering" in imports(path) and "Ordering(" in path.read_text()
    }
    assert [*makers] == ["tap_twilio.engine.sync"]
    (method,) = (
        ast.unparse(node)
        for node in ast.walk(ast.parse(makers["tap_twilio.engine.sync"]))
        if isinstance(node, ast.FunctionDef) and "Ordering(" in ast.unparse(node)
    )
    assert method.startswith("def write(self, sink: Sink)")
    assert "run.settings.bulkexport is not None:" in method


@pytest.mark.parametrize("folder", [PACKAGE, TARGET, SANDBOX], ids=lambda folder: folder.name)
def test_no_two_modules_know_each_other(folder):
    known = modules(folder)
    below = {
        name: {
            other
            for imported in imports(path)
            for other in (imported, imported.rpartition(".")[0])
            if other in known and other != name
        }
        for name, path in known.items()
    }
    while leaves := [name for name, others in below.items() if not others & below.keys()]:
        for name in leaves:
            del below[name]
    assert not below, "these lead to each other in a circle"


def test_the_sandbox_does_not_know_the_tap():
    paths = modules(SANDBOX).values()
    assert not [other for path in paths for other in imports(path) if "tap_twilio" in other]


def functions(file):
    """What a module defines: functions, and methods with their class."""

    def within(node, above):
        for child in ast.iter_child_nodes(node):
            if isinstance(child, (ast.ClassDef, ast.FunctionDef)):
                yield above + child.name
                inner = "." if isinstance(child, ast.ClassDef) else ".<locals>."
                yield from within(child, above + child.name + inner)

    return set(within(ast.parse((PACKAGE / file).read_text()), ""))


def named(row):
    """The functions that a row of the page's tables names, each in its file."""
    file = owner = ""
    for name in re.findall(r"`([^`]+)`", row):
        file, _, name = name.rpartition(":") if ":" in name else (file, "", name)  # noqa: PLW2901
        name = owner + name if name.startswith(".") else name  # noqa: PLW2901
        owner = name.partition(".")[0]
        yield file, name


def test_the_page_names_functions_that_there_are():
    rows = [row.split("|")[1] for row in PAGE.read_text().splitlines() if row.startswith("| `")]
    found = [one for row in rows for one in named(row)]

    assert len(found) > 100
    assert not [f"{file}:{name}" for file, name in found if name not in functions(file)]
