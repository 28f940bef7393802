"""TaskRouter (``taskrouter.twilio.com``): tasks, and the workers they are given to."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar

from tap_twilio.resource.windows import DateFilter
from tap_twilio.streams.accounts import AccountStream

if TYPE_CHECKING:
    from collections.abc import Mapping

WORKSPACE = "/v1/Workspaces/{workspace_sid}"


class _TaskRouter(AccountStream):
    product = "taskrouter"
    selected_by_default = False


class TaskRouterWorkspaces(_TaskRouter):
    """Workspaces: separate worlds of tasks, workers and queues."""

    name = "taskrouter_workspaces"
    path = "/v1/Workspaces"
    selected_by_default = True


class _OfWorkspace(_TaskRouter):
    parent_stream_type = TaskRouterWorkspaces


class TaskRouterActivities(_OfWorkspace):
    """Activities that workers can be in, such as available or on a break."""

    name = "taskrouter_activities"
    path = f"{WORKSPACE}/Activities"


class TaskRouterEvents(_OfWorkspace):
    """What happened to tasks, workers and queues in the last 30 days."""

    name = "taskrouter_events"
    path = f"{WORKSPACE}/Events"
    replication_key = "event_date"
    # Without a start Twilio goes back 15 minutes only.
    window = DateFilter(
        after="StartDate", before="EndDate", retention=timedelta(days=30), rooted=True
    )
    lookback = timedelta(hours=1)


class TaskRouterTaskChannels(_OfWorkspace):
    """Kinds of tasks, such as voice and chat."""

    name = "taskrouter_task_channels"
    path = f"{WORKSPACE}/TaskChannels"


class TaskRouterTaskQueues(_OfWorkspace):
    """Queues in which tasks wait for workers."""

    name = "taskrouter_task_queues"
    path = f"{WORKSPACE}/TaskQueues"


class TaskRouterTasks(_OfWorkspace):
    """Tasks that exist now; Twilio forgets them soon after they are done."""

    name = "taskrouter_tasks"
    path = f"{WORKSPACE}/Tasks"


class TaskRouterReservations(_TaskRouter):
    """Workers to whom a task was offered, and what came of it."""

    name = "taskrouter_reservations"
    parent_stream_type = TaskRouterTasks
    path = f"{WORKSPACE}/Tasks/{{task_sid}}/Reservations"


class TaskRouterWorkers(_OfWorkspace):
    """Workers: agents and whoever else does tasks."""

    name = "taskrouter_workers"
    path = f"{WORKSPACE}/Workers"


class TaskRouterWorkerChannels(_TaskRouter):
    """How many tasks of each kind a worker can do at a time."""

    name = "taskrouter_worker_channels"
    parent_stream_type = TaskRouterWorkers
    path = f"{WORKSPACE}/Workers/{{worker_sid}}/Channels"


class TaskRouterWorkerReservations(_TaskRouter):
    """Tasks that were offered to a worker, and what came of it."""

    name = "taskrouter_worker_reservations"
    parent_stream_type = TaskRouterWorkers
    path = f"{WORKSPACE}/Workers/{{worker_sid}}/Reservations"


class TaskRouterWorkflows(_OfWorkspace):
    """Rules that put tasks into queues."""

    name = "taskrouter_workflows"
    path = f"{WORKSPACE}/Workflows"


# --- Statistics --------------------------------------------------------------------------------


class _Cumulative(_TaskRouter):
    """Sums over the last 24 hours; the filters can ask for another time."""

    params: ClassVar[Mapping[str, str]] = {"Minutes": "1440"}


class TaskRouterWorkspaceCumulativeStatistics(_Cumulative):
    """Tasks and reservations of a workspace over the last 24 hours."""

    name = "taskrouter_workspace_cumulative_statistics"
    parent_stream_type = TaskRouterWorkspaces
    path = f"{WORKSPACE}/CumulativeStatistics"
    primary_keys = ("workspace_sid",)


class TaskRouterWorkspaceRealTimeStatistics(_OfWorkspace):
    """Tasks and workers of a workspace at the moment of reading."""

    name = "taskrouter_workspace_real_time_statistics"
    path = f"{WORKSPACE}/RealTimeStatistics"
    primary_keys = ("workspace_sid",)


class TaskRouterWorkersCumulativeStatistics(_Cumulative):
    """Activities and reservations of all workers together over the last 24 hours."""

    name = "taskrouter_workers_cumulative_statistics"
    parent_stream_type = TaskRouterWorkspaces
    path = f"{WORKSPACE}/Workers/CumulativeStatistics"
    primary_keys = ("workspace_sid",)


class TaskRouterWorkersRealTimeStatistics(_OfWorkspace):
    """Activities of all workers together at the moment of reading."""

    name = "taskrouter_workers_real_time_statistics"
    path = f"{WORKSPACE}/Workers/RealTimeStatistics"
    primary_keys = ("workspace_sid",)


class TaskRouterWorkerStatistics(_Cumulative):
    """Activities and reservations of one worker over the last 24 hours."""

    name = "taskrouter_worker_statistics"
    parent_stream_type = TaskRouterWorkers
    path = f"{WORKSPACE}/Workers/{{worker_sid}}/Statistics"
    primary_keys = ("worker_sid",)


class TaskRouterTaskQueuesStatistics(_Cumulative):
    """Statistics of all queues of a workspace, sums and moment, without a request each."""

    name = "taskrouter_task_queues_statistics"
    parent_stream_type = TaskRouterWorkspaces
    path = f"{WORKSPACE}/TaskQueues/Statistics"
    primary_keys = ("workspace_sid", "task_queue_sid")


class TaskRouterTaskQueueCumulativeStatistics(_Cumulative):
    """Waiting times, tasks and reservations of one queue over the last 24 hours."""

    name = "taskrouter_task_queue_cumulative_statistics"
    parent_stream_type = TaskRouterTaskQueues
    path = f"{WORKSPACE}/TaskQueues/{{task_queue_sid}}/CumulativeStatistics"
    primary_keys = ("task_queue_sid",)


class TaskRouterTaskQueueRealTimeStatistics(_TaskRouter):
    """Tasks and workers of one queue at the moment of reading."""

    name = "taskrouter_task_queue_real_time_statistics"
    parent_stream_type = TaskRouterTaskQueues
    path = f"{WORKSPACE}/TaskQueues/{{task_queue_sid}}/RealTimeStatistics"
    primary_keys = ("task_queue_sid",)


class TaskRouterWorkflowCumulativeStatistics(_Cumulative):
    """Waiting times, tasks and reservations of one workflow over the last 24 hours."""

    name = "taskrouter_workflow_cumulative_statistics"
    parent_stream_type = TaskRouterWorkflows
    path = f"{WORKSPACE}/Workflows/{{workflow_sid}}/CumulativeStatistics"
    primary_keys = ("workflow_sid",)


class TaskRouterWorkflowRealTimeStatistics(_TaskRouter):
    """Tasks of one workflow at the moment of reading."""

    name = "taskrouter_workflow_real_time_statistics"
    parent_stream_type = TaskRouterWorkflows
    path = f"{WORKSPACE}/Workflows/{{workflow_sid}}/RealTimeStatistics"
    primary_keys = ("workflow_sid",)
