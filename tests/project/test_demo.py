"""What `make demo` shows of the target."""

from __future__ import annotations

from collections import Counter

import pytest

from demo.campaign import OPTED_OUT, Campaign
from demo.errors import DemoError
from demo.sources import SimulatedAccount


@pytest.fixture(scope="module")
def campaign(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SimulatedAccount, "volumes", {"messages": 10})
        patch.setattr(SimulatedAccount, "days", 2)
        with SimulatedAccount(folder / "sandbox.log") as source:
            yield Campaign(folder, source)


def test_contacts_get_their_messages_and_the_tap_reads_them_back(campaign):
    planned = campaign.run(sends=False)

    assert Counter(line["outcome"] for line in planned.values()) == {
        "would_send": 19,
        "rejected": 1,
    }
    assert campaign.source.held() == []

    sent = campaign.run(sends=True)

    assert Counter(line["outcome"] for line in sent.values()) == {
        "sent": 18,
        "suppressed": 1,
        "rejected": 1,
    }
    assert sent[OPTED_OUT]["outcome"] == "suppressed"
    assert campaign.check(sent) == 18
    statuses = campaign.statuses()
    ended = {statuses[line["sid"]].split()[0] for line in sent.values() if line["sid"]}
    assert "delivered" in ended <= {"delivered", "undelivered", "failed"}
    with pytest.raises(DemoError, match="Twilio has 18"):
        campaign.check({1: sent[1]})
