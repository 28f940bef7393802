"""The source's command line: spec, check, discover, read."""

from __future__ import annotations

import argparse
import logging
import os
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, cast

from singer_sdk.exceptions import ConfigValidationError

from tap_twilio.airbyte import messages
from tap_twilio.airbyte.catalog import discovered, wanted
from tap_twilio.airbyte.messages import LogHandler, Output
from tap_twilio.airbyte.reading import failure_type, read
from tap_twilio.airbyte.spec import specification, understood
from tap_twilio.airbyte.state import parsed
from tap_twilio.airbyte.tap import SourceTap
from tap_twilio.config.inputs import read_file, setting_up_logging
from tap_twilio.config.process import is_output, lost_output
from tap_twilio.custom.streams import CustomStream
from tap_twilio.http.errors import Stopped, TapError
from tap_twilio.http.redaction import redactor

if TYPE_CHECKING:
    from collections.abc import Sequence

EXPECTED = (ConfigValidationError, TapError)
"""Errors that are told in one sentence."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line, and end with the exit code that tells how it went."""
    options = _parser().parse_args(arguments)
    output = Output(sys.stdout.buffer)
    handler = LogHandler(output)
    root = logging.getLogger()
    before = root.handlers, root.level
    root.handlers = [handler]
    root.setLevel("INFO")
    logging.captureWarnings(capture=True)
    try:
        code = _run(options, output)
    except OSError as error:
        lost = lost_output(error)
        if lost is None:
            raise
        sentence, code = lost
        sys.stderr.write(f"{sentence}\n")
    finally:
        root.handlers, level = before
        root.setLevel(level)
    sys.exit(code)


def _parser() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--debug", action="store_true", help="log what helps to find errors")
    parser = argparse.ArgumentParser(
        prog="source-twilio", description="Reads everything that Twilio lists, for Airbyte."
    )
    parser.add_argument("--version", action="version", version=SourceTap.plugin_version)
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")
    for name, does, files in (
        ("spec", "describe the settings", ()),
        ("check", "sign in, and read nothing", ("config",)),
        ("discover", "describe the streams", ("config",)),
        ("read", "read streams", ("config", "catalog", "state")),
    ):
        command = commands.add_parser(name, help=does, description=does, parents=[common])
        for file in files:
            command.add_argument(
                f"--{file}", type=Path, required=file != "state", help="path of a JSON file"
            )
    return parser


def _run(options: argparse.Namespace, output: Output) -> int:
    """Carry out a command, and turn whatever ends it into a message and an exit code."""
    try:
        return _carry_out(options, output)
    except Stopped as stopped:
        return cast("int", stopped.code)
    except EXPECTED as error:
        if options.command == "check":
            output.send(_connection("FAILED", redactor.clean(_sentence(error))))
            return 0
        output.send(messages.error(_sentence(error), failure_type(error, messages.CONFIG_ERROR)))
    except Exception as error:
        if is_output(error):
            raise
        sentence = f"Unexpected {type(error).__name__}: {error}. Please report it"
        trace = traceback.format_exc()
        output.send(messages.error(sentence, messages.SYSTEM_ERROR, stack_trace=trace))
    return 1


def _carry_out(options: argparse.Namespace, output: Output) -> int:
    level = "DEBUG" if options.debug else os.environ.get("LOGLEVEL")
    if level:
        with setting_up_logging("TAP_TWILIO_"):
            logging.getLogger().setLevel(level.upper())
    if options.command == "spec":
        output.send({"type": "SPEC", "spec": specification()})
        return 0
    config = understood(read_file("config", options.config))
    if options.command == "check":
        _sign_in(SourceTap(config=config, setup_mapper=False))
        output.send(_connection("SUCCEEDED"))
        return 0
    if options.command == "discover":
        tap = SourceTap(config=config, setup_mapper=False)
        output.send({"type": "CATALOG", "catalog": discovered(tap)})
        return 0
    catalog = read_file("catalog", options.catalog)
    blobs = parsed(None if options.state is None else read_file("state", options.state, list))
    tap = SourceTap(config=config, setup_mapper=False)
    return 0 if read(tap, wanted(tap, catalog), blobs, output) else 1


def _sign_in(tap: SourceTap) -> None:
    """Do what a read does before it reads."""
    tap.sign_in()
    for stream in tap.streams.values():
        if isinstance(stream, CustomStream):
            # This holds its declaration against its first rows.
            _ = stream.schema


def _connection(status: str, sentence: str | None = None) -> messages.Message:
    content = {"status": status} if sentence is None else {"status": status, "message": sentence}
    return {"type": "CONNECTION_STATUS", "connectionStatus": content}


def _sentence(error: Exception) -> str:
    """Tell an error as the tap does."""
    if isinstance(error, ConfigValidationError):
        return "; ".join(error.errors)
    return str(error)
