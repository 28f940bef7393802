"""The page of troubleshooting has each message that a program can end with, and no other."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("tap_twilio", "target_twilio")
PAGE = ROOT / "docs" / "troubleshooting.md"

ENDS = {
    "ChainError",
    "ConfigValidationError",
    "HaltError",
    "IncompleteError",
    "InputError",
    "LedgerError",
    "LinkError",
    "ResultsError",
    "SettingsError",
    "SignInError",
    "TapError",
    "TwilioError",
    "UnreachableError",
    "UnwritableError",
}
"""Errors whose words are a whole message."""

MISTAKES = {
    "tap_twilio/config/declarations.py",
    "tap_twilio/config/references.py",
    "tap_twilio/config/settings.py",
    "tap_twilio/custom/streams.py",
    "target_twilio/settings.py",
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


def modules():
    """The modules of the programs, with their places."""
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            yield path.relative_to(ROOT).as_posix(), ast.parse(path.read_text())


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
    for file, tree in modules():
        for function in functions(tree):
            for text in texts_of(function, of_mistakes=file in MISTAKES):
                # Less would be no sentence, but a part of another.
                if text and len(text.replace(GAP, "")) > 8:
                    yield file, text


def constants():
    """All texts of the packages, as they are written."""
    for _, tree in modules():
        for node in ast.walk(tree):
            if text := words(node):
                yield text


MESSAGES = re.findall(r"^\| `([^`]+)` \|", PAGE.read_text(), re.MULTILINE)


def is_of(message, text):
    """Whether a message of the page is such a text; the text may name its place before."""
    pattern = ".*".join(map(re.escape, message.split("…")))
    return bool(re.fullmatch(rf"({GAP}\S*: )?{pattern}", text, re.DOTALL))


def test_each_message_that_ends_a_program_is_explained():
    found = sorted(set(templates()))

    assert len(found) > 110
    missing = [
        f"{file}: {text.replace(GAP, '…')}"
        for file, text in found
        if not any(is_of(message, text) for message in MESSAGES)
    ]
    assert not missing, "\n".join(missing)


def test_each_message_that_is_explained_is_one_of_theirs():
    texts = set(constants())

    strange = [one for one in MESSAGES if not any(is_of(one, text) for text in texts)]
    assert not strange, "\n".join(strange)
