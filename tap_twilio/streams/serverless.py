"""Functions and Assets (``serverless.twilio.com``): code and files that Twilio runs."""

from __future__ import annotations

from datetime import timedelta

from tap_twilio.resource.windows import DateFilter
from tap_twilio.streams.accounts import AccountStream


class _Serverless(AccountStream):
    product = "serverless"
    selected_by_default = False


class ServerlessServices(_Serverless):
    """Services: functions and assets that are deployed together."""

    name = "serverless_services"
    path = "/v1/Services"


class ServerlessAssets(_Serverless):
    """Files that a service serves."""

    name = "serverless_assets"
    parent_stream_type = ServerlessServices
    path = "/v1/Services/{service_sid}/Assets"


class ServerlessAssetVersions(_Serverless):
    """Versions of an asset, with their paths."""

    name = "serverless_asset_versions"
    parent_stream_type = ServerlessAssets
    path = "/v1/Services/{service_sid}/Assets/{asset_sid}/Versions"


class ServerlessBuilds(_Serverless):
    """Builds of a service: versions and dependencies that go together."""

    name = "serverless_builds"
    parent_stream_type = ServerlessServices
    path = "/v1/Services/{service_sid}/Builds"


class ServerlessEnvironments(_Serverless):
    """Environments, each at a domain of its own, in which builds of a service run."""

    name = "serverless_environments"
    parent_stream_type = ServerlessServices
    path = "/v1/Services/{service_sid}/Environments"


class ServerlessDeployments(_Serverless):
    """Which build was deployed to an environment when."""

    name = "serverless_deployments"
    parent_stream_type = ServerlessEnvironments
    path = "/v1/Services/{service_sid}/Environments/{environment_sid}/Deployments"


class ServerlessLogs(_Serverless):
    """Lines that functions logged in an environment in the last 30 days."""

    name = "serverless_logs"
    parent_stream_type = ServerlessEnvironments
    path = "/v1/Services/{service_sid}/Environments/{environment_sid}/Logs"
    replication_key = "date_created"
    # Without a start Twilio goes back one day only.
    window = DateFilter(
        after="StartDate",
        before="EndDate",
        retention=timedelta(days=30),
        cap=10_000,
        rooted=True,
    )
    lookback = timedelta(hours=1)


class ServerlessVariables(_Serverless):
    """Names of the variables of an environment, without their values."""

    name = "serverless_variables"
    parent_stream_type = ServerlessEnvironments
    path = "/v1/Services/{service_sid}/Environments/{environment_sid}/Variables"
    secret_fields = ("value",)


class ServerlessFunctions(_Serverless):
    """Functions of a service."""

    name = "serverless_functions"
    parent_stream_type = ServerlessServices
    path = "/v1/Services/{service_sid}/Functions"


class ServerlessFunctionVersions(_Serverless):
    """Versions of a function, with their paths."""

    name = "serverless_function_versions"
    parent_stream_type = ServerlessFunctions
    path = "/v1/Services/{service_sid}/Functions/{function_sid}/Versions"


class ServerlessFunctionContent(_Serverless):
    """Source code of a function's version."""

    name = "serverless_function_content"
    parent_stream_type = ServerlessFunctionVersions
    path = "/v1/Services/{service_sid}/Functions/{function_sid}/Versions/{sid}/Content"
