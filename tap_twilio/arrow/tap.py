"""A tap within another program: it takes no signals, writes nothing, and fails in one sentence."""

from __future__ import annotations

import copy
import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar

from singer_sdk.exceptions import ConfigValidationError
from typing_extensions import override

from tap_twilio.config.checks import did_you_mean
from tap_twilio.config.schema import SCHEMA
from tap_twilio.http.errors import TapError
from tap_twilio.http.redaction import redactor
from tap_twilio.tap import TapTwilio

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from datetime import datetime

    from tap_twilio.resource.resource import Node

SHOWN = 3
"""Failures that one sentence has room for."""


class TwilioError(Exception):
    """An error that one sentence explains."""


class QuietTap(TapTwilio):
    """A tap whose present is that of the query, however late a task runs.

    It has no stream maps and no flattening: the program has better ways to change rows.
    """

    config_jsonschema: ClassVar[dict[str, Any]] = copy.deepcopy(SCHEMA)

    @classmethod
    @override
    def append_builtin_config(cls, config_jsonschema: dict[str, Any]) -> None:
        """Add nothing."""

    def __init__(self, *, present: datetime, **kwargs: Any) -> None:
        """Start it at the moment of the query, in UTC."""
        self._present = present
        if not self.logger.hasHandlers():
            # Warnings belong into the log of the program, and must pass the redactor.
            self.logger.addHandler(logging.StreamHandler())
        super().__init__(**kwargs)
        if self._settings is not None and self._settings.bulkexport is not None:
            self.logger.warning("bulkexport.order has no effect: only the command line orders")

    @classmethod
    def environment(cls) -> dict[str, Any]:
        """Give the settings that the environment has."""
        return dict(cls._env_var_config)

    @override
    def _setup_signal_handlers(self) -> None:
        """Leave signals to the program."""

    @override
    def moment(self) -> datetime:
        return self._present

    def select(self, names: Collection[str]) -> None:
        """Select the streams to read, before anything else is asked of them.

        Others are read only where these need them.

        Raises:
            TapError: There is no such stream.
        """
        for name in names:
            if name not in self.streams:
                hint = did_you_mean(name, [*self.streams])
                msg = f"there is no stream {name!r}; {hint}"
                raise TapError(msg)
        for name, stream in self.streams.items():
            stream.selected = name in names

    def nodes(self) -> list[Node]:
        """Give the nodes of the streams to be read."""
        return [node for node in (self.sync.root, *self.sync.root.descendants) if node.is_selected]

    def check_complete(self) -> None:
        """End a read that could not read everything as a failure.

        Raises:
            TapError: It names what could not be read, or a few of that.
        """
        failures = self.run.progress.failures
        if failures:
            more = f" (and {len(failures) - SHOWN} more)" if len(failures) > SHOWN else ""
            msg = "; ".join(map(str, failures[:SHOWN])) + more
            raise TapError(msg)


@contextmanager
def one_sentence() -> Iterator[None]:
    """Turn errors that the tap explains into what the program shows of them.

    Raises:
        TwilioError: The settings make no sense, or something could not be read.
    """
    try:
        yield
    except ConfigValidationError as error:
        sentence = "; ".join(error.errors)
    except TapError as error:
        sentence = str(error)
    else:
        return
    raise TwilioError(redactor.clean(sentence)) from None
