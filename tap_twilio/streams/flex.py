"""Flex (``flex-api.twilio.com``): the contact centre's settings, plugins and insights."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from tap_twilio.streams.accounts import AccountStream

if TYPE_CHECKING:
    from collections.abc import Mapping


class _Flex(AccountStream):
    product = "flex-api"
    selected_by_default = False


class FlexConfiguration(_Flex):
    """An account's Flex settings: its services, user interface and integrations."""

    name = "flex_configuration"
    path = "/v1/Configuration"
    primary_keys = ("account_sid",)


class FlexChannels(_Flex):
    """Chats that reached agents through the older Flex flows."""

    name = "flex_channels"
    path = "/v1/Channels"


class FlexFlows(_Flex):
    """Older rules that lead incoming chats to agents."""

    name = "flex_flows"
    path = "/v1/FlexFlows"


class FlexWebChannels(_Flex):
    """Older web chats that visitors of a site began."""

    name = "flex_web_channels"
    path = "/v1/WebChannels"


# --- Plugins -----------------------------------------------------------------------------------


class FlexPlugins(_Flex):
    """Plugins that extend the user interface."""

    name = "flex_plugins"
    path = "/v1/PluginService/Plugins"


class FlexPluginVersions(_Flex):
    """Versions of a plugin."""

    name = "flex_plugin_versions"
    parent_stream_type = FlexPlugins
    path = "/v1/PluginService/Plugins/{plugin_sid}/Versions"


class FlexPluginConfigurations(_Flex):
    """Sets of plugin versions that are released together."""

    name = "flex_plugin_configurations"
    path = "/v1/PluginService/Configurations"


class FlexConfiguredPlugins(_Flex):
    """Plugin versions in a configuration."""

    name = "flex_configured_plugins"
    parent_stream_type = FlexPluginConfigurations
    path = "/v1/PluginService/Configurations/{configuration_sid}/Plugins"
    primary_keys = ("configuration_sid", "plugin_sid")


class FlexPluginReleases(_Flex):
    """Which plugin configuration was released when."""

    name = "flex_plugin_releases"
    path = "/v1/PluginService/Releases"


# --- Insights ----------------------------------------------------------------------------------


class FlexInsightsConversations(_Flex):
    """Conversations of agents and customers, with their segments."""

    name = "flex_insights_conversations"
    path = "/v1/Insights/Conversations"
    primary_keys = ("account_id", "conversation_id")
    # The account's name in Insights; its SID is in each record besides.
    stand_ins: ClassVar[Mapping[str, str | int]] = {"account_id": ""}


class FlexInsightsSegments(_Flex):
    """Segments of conversations: one agent's part each."""

    name = "flex_insights_segments"
    path = "/v1/Insights/Segments"
    primary_keys = ("account_id", "segment_id")
    stand_ins: ClassVar[Mapping[str, str | int]] = {"account_id": ""}


class FlexInsightsUserRoles(_Flex):
    """Roles of the signed-in user, all in one record."""

    name = "flex_insights_user_roles"
    path = "/v1/Insights/UserRoles"
    primary_keys = ("account_sid",)


class FlexInsightsAssessments(_Flex):
    """Answers that assessors gave about an agent's work."""

    name = "flex_insights_assessments"
    path = "/v1/Insights/QualityManagement/Assessments"
    primary_keys = ("assessment_sid", "answer_id")
    # A question may be answered in words, or not at all.
    stand_ins: ClassVar[Mapping[str, str | int]] = {"answer_id": ""}


class FlexInsightsAssessmentComments(_Flex):
    """Comments that assessors left at a place in a conversation."""

    name = "flex_insights_assessment_comments"
    path = "/v1/Insights/QualityManagement/Assessments/Comments"
    primary_keys = ("assessment_sid", "offset", "timestamp")
    # A comment may be on no place in particular.
    stand_ins: ClassVar[Mapping[str, str | int]] = {"offset": ""}


class FlexInsightsCategories(_Flex):
    """Categories of assessment questions."""

    name = "flex_insights_categories"
    path = "/v1/Insights/QualityManagement/Categories"
    primary_keys = ("category_sid",)


class FlexInsightsQuestionnaires(_Flex):
    """Questionnaires by which agents' work is assessed, inactive ones included."""

    name = "flex_insights_questionnaires"
    path = "/v1/Insights/QualityManagement/Questionnaires"
    primary_keys = ("questionnaire_sid",)
    params: ClassVar[Mapping[str, str]] = {"IncludeInactive": "true"}


class FlexInsightsQuestions(_Flex):
    """Questions that assessors answer."""

    name = "flex_insights_questions"
    path = "/v1/Insights/QualityManagement/Questions"
    primary_keys = ("question_sid",)


class FlexInsightsAnswerSets(_Flex):
    """Answers that questions offer, all in one record."""

    name = "flex_insights_answer_sets"
    path = "/v1/Insights/QualityManagement/Settings/AnswerSets"
    primary_keys = ("account_sid",)


class FlexInsightsCommentTags(_Flex):
    """Tags that assessors can put on comments, all in one record."""

    name = "flex_insights_comment_tags"
    path = "/v1/Insights/QualityManagement/Settings/CommentTags"
    primary_keys = ("account_sid",)
