"""The page of troubleshooting has each message that the tap can end with, and no other."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "tap_twilio"
PAGE = ROOT / "docs" / "troubleshooting.md"

ENDS = {
    "ChainError",
    "ConfigValidationError",
    "IncompleteError",
    "LinkError",
    "SettingsError",
    "SignInError",
    "TapError",
    "TwilioError",
    "UnreachableError",
}
"""Errors whose words are a whole message."""

MISTAKES = {"config/settings.py", "config/references.py", "config/declarations.py"} | {
    "custom/streams.py"
}
"""Modules that give a sentence for each mistake in the settings."""

GAP = "\0"
"""Stands for whatever a message quotes."""


def words(node: ast.AST | None) -> str | None:
    """What an expression says, with gaps for what it quotes; none if it isn't text."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if isinstance(node, ast.JoinedStr):
        return "".join(words(part) or GAP for part in node.values)
    if isinstance(node, ast.BinOp):
        parts = words(node.left), words(node.right)
        return None if parts == (None, None) else "".join(part or GAP for part in parts)
    if isinstance(node, ast.Call) and node.args:  # short(…)
        return words(node.args[0])
    return None


def functions(tree: ast.AST):
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]


def own(function: ast.FunctionDef):
    """What is in a function and in no function within it."""
    inner = {id(one) for f in functions(function) if f is not function for one in ast.walk(f)}
    return [node for node in ast.walk(function) if id(node) not in inner]


def texts_of(function: ast.FunctionDef, *, of_mistakes: bool):
    """The messages that a function makes."""
    nodes = own(function)
    said = {}  # what the variable msg may hold
    for node in nodes:
        if isinstance(node, (ast.Assign, ast.AugAssign)):
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            if isinstance(target, ast.Name) and target.id == "msg" and words(node.value):
                said[node.lineno] = words(node.value)
    for node in nodes:
        name = node.func if isinstance(node, ast.Call) else None
        called = getattr(name, "id", None) or getattr(name, "attr", None)
        if called in ENDS and node.args:
            if isinstance(node.args[0], ast.Name):
                line = max((line for line in said if line <= node.lineno), default=None)
                yield said.get(line)
            else:
                yield words(node.args[0])
        elif of_mistakes and called in {"append", "_mistake"} and node.args:
            yield words(node.args[-1])
        elif of_mistakes and isinstance(node, ast.Yield):
            yield words(node.value)


def templates():
    """Each message, with the file that makes it."""
    for path in sorted(PACKAGE.rglob("*.py")):
        file = path.relative_to(PACKAGE).as_posix()
        for function in functions(ast.parse(path.read_text())):
            for text in texts_of(function, of_mistakes=file in MISTAKES):
                # Less would be no sentence, but a part of another.
                if text and len(text.replace(GAP, "")) > 8:
                    yield file, text


def constants():
    """All texts of the package, as they are written."""
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if text := words(node):
                yield text


MESSAGES = re.findall(r"^\| `([^`]+)` \|", PAGE.read_text(), re.MULTILINE)


def is_of(message, text):
    """Whether a message of the page is such a text; the text may name its place before."""
    pattern = ".*".join(map(re.escape, message.split("…")))
    return bool(re.fullmatch(rf"({GAP}\S*: )?{pattern}", text, re.DOTALL))


def test_each_message_that_ends_the_tap_is_explained():
    found = sorted(set(templates()))

    assert len(found) > 80
    missing = [
        f"{file}: {text.replace(GAP, '…')}"
        for file, text in found
        if not any(is_of(message, text) for message in MESSAGES)
    ]
    assert not missing, "\n".join(missing)


def test_each_message_that_is_explained_is_one_of_the_taps():
    texts = set(constants())

    strange = [one for one in MESSAGES if not any(is_of(one, text) for text in texts)]
    assert not strange, "\n".join(strange)
