from __future__ import annotations

from pathlib import Path

import pytest

import target_twilio.settings
from tap_twilio.config.checks import SettingsError
from target_twilio.settings import file_system, parse

ACCOUNT = "AC" + "0" * 32
MOUNTS = """\
/dev/root / ext4 rw,relatime 0 0
tmpfs /scratch tmpfs rw,size=50% 0 0
/dev/sdb /srv/data xfs rw 0 0
tmpfs /srv/data tmpfs rw 0 0
/dev/sdc /srv/data/kept ext4 rw 0 0
tmpfs /srv/two\\040words tmpfs rw 0 0
"""


@pytest.fixture
def mounts(tmp_path):
    path = tmp_path / "mounts"
    path.write_text(MOUNTS)
    return path


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/", "ext4"),
        ("/srv/ledger.db", "ext4"),
        ("/scratch", "tmpfs"),
        ("/scratch/ledger.db", "tmpfs"),
        ("/scratched/ledger.db", "ext4"),
        ("/srv/data/ledger.db", "tmpfs"),
        ("/srv/data/kept/ledger.db", "ext4"),
        ("/srv/two words/ledger.db", "tmpfs"),
    ],
)
def test_the_nearest_and_last_mount_tells_the_file_system(mounts, path, kind):
    assert file_system(Path(path), mounts) == kind


def test_a_system_without_a_list_of_mounts_tells_no_file_system(tmp_path):
    assert file_system(Path("/"), tmp_path / "none") is None


def test_a_ledger_in_memory_is_refused(monkeypatch, mounts, tmp_path):
    mounts.write_text(f"/dev/root / ext4 rw 0 0\ntmpfs {tmp_path} tmpfs rw 0 0\n")
    monkeypatch.setattr(target_twilio.settings, "MOUNTS", mounts)
    config = {
        "account_sid": ACCOUNT,
        "auth_token": "0" * 32,
        "send": True,
        "ledger_path": str(tmp_path / "ledger.db"),
    }
    properties: dict[str, dict[str, object]] = {name: {} for name in config}
    with pytest.raises(SettingsError, match="ledger_path: it is in memory, and so would forget"):
        parse(config, properties=properties, user_agent="tests")
