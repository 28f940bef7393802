"""The target: its settings, its messages, and how a run begins and ends."""

from __future__ import annotations

import contextlib
import copy
import gzip
import logging
from functools import cached_property
from typing import IO, TYPE_CHECKING, Any, ClassVar, Final

from singer_sdk import Target, metrics
from singer_sdk.exceptions import (
    ConfigValidationError,
    MissingKeyPropertiesError,
    RecordsWithoutSchemaException,
)
from singer_sdk.helpers._batch import BaseBatchFileEncoding, BatchFileFormat, StorageTarget
from singer_sdk.helpers.capabilities import PluginCapabilities
from singer_sdk.singerlib.json import deserialize_json
from typing_extensions import override

from tap_twilio.config import checks, references
from tap_twilio.config.program import Program
from tap_twilio.http.errors import IncompleteError, Stopped, TapError
from tap_twilio.http.redaction import redactor
from target_twilio import settings
from target_twilio.reader import InputError, Reader
from target_twilio.run import Run
from target_twilio.schema import LEFT_OUT, SCHEMA
from target_twilio.sink import RowSink
from target_twilio.stops import Stops

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

    from singer_sdk.helpers.capabilities import CapabilitiesEnum
    from singer_sdk.io_base import GenericSingerReader
    from singer_sdk.plugin_base import _ConfigInput

BROKEN: Final = (RecordsWithoutSchemaException, MissingKeyPropertiesError)
"""The SDK's errors of messages that break Singer's rules; they quote names only."""


def is_without_values(record: logging.LogRecord) -> bool:
    """Tell whether to log what the SDK's mapper says: for debugging it tells what rows hold."""
    return record.levelno > logging.DEBUG


