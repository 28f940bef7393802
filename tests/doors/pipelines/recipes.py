"""The code blocks of the README and the docs, as scripts.

A comment above each block says what becomes of it:

    <!-- recipe: csv, after start -->   run in the recipe `csv`, which begins with that of `start`
    <!-- recipe: csv, twice -->         the recipe goes on with this, two times over
    <!-- recipe: airbyte, after start, with airbyte/bin/python -->   run by another program
    <!-- not run: why -->
"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from environments import ROOT, install

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_BLOCK = re.compile(
    r"(?:^<!-- (?P<mark>[^\n]+) -->\n)?^```(?P<language>sh|python)\n(?P<text>.*?)^```$",
    re.DOTALL | re.MULTILINE,
)
_MARK = re.compile(
    r"recipe: (?P<name>[\w-]+)(?:, after (?P<after>[\w-]+))?"
    r"(?:, with (?P<program>\S+))?(?P<twice>, twice)?"
)
_NOT_RUN = re.compile(r"not run: \S.*")
_INSTALL = re.compile(r"python3 -m venv ([\w-]+) && \1/bin/pip install (.+)")
_END = "END_OF_BLOCK"


PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
"""Pages that tell people to type something."""


@dataclass(frozen=True)
class Block:
    """A code block of such a page.

    Attributes:
        text: What it says.
        name: The recipe that it is a part of; None if it isn't run.
        after: The recipe that has to be run before.
        program: What runs it, if not the shell.
        times: How often.
    """

    text: str
    name: str | None = None
    after: str | None = None
    program: str | None = None
    times: int = 1

    @property
    def script(self) -> str:
        """The block in a script of the shell's."""
        text = self.text
        if self.program:
            text = f"{self.program} - <<'{_END}'\n{text}{_END}\n"
        # Names of files tell runs apart by the second, as people's runs are.
        return "sleep 1\n".join([text] * self.times)


def blocks() -> Iterator[Block]:
    """Read the pages.

    Yields:
        Each block of shell or Python.
    """
    text = "".join(page.read_text() for page in PAGES)
    for found in _BLOCK.finditer(text):
        mark = found["mark"] or ""
        if told := _MARK.fullmatch(mark):
            times = 2 if told["twice"] else 1
            yield Block(found["text"], told["name"], told["after"], told["program"], times)
        else:
            assert _NOT_RUN.fullmatch(mark), f"nothing says how to test this:\n{found['text']}"
            yield Block(found["text"])


def names() -> list[str]:
    """Give the recipes of the pages, in their order."""
    return list(dict.fromkeys(block.name for block in blocks() if block.name))


def script(name: str) -> str:
    """Give a recipe as a script, with those before it."""
    parts = [block for block in blocks() if block.name == name]
    before = [script(block.after) for block in parts if block.after]
    return "".join([*before, *(block.script for block in parts)])


def cook(
    name: str,
    folder: Path,
    substitutions: Mapping[str, str],
    environment: Mapping[str, str],
) -> str:
    """Run a recipe as it is printed, apart from what is listed here.

    The repository has been cloned already, packages are installed as told but into environments
    that are kept, and the tap is the one that all tests run.

    Args:
        name: The recipe.
        folder: Where to run it; `tap-twilio` in it stands in for a fresh clone.
        substitutions: What stands for the pages' examples.
        environment: What its programs find in their environment.

    Returns:
        What it said.
    """
    text = script(name).replace("git clone <this repository> tap-twilio", "test -d tap-twilio")
    text = _INSTALL.sub(_kept, text)
    for example, real in substitutions.items():
        text = text.replace(example, real)
    done = subprocess.run(
        ["bash", "-eu", "-c", text],  # noqa: S607
        cwd=folder,
        env=dict(environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, f"{text}\n{done.stdout}"
    return done.stdout


def _kept(found: re.Match[str]) -> str:
    name, requirements = found[1], shlex.split(found[2])
    own = requirements == ["./tap-twilio"]
    folder = sys.prefix if own else install(name, *requirements).parent
    return f"ln -s {shlex.quote(str(folder))} {name}"
