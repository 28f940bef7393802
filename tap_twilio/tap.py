"""The tap: its settings, its streams, and how a run begins and ends."""

from __future__ import annotations

import copy
import json
import os
import sys
from functools import cached_property
from typing import IO, TYPE_CHECKING, Any, ClassVar, cast

import click
from singer_sdk import Tap, metrics
from singer_sdk.exceptions import ConfigValidationError
from singer_sdk.singerlib import Catalog
from typing_extensions import override

from tap_twilio.config import checks, inputs, references, settings
from tap_twilio.config.process import SIGNAL_BASE
from tap_twilio.config.program import Program
from tap_twilio.config.schema import SCHEMA
from tap_twilio.custom.samples import Samples
from tap_twilio.custom.streams import CustomStream, classes
from tap_twilio.engine.run import Run
from tap_twilio.engine.survey import Survey
from tap_twilio.engine.sync import Sync
from tap_twilio.http.errors import IncompleteError, Stopped, TapError
from tap_twilio.http.redaction import redactor
from tap_twilio.output.singer import SingerSink, Writer
from tap_twilio.records.pii import Rule
from tap_twilio.resource.resource import Node
from tap_twilio.streams import STREAMS, listing
from tap_twilio.streams.accounts import Accounts
from tap_twilio.streams.bulkexports import BulkExportsJobs

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime
    from types import FrameType

    from singer_sdk import Stream
    from singer_sdk.plugin_base import _ConfigInput
    from singer_sdk.singerlib.encoding.base import GenericSingerWriter

    from tap_twilio.engine.sign_in import SignedIn
    from tap_twilio.output.sink import Sink
    from tap_twilio.streams.base import TwilioStream


TESTS = ["connection", "estimate", "records", "schema", "all", "disabled"]
"""Values of ``--test``: without one, the SDK takes all; without the option, disabled."""

TEST_HELP = (
    "connection signs in, and reads nothing; estimate tells what a first run would take; "
    "records, as without a value, reads a row of each stream; schema writes schemas."
)


