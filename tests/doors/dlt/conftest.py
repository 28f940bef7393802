"""A simulated Twilio in the environment, and a home for dlt."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox import Sandbox

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """They need packages that the tests of the tap itself do without."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.door)


@pytest.fixture
def twilio(
    sandbox: Callable[..., Sandbox], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Sandbox:
    """Two accounts; some rows of each are old and have no date."""
    simulated = sandbox(seed=7, volumes={"calls": 120, "messages": 120})
    for name, value in {
        "TAP_TWILIO_ACCOUNT_SID": simulated.account_sid,
        "TAP_TWILIO_AUTH_TOKEN": simulated.auth_token,
        "TAP_TWILIO_BASE_URL": simulated.base_url,
        "TAP_TWILIO_RETRY_DELAY": "0.01",
        "TAP_TWILIO_START_DATE": "P50D",
        "DLT_DATA_DIR": str(tmp_path / "home"),
        "DLT_PROJECT_DIR": str(tmp_path),
        "RUNTIME__DLTHUB_TELEMETRY": "false",
        # Far from UTC, as many machines are.
        "TZ": "America/New_York",
    }.items():
        monkeypatch.setenv(name, value)
    return simulated
