"""Write what Airbyte's platform is told of the custom connector, beside its image.

Run ``python dev/scripts/update_airbyte.py`` after a change to ``[project.urls]``: it writes
``publishing/airbyte/metadata.yaml``. With ``--check`` it writes nothing and ends with 1 if that is
out of date.
"""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path
from urllib.parse import urlsplit

import yaml

ROOT = Path(__file__).parents[2]
METADATA = ROOT / "publishing" / "airbyte" / "metadata.yaml"
HEADER = "# source-twilio as a custom connector of Airbyte's, by dev/scripts/update_airbyte.py\n"


def metadata() -> str:
    """Describe the connector.

    Returns:
        YAML, in the form of Airbyte's own connectors.
    """
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    owner = urlsplit(project["urls"]["Source"]).path.split("/")[1]
    data = {
        "name": "Twilio (everything)",
        "definitionId": "1217f715-b376-4e0a-b5c3-4aeec0f79fb1",
        "connectorType": "source",
        "connectorSubtype": "api",
        "dockerRepository": f"ghcr.io/{owner.lower()}/source-twilio",
        "dockerImageTag": "latest",
        "documentationUrl": project["urls"]["Documentation"],
        "githubIssueLabel": "source-twilio",
        "license": project["license"],
        "releaseStage": "custom",
        "supportLevel": "community",
        "allowedHosts": {"hosts": ["*.twilio.com"]},
        "registries": {"cloud": {"enabled": False}, "oss": {"enabled": False}},
        "tags": ["language:python"],
    }
    content = {"metadataSpecVersion": "1.0", "data": data}
    return HEADER + yaml.safe_dump(content, sort_keys=False, allow_unicode=True)


def main() -> int:
    """Write, or check.

    Returns:
        Exit code.
    """
    text = metadata()
    if METADATA.exists() and METADATA.read_text(encoding="utf-8") == text:
        return 0
    if "--check" in sys.argv:
        sys.stderr.write("metadata.yaml is out of date: run python dev/scripts/update_airbyte.py\n")
        return 1
    METADATA.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