class TapTwilio(Program, Tap):
    """Reads everything that Twilio lists."""

    name = "tap-twilio"
    package_name = "tap-twilio-streams"
    # A copy: the SDK adds its own settings to it.
    config_jsonschema: ClassVar[dict[str, Any]] = copy.deepcopy(SCHEMA)
    message_writer_class: type[GenericSingerWriter[Any, Any]] = Writer

    def __init__(self, *args: Any, select: str | None = None, **kwargs: Any) -> None:
        """Check the settings.

        Args:
            select: Which streams are selected, where no catalog says so.
        """
        self._select = select
        super().__init__(*args, **kwargs)

    # --- Settings ------------------------------------------------------------------------------

    @classmethod
    @override
    def append_builtin_config(cls, config_jsonschema: dict[str, Any]) -> None:
        super().append_builtin_config(config_jsonschema)
        references.mend(config_jsonschema["properties"]["stream_maps"])

    @override
    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
        for secret in checks.secrets(self._config, SCHEMA["properties"]):
            redactor.add(secret)
        redactor.guard()
        self.append_builtin_config(self.config_jsonschema)
        self._settings: settings.Settings | None = None
        self._custom: list[type[CustomStream]] = []
        self._mistakes: list[str] = []
        try:
            given = settings.parse(
                self._config,
                properties=self.config_jsonschema["properties"],
                user_agent=f"{self.name}/{self.plugin_version}",
                now=self.moment(),
            )
            for signature in (given.signature, *given.subaccount_signatures.values()):
                redactor.add_signature(signature)
            self._custom = classes(given.custom_streams)
            self._check_streams(given)
        except checks.SettingsError as error:
            # A user who has no credentials yet can be told which streams there are.
            if raise_errors or not error.is_unsigned:
                summary = "Config validation failed"
                raise ConfigValidationError(
                    summary, errors=error.errors, schema=self.config_jsonschema
                ) from None
            self._mistakes = error.errors
        else:
            self._settings = given
        return self._mistakes

    def _check_streams(self, given: settings.Settings) -> None:
        """Look whether the streams and parameters that settings name are there."""
        known = {stream.name: stream for stream in (*STREAMS, *self._custom)}
        mistakes = [
            *references.filter_mistakes(given.filters, known),
            *references.map_mistakes(self._config.get("stream_maps") or {}, known),
        ]
        if mistakes:
            raise checks.SettingsError(mistakes)

    @property
    def pii(self) -> Rule:
        """The rule for personal data: kept where settings make no sense, as in ``--about``."""
        given = self._settings
        return Rule() if given is None else Rule(given.pii, given.pii_key)

    def moment(self) -> datetime:
        """Give the moment of the run, in UTC: what it reads up to."""
        return settings.now_utc()

    @cached_property
    def run(self) -> Run:
        """The run, which the streams share."""
        if self._settings is None:
            msg = "This needs settings that make sense"
            raise TapError(msg)
        return Run(self._settings)

    @cached_property
    def sync(self) -> Sync:
        """The conductor of this run; a selection that changes later makes no difference to it."""
        root = self.tree(self._accounts)
        jobs = None
        if self.run.settings.bulkexport is not None:
            jobs = self._node(BulkExportsJobs(self), root)
        return Sync(root, self.run, self._moving_state, jobs)

    def sign_in(self) -> SignedIn:
        """Find out whose rows the credentials can read, and read nothing.

        Raises:
            SignInError: Twilio refused the credentials.
            TapError: Twilio can't be reached, or the setting ``accounts`` names none.
        """
        return Sync(self._node(self._accounts, None), self.run, self._moving_state).sign_in()

    def estimate(self) -> None:
        """Print what the credentials read, and what a first run of the selection takes.

        Raises:
            SignInError: Twilio refused the credentials.
            IncompleteError: Something could not be asked.
        """
        root = self.tree(self._accounts)
        found = Sync(root, self.run, {}).sign_in()
        for line in Survey(root, self.run, found)().lines():
            click.echo(line)
        self.run.check_complete()

    @property
    def _moving_state(self) -> dict[str, Any]:
        return cast("dict[str, Any]", self.state)

    @property
    def _accounts(self) -> TwilioStream:
        return cast("TwilioStream", self.streams[Accounts.name])

    def tree(self, stream: TwilioStream, parent: Node | None = None) -> Node:
        """Give a stream's place in a run, and all that is to be read below it."""
        node = self._node(stream, parent)
        node.children = [
            self.tree(child, node)
            for child in cast("list[TwilioStream]", stream.child_streams)
            if child.selected or child.has_selected_descendents
        ]
        return node

    def _node(self, stream: TwilioStream, parent: Node | None) -> Node:
        return Node(
            stream.resource,
            parent,
            account_sid=self.run.settings.account_sid,
            is_selected=stream.selected,
            goes_by_dates=stream.replication_method == "INCREMENTAL",
            may_skip=self.run.settings.skip_unchanged,
            limit=stream.ABORT_AT_RECORD_COUNT,
        )

    @override
    def load_state(self, state: dict[str, Any]) -> None:
        keys = {
            stream.name: cast("str", stream.replication_key) if stream.window else None
            for stream in (*STREAMS, *self._custom)
        }
        for note in inputs.understand(state, keys, self.moment()):
            self.logger.warning("--state: %s", note)
        super().load_state(state)

    # --- Streams and messages ------------------------------------------------------------------

    @override
    def setup_mapper(self) -> None:
        # The streams put their own schemas into the catalog, which the mapper reads.
        streams = self.streams
        catalog = self.catalog
        if self.input_catalog is not None:
            # The mapper takes longer over all streams than everything else does before a run.
            catalog = Catalog({name: catalog[name] for name in catalog if streams[name].selected})
        with references.mapping("they make no sense"):
            super(Tap, self).setup_mapper()
            self.mapper.register_raw_streams_from_catalog(catalog)

    @override
    def discover_streams(self) -> Sequence[TwilioStream]:
        if self._config.get("custom_streams") and self._mistakes:
            raise TapError("; ".join(self._mistakes))
        known = [stream.name for stream in (*STREAMS, *self._custom)]
        for name in self.input_catalog or ():
            if name not in known:
                hint = checks.did_you_mean(name, known)
                msg = f"--catalog: there is no stream {name!r}; {hint}"
                raise TapError(msg)
        samples, needed = Samples(self), self._needed()
        custom = [stream(self, samples) for stream in self._custom if stream in needed]
        streams = [*(stream(self) for stream in STREAMS if stream in needed), *custom]
        if self._select is not None:
            for stream in streams:
                # Not selected, which asks for the schema, and so may ask Twilio for rows.
                stream.selected_by_default = type(stream) in self.chosen
        return streams

    @cached_property
    def chosen(self) -> list[type[TwilioStream]]:
        """The classes of the streams that ``--select`` names; all without it."""
        known = (*STREAMS, *self._custom)
        return [*known] if self._select is None else listing.chosen(self._select, known)

    def _needed(self) -> set[type[Stream]]:
        """Find the classes of streams in the catalog, and of those above; all without a catalog.

        To make all takes longer.
        """
        known = (*STREAMS, *self._custom)
        wanted = self.chosen
        if self.input_catalog is not None:
            wanted = [stream for stream in known if stream.name in self.input_catalog]
        needed: set[type[Stream]] = {Accounts}
        for stream in wanted:
            level: type[Stream] | None = stream
            while level is not None:
                needed.add(level)
                level = level.parent_stream_type
        return needed

    @property
    @override
    def catalog_dict(self) -> dict[str, Any]:
        names = {stream.name for stream in self.chosen}
        entries = super().catalog_dict["streams"]
        return {"streams": [entry for entry in entries if entry["tap_stream_id"] in names]}

    def read(self) -> None:
        """Read everything that is selected, and write it as Singer messages."""
        self.read_into(
            SingerSink(
                cast("dict[str, TwilioStream]", self.streams),
                self.message_writer,
                settings=self.run.settings,
                mapping=references.mapping,
            )
        )

    def records(self, name: str, context: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """Read the list of one stream below some parents."""
        return self.sync.records(name, context)

    def read_into(self, sink: Sink) -> None:
        """Read everything that is selected into a sink, and tell what the run did.

        Raises:
            IncompleteError: Something could not be read to its end.
            Stopped: A signal asked the run to end.
        """
        try:
            self.sync.write(sink)
        except (IncompleteError, Stopped):
            self.tell()
            raise
        self.tell()

    def tell(self) -> None:
        """Log what the run did."""
        progress = self.run.progress
        progress.finish()
        for point in progress.points():
            metrics.log(self.metrics_logger, point)
        for line in progress.summary(self._bookmarks()):
            self.logger.info("%s", line)

    def _bookmarks(self) -> dict[str, list[str]]:
        return {
            name: [
                partition["replication_key_value"]
                for partition in stream.get("partitions", [])
                if "replication_key_value" in partition
            ]
            for name, stream in self.state.get("bookmarks", {}).items()
        }

    # --- How a run begins and ends -------------------------------------------------------------

    @override
    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:
        if self._stopping:
            os._exit(SIGNAL_BASE + signum)
        self._stopping = True
        if "run" in self.__dict__ and self.run.emits:
            self.logger.warning("Ending on signal %d", signum)
            self.run.stop(SIGNAL_BASE + signum)
        else:
            sys.exit(SIGNAL_BASE + signum)

    _stopping = False

    @classmethod
    @override
    def get_singer_command(cls) -> click.Command:
        command = super().get_singer_command()
        for option in command.params:
            if option.name == "catalog":
                # Before --test, which takes it, wherever it stands.
                option.is_eager = True
            elif option.name == "test":
                cast("click.Option", option).help = TEST_HELP
        command.params += [
            click.Option(
                ["--select"],
                metavar="STREAMS",
                is_eager=True,
                help=(
                    "Choose streams without a catalog, for --streams and --discover too: names, "
                    "products or patterns, such as calls,voice,message*."
                ),
            ),
            click.Option(
                ["--streams"],
                is_flag=True,
                help="List the streams, how each is read, and how many requests it costs.",
                callback=cls.cb_streams,
                expose_value=False,
            ),
        ]
        return command

    @classmethod
    @override
    def invoke(  # type: ignore[override] # as the SDK's Tap does
        cls,
        *,
        config: _ConfigInput,
        about: bool = False,
        about_format: str | None = None,
        select: str | None = None,
        **files: IO[str] | None,
    ) -> None:
        """Run the command line's main job, and end with the exit code that tells how it went."""
        with cls.ending():
            super(Tap, cls).invoke(about=about, about_format=about_format)
            cls.print_version(print_fn=cls.logger.info)
            cls._given(config, select, files).sync_all()

    @classmethod
    def _given(
        cls, config: _ConfigInput, select: str | None, files: Mapping[str, IO[str] | None]
    ) -> TapTwilio:
        """Make a tap of what the command line gives."""
        given = {
            name: json.load(inputs.read(name, file))
            for name, file in files.items()
            if file is not None
        }
        if select is not None and "catalog" in given:
            msg = "--select: give either this or --catalog, which selects streams itself"
            raise TapError(msg)
        return cls(config=config.config, parse_env_config=config.parse_env, select=select, **given)

    @classmethod
    def _looking(cls, ctx: click.Context) -> TapTwilio:
        """Make a tap that only tells what there is, so that it needs no credentials."""
        config = ctx.params["config"]
        return cls(
            config=config.config,
            parse_env_config=config.parse_env,
            validate_config=False,
            setup_mapper=False,
            select=ctx.params.get("select"),
        )

    @classmethod
    @override
    def cb_discover(cls, ctx: click.Context, param: click.Option, value: bool) -> None:
        if value:
            with cls.ending():
                cls._looking(ctx).run_discovery()
            ctx.exit()

    @classmethod
    def cb_streams(cls, ctx: click.Context, _param: click.Option, value: bool) -> None:  # noqa: FBT001
        """List the streams."""
        if value:
            with cls.ending():
                for line in listing.lines(cls._looking(ctx).chosen):
                    click.echo(line)
            ctx.exit()

    @classmethod
    @override
    def cb_test(cls, ctx: click.Context, param: click.Option, value: str) -> None:
        with cls.ending():
            if value not in TESTS:
                msg = f"--test: there is no test {value!r}; {checks.did_you_mean(value, TESTS)}"
                raise TapError(msg)
            if value == "disabled":
                return
            files = {"catalog": ctx.params.get("catalog")}
            tap = cls._given(ctx.params["config"], ctx.params.get("select"), files)
            if value == "connection":
                count = len(tap.sign_in().parents)
                cls.logger.info("Signed in; %d accounts can be read", count)
            elif value == "estimate":
                tap.estimate()
            elif value == "schema":
                tap.write_schemas()
            elif tap.run.settings.bulkexport is not None:
                msg = "--test: it orders nothing. Set bulkexport.order to false for it"
                raise TapError(msg)
            else:
                tap.run_connection_test()
        ctx.exit()
