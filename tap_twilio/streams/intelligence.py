"""Conversational Intelligence (``intelligence.twilio.com``): transcripts and what they tell."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from typing_extensions import override

from tap_twilio.resource.windows import DateFilter
from tap_twilio.streams.accounts import AccountStream

if TYPE_CHECKING:
    from tap_twilio.streams.base import Record

DAY = timedelta(days=1)


class _Intelligence(AccountStream):
    product = "intelligence"
    selected_by_default = False


class IntelligenceServices(_Intelligence):
    """Services: how recordings are transcribed and by which operators they are read."""

    name = "intelligence_services"
    path = "/v2/Services"


class IntelligenceServiceOperators(_Intelligence):
    """SIDs of the operators attached to a service, all in one record."""

    name = "intelligence_service_operators"
    parent_stream_type = IntelligenceServices
    path = "/v2/Services/{service_sid}/Operators"
    primary_keys = ("service_sid",)


class IntelligenceOperators(_Intelligence):
    """Language operators, Twilio's own and an account's."""

    name = "intelligence_operators"
    path = "/v2/Operators"
    primary_keys = ("account_sid", "sid")


class IntelligenceOperatorTypes(_Intelligence):
    """Kinds of language operators."""

    name = "intelligence_operator_types"
    path = "/v2/OperatorTypes"
    primary_keys = ("account_sid", "sid")


class IntelligenceTranscripts(_Intelligence):
    """Transcripts of recordings: their state, language and length."""

    name = "intelligence_transcripts"
    path = "/v2/Transcripts"
    replication_key = "date_created"
    window = DateFilter(after="AfterDateCreated", before="BeforeDateCreated")
    lookback = 2 * DAY


class _OfTranscript(_Intelligence):
    parent_stream_type = IntelligenceTranscripts

    @classmethod
    @override
    def exists_for(cls, parent: Record) -> bool:
        return parent.get("status") not in {"new", "queued"}


class IntelligenceOperatorResults(_OfTranscript):
    """What each operator found in a transcript; redacted, unless the filter says otherwise."""

    name = "intelligence_operator_results"
    path = "/v2/Transcripts/{transcript_sid}/OperatorResults"
    primary_keys = ("transcript_sid", "operator_sid")


class IntelligenceSentences(_OfTranscript):
    """Sentences of a transcript; redacted, unless the filter says otherwise."""

    name = "intelligence_sentences"
    path = "/v2/Transcripts/{transcript_sid}/Sentences"
    primary_keys = ("transcript_sid", "sid")
