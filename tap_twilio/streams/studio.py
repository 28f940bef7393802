"""Studio (``studio.twilio.com``): flows drawn by their makers, and their executions."""

from __future__ import annotations

from datetime import timedelta

from tap_twilio.resource.windows import DateFilter
from tap_twilio.streams.accounts import AccountStream


class _Studio(AccountStream):
    product = "studio"
    selected_by_default = False


class StudioFlows(_Studio):
    """Flows, with the state of their latest revision."""

    name = "studio_flows"
    path = "/v2/Flows"
    selected_by_default = True


class StudioFlowRevisions(_Studio):
    """Revisions of a flow."""

    name = "studio_flow_revisions"
    parent_stream_type = StudioFlows
    path = "/v2/Flows/{flow_sid}/Revisions"
    primary_keys = ("flow_sid", "revision")


class StudioTestUsers(_Studio):
    """Numbers that run a flow's draft, all in one record."""

    name = "studio_test_users"
    parent_stream_type = StudioFlows
    path = "/v2/Flows/{flow_sid}/TestUsers"
    primary_keys = ("flow_sid",)


class StudioExecutions(_Studio):
    """Runs of a flow with one contact each."""

    name = "studio_executions"
    parent_stream_type = StudioFlows
    path = "/v2/Flows/{flow_sid}/Executions"
    replication_key = "date_created"
    window = DateFilter(after="DateCreatedFrom", before="DateCreatedTo")
    # An execution stays active for as long as its contact takes to answer.
    lookback = timedelta(days=30)


class StudioExecutionContext(_Studio):
    """Variables of an execution as they stood last."""

    name = "studio_execution_context"
    parent_stream_type = StudioExecutions
    path = "/v2/Flows/{flow_sid}/Executions/{execution_sid}/Context"
    primary_keys = ("execution_sid",)


class StudioExecutionSteps(_Studio):
    """Steps of an execution from widget to widget."""

    name = "studio_execution_steps"
    parent_stream_type = StudioExecutions
    path = "/v2/Flows/{flow_sid}/Executions/{execution_sid}/Steps"


class StudioExecutionStepContext(_Studio):
    """Variables of an execution as they stood at a step."""

    name = "studio_execution_step_context"
    parent_stream_type = StudioExecutionSteps
    path = "/v2/Flows/{flow_sid}/Executions/{execution_sid}/Steps/{step_sid}/Context"
    primary_keys = ("step_sid",)
