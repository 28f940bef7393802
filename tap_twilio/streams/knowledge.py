"""Knowledge (``knowledge.twilio.com``): texts and sites that assistants draw on."""

from __future__ import annotations

from tap_twilio.streams.accounts import AccountStream


class _Knowledge(AccountStream):
    product = "knowledge"
    selected_by_default = False


class KnowledgeSources(_Knowledge):
    """Sources of knowledge and the state of their processing."""

    name = "knowledge_sources"
    path = "/v1/Knowledge"
    primary_keys = ("id",)


class KnowledgeChunks(_Knowledge):
    """Pieces of text into which a source was cut."""

    name = "knowledge_chunks"
    parent_stream_type = KnowledgeSources
    parent_field = "id"
    path = "/v1/Knowledge/{knowledge_id}/Chunks"
    primary_keys = ("knowledge_id", "index")
    position_field = "index"
