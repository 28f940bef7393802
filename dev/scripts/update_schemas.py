#!/usr/bin/env python
"""Make the schema files of all streams from Twilio's OpenAPI documents, or check them.

python dev/scripts/update_schemas.py FOLDER [--check]

Run it where the tap is installed in editable form: the stream classes say what files there are.
FOLDER has Twilio's published ``twilio_*.json``, whole or reduced to their GET half. What the
documents don't know is kept in ``corrections.yaml``, what is left out and why in
``omissions.yaml``, both beside this file. All lists of the documents go to ``endpoints.txt``:
a test holds the streams and the omissions against it.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twilio_schemas.build import Stream, build
from twilio_schemas.changes import coverage, differences, left_open
from twilio_schemas.corrections import Corrections, Omissions
from twilio_schemas.openapi import Node, Operation, Place, placeholders, read_operations

from tap_twilio.records.secrets import NAMES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

HERE = Path(__file__).resolve().parent
WIDTH = 100
_LIST_OF_SCALARS = re.compile(r"\[\n\s+([^\[\]{}]+?)\n\s+\]")


@dataclass(frozen=True)
class Paths:
    """Where the tool reads and writes, the documents aside."""

    schemas: Path = HERE.parents[1] / "schemas"
    corrections: Path = HERE / "corrections.yaml"
    omissions: Path = HERE / "omissions.yaml"
    endpoints: Path = HERE / "endpoints.txt"


def describe(stream: type[Any]) -> Stream:
    """Read off a class what its schema depends on.

    Args:
        stream: A class of the tap's streams.

    Returns:
        The stream. Its records carry the values of all placeholders from it up to the root, and
        the account's SID even where the path doesn't name it: the credentials do.
    """
    lineage = [stream]
    while parent := lineage[-1].parent_stream_type:
        lineage.append(parent)
    below_an_account = ["account_sid"] if len(lineage) > 1 else []
    carried = [name for one in reversed(lineage) for name in placeholders(one.path)]
    return Stream(
        name=stream.name,
        product=stream.product,
        path=stream.path,
        primary_keys=tuple(stream.primary_keys),
        parents=tuple(dict.fromkeys(below_an_account + carried)),
        counted_by=stream.position_field,
        promoted=tuple(stream.promoted),
    )


def render(schema: Node) -> str:
    """Lay a schema out as its file has it.

    Args:
        schema: The content.

    Returns:
        JSON, indented by two, lists of mere strings on one line where they fit.
    """

    def join(match: re.Match[str]) -> str:
        line = "[" + re.sub(r"\n\s+", " ", match[1]) + "]"
        start = match.string.rfind("\n", 0, match.start()) + 1
        return line if match.start() - start + len(line) < WIDTH else match[0]

    return _LIST_OF_SCALARS.sub(join, json.dumps(schema, indent=2, ensure_ascii=False)) + "\n"


class Updater:
    """Compares the documents with the streams and their schema files."""

    def __init__(
        self, documents: Path, streams: Iterable[Stream], paths: Paths, secrets: Iterable[str]
    ) -> None:
        """Read everything but the schema files.

        Args:
            documents: The folder of Twilio's documents.
            streams: All streams.
            paths: The other places.
            secrets: Names of properties that never reach a schema, at whatever depth.
        """
        self._operations: dict[Place, Operation] = read_operations(documents)
        self._corrections = Corrections.read(paths.corrections)
        self._omissions = Omissions.read(paths.omissions)
        self._secrets = frozenset(secrets)
        self._folder = paths.schemas
        self._endpoints = paths.endpoints
        self._streams = sorted(streams, key=lambda stream: stream.file)

    def write(self) -> Iterator[str]:
        """Write the files that would change, hand-written ones never.

        Yields:
            A line for each file written, and for each stream that can't be made.
        """
        for stream in self._made():
            file = self._folder / stream.file
            text = render(self._schema(stream))
            if not file.exists() or file.read_text(encoding="utf-8") != text:
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text, encoding="utf-8")
                yield f"wrote {stream.file}"
        if not self._knows_endpoints():
            self._endpoints.write_text(self._listed(), encoding="utf-8")
            yield f"wrote {self._endpoints.name}"
        yield from self._stale()
        yield from self._gone()

    def check(self) -> Iterator[str]:
        """Compare without writing.

        Yields:
            A line for each difference.
        """
        yield from coverage(self._operations, self._streams, self._omissions)
        yield from self._stale()
        yield from self._gone()
        for stream in self._made():
            yield from self._check(stream)
        for line in self._corrections.idle():
            yield f"- {line}"
        known = {stream.file for stream in self._streams}
        for file in sorted(self._folder.glob("*/*.json")):
            name = file.relative_to(self._folder).as_posix()
            if name not in known:
                yield f"- {name}: a file without a stream"
        if not self._knows_endpoints():
            yield f"~ {self._endpoints.name}: not the documents' lists"

    def _check(self, stream: Stream) -> Iterator[str]:
        file = self._folder / stream.file
        if not file.exists():
            yield f"+ {stream.file}: no file yet"
            return
        text = file.read_text(encoding="utf-8")
        new = self._schema(stream)
        lines = list(differences(json.loads(text), new))
        if not lines and text != render(new):
            lines = ["~ order or layout"]
        if lines:
            yield stream.file
        for line in lines:
            yield f"  {line}"
        for name in left_open(new):
            yield f"~ {stream.file}: {name} has several types"

    def _stale(self) -> Iterator[str]:
        for endpoint in self._corrections.stale(self._operations):
            yield f"- {endpoint}: corrected, but not in the documents"

    def _listed(self) -> str:
        places = sorted(str(place) for place, one in self._operations.items() if one.is_list)
        return "".join(f"{place}\n" for place in places)

    def _knows_endpoints(self) -> bool:
        known = self._endpoints
        return known.exists() and known.read_text(encoding="utf-8") == self._listed()

    def _made(self) -> Iterator[Stream]:
        for stream in self._streams:
            if stream.place in self._operations and not self._is_hand_written(stream):
                yield stream

    def _gone(self) -> Iterator[str]:
        for stream in self._streams:
            if stream.place not in self._operations and not self._is_hand_written(stream):
                yield f"- {stream.place}: gone from the documents; {stream.file} is left as it is"

    def _is_hand_written(self, stream: Stream) -> bool:
        return stream.file in self._corrections.hand_written

    def _schema(self, stream: Stream) -> Node:
        operation = self._operations[stream.place]
        described = self._corrections.described.get(str(stream.place), str(stream.place))
        record = self._operations.get(Place(*described.split(" ")), operation)
        return build(stream, operation, record, self._corrections, self._secrets)


def main(
    arguments: Sequence[str] | None = None,
    streams: Iterable[Stream] | None = None,
    paths: Paths | None = None,
) -> int:
    """Run the tool.

    Args:
        arguments: The command line, without the program's name.
        streams: All streams; those of the tap unless given.
        paths: Where to read and write; this checkout unless given.

    Returns:
        The exit code: 1 if a check found differences.
    """
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path, help="folder of Twilio's twilio_*.json documents")
    parser.add_argument(
        "--check",
        action="store_true",
        help="write nothing; print what differs and exit with 1 if anything does",
    )
    options = parser.parse_args(arguments)
    if streams is None:
        # Here and not above: the tool's parts are of use, and tested, without the streams.
        from tap_twilio.streams import STREAMS  # noqa: PLC0415

        streams = map(describe, STREAMS)
    updater = Updater(options.folder, streams, paths or Paths(), NAMES)
    lines = list(updater.check() if options.check else updater.write())
    for line in lines:
        print(line)  # noqa: T201
    return 1 if options.check and lines else 0


if __name__ == "__main__":
    sys.exit(main())
