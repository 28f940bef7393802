"""What the programs have in common: how they are told their settings, and how they end."""

from __future__ import annotations

import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import click
from singer_sdk import metrics
from singer_sdk.exceptions import ConfigValidationError
from singer_sdk.helpers._classproperty import classproperty
from singer_sdk.plugin_base import PluginBase
from typing_extensions import override

from tap_twilio.config import checks, inputs, terminal
from tap_twilio.config.process import lost_output
from tap_twilio.http.errors import Stopped, TapError, UnwritableError
from tap_twilio.http.redaction import is_news, is_wanted, redactor

if TYPE_CHECKING:
    import logging

_TOLD_BY_CLICK = (click.exceptions.Exit, click.ClickException)

FROM_ENV = "ENV"
"""Value of ``--config`` for settings in the environment."""


class Ending:
    """Turns whatever ends a run into one sentence and an exit code."""

    def __init__(self, logger: logging.Logger, reader: str, *, quotes: bool) -> None:
        """Watch nothing yet.

        Args:
            reader: The sentence for a reader of stdout that is gone.
            quotes: Whether to tell what an unexpected error says: it may quote what was read.
        """
        self._logger = logger
        self._reader = reader
        self._quotes = quotes

    def __enter__(self) -> None:
        """Guard the logs."""
        redactor.guard()

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        """End the process, if something went wrong."""
        if lost := lost_output(error, self._reader):
            sentence, code = lost
            self._logger.error("%s", sentence)
            sys.exit(code)
        if error is None or isinstance(error, Stopped):
            return
        if isinstance(error, (TapError, UnwritableError, ConfigValidationError)):
            for sentence in getattr(error, "errors", [error]):
                self._logger.error("%s", sentence)
            sys.exit(1)
        if isinstance(error, Exception) and not isinstance(error, _TOLD_BY_CLICK):
            self._tell_of_unexpected(error)
            sys.exit(1)

    def _tell_of_unexpected(self, error: Exception) -> None:
        name = type(error).__name__
        if self._quotes:
            self._logger.debug("Where it happened", exc_info=error)
            name = f"{name}: {error}"
        else:
            where = "".join(traceback.format_tb(error.__traceback__))
            self._logger.debug("Where it happened: %s", where)
        self._logger.error("Unexpected %s. LOGLEVEL=DEBUG tells where; please report it", name)


class Program(PluginBase):
    """A plugin whose command line ends with one sentence, whatever goes wrong."""

    lost_reader: ClassVar[str] = "The target ended before the tap did"
    """The sentence for a reader of stdout that is gone."""

    quotes_errors: ClassVar[bool] = True
    """Whether unexpected errors are told in their own words."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Quieten the SDK, and start it."""
        self.logger.addFilter(is_news)
        metrics.get_metrics_logger().addFilter(is_wanted)
        super().__init__(*args, **kwargs)

    @classmethod
    def ending(cls) -> Ending:
        """Give what turns the end of a run into a sentence and an exit code."""
        return Ending(cls.logger, cls.lost_reader, quotes=cls.quotes_errors)

    @classmethod
    def main(cls) -> None:
        """Run the program."""
        with cls.ending():
            with inputs.setting_up_logging(cls._env_var_prefix):
                command = cls.cli
                terminal.shorten_log()
            command()

    @classproperty
    @override
    def _env_var_config(cls) -> dict[str, Any]:  # noqa: N805 - as the SDK has it
        cls.append_builtin_config(cls.config_jsonschema)
        return checks.from_environment(cls.config_jsonschema["properties"], cls._env_var_prefix)

    @classmethod
    @override
    def cb_config(cls, ctx: click.Context, param: click.Option, value: tuple[str, ...]) -> Any:
        with cls.ending():
            # The SDK looks into the environment only.
            given = super().cb_config(ctx, param, tuple(one for one in value if one == FROM_ENV))
            for path in value:
                if path != FROM_ENV:
                    given.config |= inputs.read_file("config", Path(path), is_one_of=True)
            return given
