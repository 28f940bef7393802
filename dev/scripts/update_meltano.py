"""Write what Meltano must know of the tap from the tap itself.

Run ``python dev/scripts/update_meltano.py`` after a change to settings: it renews the marked part
of ``meltano.yml``, and all of ``plugin.yml`` and ``publishing/meltano-hub.yml``. With ``--check``
it writes nothing and ends with 1 if one is out of date.
"""

from __future__ import annotations

import copy
import re
import sys
import textwrap
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import yaml

from tap_twilio.config.schema import SCHEMA
from tap_twilio.tap import TapTwilio

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

ROOT = Path(__file__).parents[2]
PROJECT = ROOT / "meltano.yml"
PLUGIN = ROOT / "plugin.yml"
HUB = ROOT / "publishing" / "meltano-hub.yml"
KINDS = {
    "array": "array",
    "boolean": "boolean",
    "integer": "integer",
    "number": "decimal",
    "object": "object",
    "string": "string",
}
CREDENTIALS = (
    ("account_sid", "auth_token"),
    ("account_sid", "api_key_sid", "api_key_secret"),
)
WIDTH = 96
BEGIN = "# What the tap says of itself; written by dev/scripts/update_meltano.py"
END = "# End of what the tap says of itself"

# What stands in front of the definition that other projects take in.
HEADER = """\
# The tap as a plugin of any Meltano project, by dev/scripts/update_meltano.py. In a project:
#
#   meltano add --plugin-type extractor tap-twilio --from-ref path/to/this/plugin.yml
#
# TAP_TWILIO_SOURCE, in the project's .env, says where pip finds the tap: the path of a checkout,
# or git+https://…
"""
HUB_HEADER = """\
# The tap as MeltanoHub has it, by dev/scripts/update_meltano.py. There it is
# _data/meltano/extractors/tap-twilio/{variant}.yml
"""
PRESENTATION = {
    "name": "tap-twilio",
    "namespace": "tap_twilio",
    "variant": "streams",
    "label": "Twilio",
    "description": "Voice, messaging and everything else that Twilio lists",
    "domain_url": "https://www.twilio.com",
    "keywords": ["api", "meltano_sdk"],
    "pip_url": "${TAP_TWILIO_SOURCE}",
    "executable": "tap-twilio",
}


def own() -> dict[str, Any]:
    """Tell what the tap says of itself.

    Returns:
        The keys of a plugin definition that follow from the tap.
    """
    schema = copy.deepcopy(SCHEMA)
    TapTwilio.append_builtin_config(schema)
    properties = schema["properties"]
    return {
        "capabilities": [str(capability.value) for capability in TapTwilio.capabilities],
        "settings_group_validation": [list(group) for group in CREDENTIALS],
        "settings": [_setting(name, properties[name]) for name in properties],
    }


def _setting(name: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    return dict(_facts(name, schema))


def _facts(name: str, schema: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    values = [value for value in schema.get("enum", ()) if value is not None]
    (kind,) = set(cast("list[str]", schema["type"])) - {"null"}
    yield "name", name
    yield "kind", "options" if values else KINDS[kind]
    if schema.get("secret"):
        yield "sensitive", True
    yield "label", schema["title"]
    yield "description", schema["description"]
    if name in SCHEMA["properties"]:
        if "default" in schema:
            yield "value", schema["default"]
        if kind == "string" and not values and "examples" in schema:
            yield "placeholder", schema["examples"][0]
    if values:
        yield "options", [{"label": value, "value": value} for value in values]


def project(text: str) -> str:
    """Put what the tap says of itself into a Meltano project.

    Args:
        text: The project file.

    Returns:
        The project file, up to date.
    """

    def renewed(found: re.Match[str]) -> str:
        part = f"{BEGIN}\n{_yaml(own(), indent=len(found[1]))}{END}\n"
        return textwrap.indent(part, found[1])

    pattern = rf"^( *){re.escape(BEGIN)}\n.*?^ *{re.escape(END)}\n"
    return re.sub(pattern, renewed, text, flags=re.DOTALL | re.MULTILINE)


def plugin() -> str:
    """Write the definition that other projects take in.

    Returns:
        YAML.
    """
    return HEADER + _yaml({**PRESENTATION, **own()})


def hub() -> str:
    """Write the definition that MeltanoHub takes in.

    Returns:
        YAML.
    """
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    said = own()
    for setting in said["settings"]:
        # The hub's word for what plugins mark as sensitive text.
        if setting.get("sensitive") and setting["kind"] == "string":
            setting["kind"] = "password"
    content = PRESENTATION | {
        "pip_url": project["name"],
        "repo": project["urls"]["Source"],
        "docs": project["urls"]["Documentation"],
        "logo_url": "/assets/logos/extractors/twilio.png",
        "maintenance_status": "beta",
        "quality": "unknown",
        "supported_python_versions": pythons(project["classifiers"]),
        "log_parser": "singer-sdk",
    }
    return HUB_HEADER.format(**PRESENTATION) + _yaml(content | said)


def pythons(classifiers: Iterable[str]) -> list[str]:
    """Give the versions of Python that a project says it runs on.

    Args:
        classifiers: The project's.

    Returns:
        Versions such as ``3.11``.
    """
    prefix = "Programming Language :: Python :: 3."
    return [one.rpartition(" ")[2] for one in classifiers if one.startswith(prefix)]


class _Dumper(yaml.SafeDumper):
    """Sets lists in, as people do."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002
        super().increase_indent(flow, indentless=False)


def _yaml(content: Mapping[str, Any], indent: int = 0) -> str:
    return yaml.dump(
        dict(content),
        Dumper=_Dumper,
        sort_keys=False,
        allow_unicode=True,
        width=WIDTH - indent,
    )


def main() -> int:
    """Write, or check.

    Returns:
        Exit code.
    """
    pages = {PROJECT: project(PROJECT.read_text()), PLUGIN: plugin(), HUB: hub()}
    stale = [path for path, text in pages.items() if not path.exists() or path.read_text() != text]
    if "--check" not in sys.argv:
        for path in stale:
            path.write_text(pages[path])
        return 0
    for path in stale:
        sys.stderr.write(f"{path.name} is out of date: run python dev/scripts/update_meltano.py\n")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
