"""The SDK's own tests for taps, against the simulated Twilio."""

from __future__ import annotations

import pytest
from singer_sdk.testing import SuiteConfig, get_tap_test_class

from sandbox import Sandbox
from tap_twilio.tap import TapTwilio
from tests.harness import config_for, utc_now

TWILIO = Sandbox(seed=5, now=utc_now(), days=20, volumes={"calls": 60, "messages": 60})
TWILIO.start()

TestTapTwilio = get_tap_test_class(
    TapTwilio,
    config=config_for(TWILIO, start_date="P30D"),
    suite_config=SuiteConfig(
        max_records_limit=20,
        # Only running conferences have participants, and most calls no feedback.
        ignore_no_records=True,
    ),
)


@pytest.fixture(scope="module", autouse=True)
def _stop():
    yield
    TWILIO.stop()
