"""Messages that others write: the tap reads them back, and writes nothing itself."""

from __future__ import annotations

from datetime import timedelta

import requests

from harness import config_for
from sandbox.paths import MESSAGES


def once(records):
    sids = [one["sid"] for one in records]
    assert len(sids) == len(set(sids))
    return records


def test_messages_that_clients_write_are_read_with_their_last_status(run, sandbox):
    twilio = sandbox(volumes={"messages": 40}, subaccounts=0, frozen=True)
    place = f"{twilio.base_url}/api{MESSAGES}".replace("{AccountSid}", twilio.account_sid)
    service = next(iter(twilio.services))
    due = (twilio.now + timedelta(hours=2)).strftime("%Y-%m-%dT%H:%M:%SZ")
    to = [f"+44770090{place:04}" for place in range(12)]
    for number in to[:8]:
        form = {"To": number, "From": twilio.senders[0], "Body": "Hello"}
        requests.post(
            place, {**form, "MediaUrl": "https://example.com/a.png"}, auth=twilio.auth, timeout=9
        )
    for number in to[8:]:
        form = {"To": number, "MessagingServiceSid": service, "Body": "Remember"}
        requests.post(
            place, {**form, "ScheduleType": "fixed", "SendAt": due}, auth=twilio.auth, timeout=9
        )
    twilio.requests.reset()

    streams = ["messages", "message_media"]
    first = run(config_for(twilio), streams=streams)
    twilio.advance(timedelta(days=3))
    second = run(config_for(twilio), streams=streams, state=first.state)

    assert (first.exit_code, second.exit_code) == (0, 0)
    early = {one["sid"]: one for one in once(first.records("messages"))}
    late = {one["sid"]: one for one in once(second.records("messages"))}
    held = {one["sid"]: one["status"] for one in twilio.held}
    assert [early[sid]["status"] for sid in held] == ["queued"] * 8 + ["scheduled"] * 4
    assert {sid: late[sid]["status"] for sid in held} == held
    assert set(held.values()) <= {"delivered", "undelivered", "failed"}
    assert {one["message_sid"] for one in second.records("message_media")} >= set(list(held)[:8])
    assert set(twilio.requests.methods) == {"GET"}
