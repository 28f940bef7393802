"""Who may know whom: imports point down, those for type checking included."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "tap_twilio"

BELOW = {
    "http": set(),
    "resource": set(),
    "records": {"http"},
    "config": {"http", "resource"},
    "output": {"http"},
}
"""What each package may know besides itself."""

WITHOUT_SINGER = {"http", "records"}
"""Packages that know nothing of the SDK."""


def imports(path):
    """Modules that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (one.name for one in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports name their whole module"
            yield from (f"{node.module}.{one.name}" for one in node.names)


def known(package):
    """What the modules of a package import, with the file that does."""
    files = sorted((PACKAGE / package).glob("*.py"))
    assert files
    return [(path.name, name.split(".")) for path in files for name in imports(path)]


@pytest.mark.parametrize("package", BELOW)
def test_imports_point_down(package):
    allowed = {package, *BELOW[package]}
    wrong = {
        f"{file}: {'.'.join(name)}"
        for file, name in known(package)
        if name[0] == "tap_twilio" and name[1] not in allowed
    }
    assert not wrong


@pytest.mark.parametrize("package", sorted(WITHOUT_SINGER))
def test_the_sdk_is_at_the_edge(package):
    assert not {file for file, name in known(package) if name[0] == "singer_sdk"}