class TargetTwilio(Program, Target):
    """Has rows become Twilio messages, once each."""

    name = "target-twilio"
    package_name = "tap-twilio-streams"
    # A copy: the SDK adds its own settings to it.
    config_jsonschema: ClassVar[dict[str, Any]] = copy.deepcopy(SCHEMA)
    message_reader_class: type[GenericSingerReader[Any]] = Reader
    default_sink_class = RowSink
    capabilities: ClassVar[list[CapabilitiesEnum]] = [
        PluginCapabilities.ABOUT,
        PluginCapabilities.STREAM_MAPS,
        PluginCapabilities.FLATTENING,
        PluginCapabilities.STRUCTURED_LOGGING,
    ]
    lost_reader = "Whoever reads the state ended before the target did"
    # They might quote a row.
    quotes_errors = False

    settings: settings.Settings

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Check the settings; nothing is opened yet."""
        self.stops = Stops()
        logging.getLogger("singer_sdk.mapper").addFilter(is_without_values)
        super().__init__(*args, **kwargs)
        # Nothing is left to be done when sinks are drained.
        self.max_parallelism = 1

    # --- Settings ------------------------------------------------------------------------------

    @classmethod
    @override
    def append_builtin_config(cls, config_jsonschema: dict[str, Any]) -> None:
        super().append_builtin_config(config_jsonschema)
        for name in LEFT_OUT:
            config_jsonschema["properties"].pop(name, None)
        references.mend(config_jsonschema["properties"]["stream_maps"])

    @override
    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
        for secret in checks.secrets(self._config, SCHEMA["properties"]):
            redactor.add(secret)
        redactor.guard()
        self.append_builtin_config(self.config_jsonschema)
        try:
            self.settings = settings.parse(
                self._config,
                properties=self.config_jsonschema["properties"],
                user_agent=f"{self.name}/{self.plugin_version}",
            )
        except checks.SettingsError as error:
            summary = "Config validation failed"
            raise ConfigValidationError(
                summary, errors=error.errors, schema=self.config_jsonschema
            ) from None
        redactor.add_signature(self.settings.signature)
        return []

    @override
    def setup_mapper(self) -> None:
        with references.mapping("they make no sense"):
            super().setup_mapper()

    # --- Messages ------------------------------------------------------------------------------

    @cached_property
    def run(self) -> Run:
        """The run, which begins when it is first asked for."""
        run = Run(self.settings, self.stops)
        run.begin()
        return run

    @override
    def _process_schema_message(self, message_dict: dict[str, Any]) -> None:
        with references.mapping("they make no sense"):
            super()._process_schema_message(message_dict)

    # The SDK's own validates records, logs those that break their schema, and parses dates.
    @override
    def _process_record_message(self, message_dict: dict[str, Any]) -> None:
        self._assert_line_requires(message_dict, requires={"stream", "record"})
        name = message_dict["stream"]
        if name not in self.mapper.stream_maps:
            self._assert_sink_exists(name)
        for stream_map in self.mapper.stream_maps[name]:
            with references.mapping("they fail for a record"):
                record = stream_map.transform(copy.copy(message_dict["record"]))
            if record is None:
                continue
            self._assert_sink_exists(stream_map.stream_alias)
            sink = self.get_sink(stream_map.stream_alias, record=record)
            if sink.include_sdc_metadata_properties:
                sink._add_sdc_metadata_to_record(record, message_dict, {})  # noqa: SLF001
            else:
                sink._remove_sdc_metadata_from_record(record)  # noqa: SLF001
            sink._singer_validate_message(record)  # noqa: SLF001
            sink.tally_record_read()
            with self.stops.held():
                sink.process_record(record, {})
            sink.record_counter_metric.increment()
            sink.tally_record_written()
        self._handle_max_record_age()

    @override
    def _process_batch_message(self, message_dict: dict[str, Any]) -> None:
        self._assert_line_requires(message_dict, requires={"stream", "encoding", "manifest"})
        encoding = BaseBatchFileEncoding.from_dict(message_dict["encoding"])
        if encoding.format != BatchFileFormat.JSONL:
            msg = f"A BATCH message is of format {encoding.format!r}; only jsonl can be read"
            raise InputError(msg)
        for path in message_dict["manifest"]:
            for record in _records(path, is_compressed=encoding.compression == "gzip"):
                self._process_record_message({"stream": message_dict["stream"], "record": record})

    @override
    def _process_activate_version_message(self, message_dict: dict[str, Any]) -> None:
        """Do nothing: what is gone at its source was sent all the same."""

    @override
    def _write_state_message(self, state: dict[str, Any]) -> None:
        # A dry run has done nothing that the next run need not do.
        if not self.settings.send:
            return
        # It covers the rows that wait for more of their kind, too.
        with self.stops.held():
            self.run.flush()
            if state != self._written_state:
                super()._write_state_message(state)
                self._written_state = state

    _written_state: dict[str, Any] | None = None

    # --- How a run begins and ends -------------------------------------------------------------

    @override
    def process_endofpipe(self) -> None:
        with self.stops.held():
            self.run.flush()
        super().process_endofpipe()
        self.run.finish()
        self._close()

    def _close(self) -> None:
        """Tell what the run did, and give its files back."""
        for point in self.run.results.points():
            metrics.log(self.metrics_logger, point)
        for line in self.run.results.summary():
            self.logger.info("%s", line)
        self.has_failures = self.run.has_failures
        self.run.close()

    has_failures = False

    def carry_out(self, file_input: IO[str] | None = None) -> None:
        """Read all input, and do what its rows ask for.

        Raises:
            IncompleteError: Rows were rejected, or nobody knows whether they were sent.
            TapError: The run had to end before its input did.
            Stopped: A signal asked it to end.
        """
        # What an earlier run left is settled even if no row comes.
        run = self.run
        try:
            self.listen(file_input)
        except Stopped:
            self._end_early(may_wait=False)
            raise
        except TapError:
            self._end_early(may_wait=True)
            raise
        except BROKEN as error:
            self._end_early(may_wait=True)
            raise TapError(" ".join(str(error).split())) from error
        finally:
            run.close()
        if self.has_failures:
            msg = "Rows were rejected, or nobody knows whether they were sent: see the results"
            raise IncompleteError(msg)

    def _end_early(self, *, may_wait: bool) -> None:
        """Pass on the state of what was done, and tell of it.

        All rows before the last STATE were done, as each is before the next is read.
        """
        with contextlib.suppress(TapError):
            self.drain_all(is_endofpipe=True)
            self.run.finish(may_wait=may_wait)
        with contextlib.suppress(TapError):
            self._close()

    @override
    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:
        if not self.stops.is_asked:
            self.logger.warning("Ending on signal %d", signum)
        self.stops.signal(signum)

    @classmethod
    @override
    def invoke(  # type: ignore[override] # as the SDK's Target does
        cls,
        *,
        about: bool = False,
        about_format: str | None = None,
        config: _ConfigInput | None = None,
        file_input: IO[str] | None = None,
    ) -> None:
        """Run the command line's main job, and end with the exit code that tells how it went."""
        with cls.ending():
            super(Target, cls).invoke(about=about, about_format=about_format)
            cls.print_version(print_fn=cls.logger.info)
            given = config.config if config is not None else {}
            parse_env = config.parse_env if config is not None else False
            cls(config=given, parse_env_config=parse_env).carry_out(file_input)


def _records(path: str, *, is_compressed: bool) -> Iterator[dict[str, Any]]:
    """Read the records of a batch, one line each.

    Raises:
        InputError: They can't be read.
    """
    head, tail = StorageTarget.split_url(path)
    try:
        with contextlib.ExitStack() as stack:
            file = stack.enter_context(StorageTarget.from_url(head).open(tail, mode="rb"))
            for line in gzip.GzipFile(fileobj=file) if is_compressed else file:
                record = deserialize_json(line)
                if not isinstance(record, dict):
                    raise _no_object(path)
                yield record
    except (OSError, EOFError) as error:
        msg = f"A BATCH message names {path}, which can't be read ({type(error).__name__})"
        raise InputError(msg) from error
    except (ValueError, RecursionError):
        raise _no_object(path) from None


def _no_object(path: str) -> InputError:
    return InputError(f"A BATCH message names {path}, of which a line is no JSON object")
