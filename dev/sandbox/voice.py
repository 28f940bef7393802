"""Calls, and what comes of them: recordings, conferences, feedback, insights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from sandbox.identifiers import hash_of, mix
from sandbox.moments import HOUR, MINUTE, iso8601, rfc2822
from sandbox.paths import CALLS, CONFERENCES, NUMBERS
from sandbox.rows import NAMES, OWN_NUMBERS, foreign_sid, national, own_number, phone_number
from sandbox.timeline import EveryNth

if TYPE_CHECKING:
    from sandbox.frames import Draft, Frame, Wire

_OUTCOMES: Final = (
    *["completed"] * 80,
    *["no-answer"] * 8,
    *["busy"] * 6,
    *["failed"] * 3,
    *["canceled"] * 3,
)
_DIRECTIONS: Final = (
    *["inbound"] * 8,
    *["outbound-api"] * 9,
    *["outbound-dial"] * 3,
)


class CallFacts(NamedTuple):
    """The course of a call.

    Attributes:
        started: When it was dialled.
        ended: When it was over.
        talked: Seconds that somebody was on the line.
        outcome: Its last status.
    """

    started: int
    ended: int
    talked: int
    outcome: str


def call_facts(created: int, bits: int) -> CallFacts:
    """Decide the course of a call."""
    outcome = _OUTCOMES[bits % len(_OUTCOMES)]
    started = created + (bits >> 7) % 4
    talked = 0
    if outcome == "completed":
        # One call in 128 is a very long one: rows may go on changing for hours.
        longest = 4 * HOUR if (bits >> 12) % 128 == 0 else 10 * MINUTE
        talked = 1 + (bits >> 20) % longest
    return CallFacts(started, started + 2 + (bits >> 9) % 20 + talked, talked, outcome)


def describe_call(draft: Draft) -> Wire:
    """Write a call: queued, ringing, in progress, over, priced minutes later."""
    bits, now = draft.bits, draft.now
    table = draft.table
    facts = call_facts(draft.created, bits)
    answered = facts.ended - facts.talked
    rated = facts.ended + MINUTE + (bits >> 30) % (9 * MINUTE)
    dialled = facts.outcome != "canceled" and now >= facts.started
    over = now >= facts.ended
    updated = draft.created
    price = None
    if over:
        status = facts.outcome
        updated = facts.ended
        if facts.talked and now >= rated:
            updated = rated
            price = f"{-0.0085 * -(-facts.talked // MINUTE):.5f}"
    elif now < facts.started:
        status = "queued"
    else:
        ringing = now < answered or not facts.talked
        status, updated = ("ringing", facts.started) if ringing else ("in-progress", answered)
    direction = _DIRECTIONS[(bits >> 40) % len(_DIRECTIONS)]
    ours_index = (bits >> 45) % OWN_NUMBERS
    ours = own_number(ours_index)
    numbers = table.relate(NUMBERS)
    theirs = phone_number(bits >> 13)
    outgoing, incoming = (theirs, ours) if direction == "inbound" else (ours, theirs)
    uri = f"/2010-04-01/Accounts/{table.account.sid}/Calls/{draft.sid}"
    return {
        "sid": draft.sid,
        "status": status,
        "direction": direction,
        "date_created": rfc2822(draft.created),
        "date_updated": rfc2822(updated),
        "start_time": rfc2822(facts.started) if dialled else None,
        "end_time": rfc2822(facts.ended) if over else None,
        "duration": str(facts.talked) if over else None,
        "queue_time": str((facts.started - draft.created) * 1000),
        "price": price,
        "price_unit": "USD",
        "from": outgoing,
        "from_formatted": national(outgoing),
        "to": incoming,
        "to_formatted": national(incoming),
        "phone_number_sid": None if numbers is None else numbers.sids.mint(ours_index),
        "parent_call_sid": (
            table.sids.mint(draft.index - 1)
            if direction == "outbound-dial" and draft.index
            else None
        ),
        "answered_by": "human" if (bits >> 50) % 8 == 0 else None,
        "api_version": "2010-04-01",
        "forwarded_from": ours if (bits >> 54) % 16 == 0 else None,
        "group_sid": None,
        "caller_name": "",
        "trunk_sid": "",
        "annotation": None,
        "uri": f"{uri}.json",
        "subresource_uris": {
            name: f"{uri}/{path}.json"
            for name, path in (
                ("feedback", "Feedback"),
                ("notifications", "Notifications"),
                ("recordings", "Recordings"),
                ("payments", "Payments"),
                ("events", "Events"),
            )
        },
    }


def base_row(draft: Draft) -> tuple[Frame, int] | None:
    """Find the row of another table that a row belongs to."""
    base, timeline = draft.table.base, draft.table.timeline
    if base is None or not isinstance(timeline, EveryNth):
        return None
    return base, timeline.base_index(draft.index)


def describe_recording(draft: Draft) -> Wire:
    """Write a recording: of a call that may still go on, then processed, then priced."""
    base = base_row(draft)
    if base is None:
        return {}
    calls, place = base
    facts = call_facts(calls.timeline.at(place), mix(calls.seed, place))
    done = facts.ended + 30 + draft.bits % 90
    rated = done + 10 * MINUTE
    now = draft.now
    conferences = draft.table.relate(CONFERENCES)
    conference = None
    if conferences is not None and isinstance(conferences.timeline, EveryNth):
        index = conferences.timeline.index_of(place)
        conference = None if index is None else conferences.sids.mint(index)
    final = "completed" if facts.talked else "absent"
    completed = now >= done and final == "completed"
    return {
        "call_sid": calls.sids.mint(place),
        "conference_sid": conference,
        "source": "Conference" if conference else "RecordVerb",
        "date_created": rfc2822(draft.created),
        "start_time": rfc2822(draft.created),
        "date_updated": rfc2822(rated if now >= rated else done if now >= done else draft.created),
        "status": final if now >= done else "processing" if now >= facts.ended else "in-progress",
        "duration": str(facts.talked) if completed else "-1",
        "price": "-0.00250" if now >= rated and completed else None,
        "price_unit": "USD",
        "channels": 1 + draft.bits % 2,
        "error_code": None,
        "encryption_details": None,
    }


def describe_transcription(draft: Draft) -> Wire:
    """Write a transcription, done some minutes after its recording."""
    base = base_row(draft)
    done = draft.now >= draft.created + 5 * MINUTE
    return {
        "recording_sid": base[0].sids.mint(base[1]) if base else None,
        "status": "completed" if done else "in-progress",
        "type": "fast",
        "transcription_text": "hello, this is a test, ありがとう" if done else None,
        "date_updated": rfc2822(draft.created + 5 * MINUTE if done else draft.created),
    }


def describe_notification(draft: Draft) -> Wire:
    """Write a notification about a call."""
    base = base_row(draft)
    return {
        "call_sid": base[0].sids.mint(base[1]) if base else None,
        "log": str(draft.bits % 2),
        "error_code": ("11200", "12100", "13227")[draft.bits % 3],
        "message_date": rfc2822(draft.created),
        "date_created": rfc2822(draft.created + 2),
        "date_updated": rfc2822(draft.created + 2),
    }


def describe_conference(draft: Draft) -> Wire:
    """Write a conference: about to start, in progress, over."""
    started = draft.created + 5
    ended = started + 2 * MINUTE + draft.bits % (58 * MINUTE)
    over = draft.now >= ended
    base = base_row(draft)
    return {
        "status": ("completed" if over else "in-progress" if draft.now >= started else "init"),
        "friendly_name": f"Salle de réunion {draft.bits % 40}",
        "region": ("us1", "ie1", "au1")[draft.bits % 3],
        "date_created": rfc2822(draft.created),
        "date_updated": rfc2822(
            ended if over else started if draft.now >= started else draft.created
        ),
        "reason_conference_ended": "last-participant-left" if over else None,
        "call_sid_ending_conference": base[0].sids.mint(base[1]) if over and base else None,
    }


def describe_participant(draft: Draft) -> Wire:
    """Write a participant of a conference that is not over."""
    calls = draft.table.relate(CALLS)
    conference = draft.table.relate(CONFERENCES)
    sid = foreign_sid("CA", draft.table.seed, draft.index)
    if calls is not None and conference is not None:
        index = conference.sids.index(draft.table.values["ConferenceSid"])
        if index is not None and isinstance(conference.timeline, EveryNth):
            sid = calls.sids.mint(conference.timeline.base_index(index) + draft.index)
    return {"call_sid": sid, "status": "connected", "label": None if draft.index else "host"}


def describe_feedback(draft: Draft) -> Wire:
    """Write the feedback on a call, whose SID it bears."""
    score = 1 + draft.bits % 5
    return {
        "sid": draft.table.values["CallSid"],
        "quality_score": score,
        "issues": [] if score > 3 else ["imperfect-audio", "dropped-call"],  # noqa: PLR2004
        "date_created": rfc2822(draft.created),
        "date_updated": rfc2822(draft.created),
    }


def describe_call_event(draft: Draft) -> Wire:
    """Write a request that Twilio made during a call."""
    return {
        "request": {
            "method": "POST",
            "url": f"https://example.com/voice/{draft.index}",
            "parameters": {"call_status": "ringing", "caller_name": NAMES[draft.bits % len(NAMES)]},
        },
        "response": {
            "response_code": 200,
            "request_duration": draft.bits % 900,
            "content_type": "application/xml",
            "response_body": "<Response/>",
            "date_created": rfc2822(draft.created),
        },
    }


def describe_call_summary(draft: Draft) -> Wire:
    """Write the insights into a call: partial first, complete half an hour after it."""
    base = base_row(draft)
    if base is None:
        return {}
    calls, place = base
    facts = call_facts(calls.timeline.at(place), mix(calls.seed, place))
    complete = draft.now >= facts.ended + 30 * MINUTE
    return {
        "call_sid": calls.sids.mint(place),
        "start_time": iso8601(facts.started),
        "end_time": iso8601(facts.ended),
        "created_time": iso8601(draft.created),
        "duration": facts.ended - facts.started,
        "connect_duration": facts.talked,
        "processing_state": "complete" if complete else "partial",
    }


def describe_conference_summary(draft: Draft) -> Wire:
    """Write the insights into a conference."""
    base = base_row(draft)
    if base is None:
        return {}
    return {
        "conference_sid": base[0].sids.mint(base[1]),
        "create_time": iso8601(draft.created),
        "start_time": iso8601(draft.created + 5),
    }


def has_feedback(call: Wire) -> int:
    """Tell whether anybody gave feedback on a call."""
    return int(hash_of(call["sid"]) % 4 == 0)


def not_completed(row: Wire) -> bool:
    """Tell whether a conference still has participants."""
    return row.get("status") != "completed"


def place_by_base(table: Frame, sid: str, now: int) -> int | None:
    """Find a row by the SID of the base's row that it belongs to."""
    if table.base is None or not isinstance(table.timeline, EveryNth):
        return None
    place = table.base.sids.index(sid)
    index = None if place is None else table.timeline.index_of(place)
    return index if index is not None and index < table.timeline.before(now) else None
