"""Write what Meltano must know of the tap and the target from themselves.

Run ``python dev/scripts/update_meltano.py`` after a change to settings: it renews the marked parts
of ``meltano.yml``, and all of ``plugin.yml``, ``plugin-target.yml`` and
``publishing/meltano-hub.yml``. With ``--check`` it writes nothing and ends with 1 if any is out of
date.
"""

from __future__ import annotations

import copy
import re
import sys
import textwrap
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import yaml

from tap_twilio.config import schema as of_the_tap
from tap_twilio.tap import TapTwilio
from target_twilio import schema as of_the_target
from target_twilio.target import TargetTwilio

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from singer_sdk.plugin_base import PluginBase

ROOT = Path(__file__).parents[2]
PROJECT = ROOT / "meltano.yml"
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
    ("account_sid", "client_id", "client_secret"),
)
WIDTH = 96
END = "# End of what the {kind} says of itself"
BEGIN = "# What the {kind} says of itself; written by dev/scripts/update_meltano.py"

# What stands in front of the definition that other projects take in.
HEADER = """\
# The {kind} as a plugin of any Meltano project, by dev/scripts/update_meltano.py. In a project:
#
#   meltano add --plugin-type {type} {name} --from-ref path/to/this/{file}
#
# TAP_TWILIO_SOURCE, in the project's .env, says where pip finds it: the path of a checkout,
# or git+https://…
"""
HUB_HEADER = """\
# The tap as MeltanoHub has it, by dev/scripts/update_meltano.py. There it is
# _data/meltano/extractors/tap-twilio/{variant}.yml
"""


@dataclass(frozen=True)
class Plugin:
    """A plugin of ours.

    Attributes:
        kind: What people call it.
        meltano_type: What Meltano calls it.
        file: Name of the file with its definition.
        settings: The JSON schema of its own settings.
        description: What it does.
    """

    kind: str
    meltano_type: str
    file: str
    program: type[PluginBase]
    settings: Mapping[str, Any]
    description: str

    @property
    def presentation(self) -> dict[str, Any]:
        """What stands in the definition besides what it says of itself."""
        name = self.program.name
        return {
            "name": name,
            "namespace": name.replace("-", "_"),
            "variant": "streams",
            "label": "Twilio",
            "description": self.description,
            "domain_url": "https://www.twilio.com",
            "keywords": ["api", "meltano_sdk"],
            "pip_url": "${TAP_TWILIO_SOURCE}",
            "executable": name,
        }

    def own(self) -> dict[str, Any]:
        """Tell what it says of itself.

        Returns:
            The keys of a plugin definition that follow from it.
        """
        schema = copy.deepcopy(dict(self.settings))
        self.program.append_builtin_config(schema)
        properties = schema["properties"]
        return {
            "capabilities": [str(one.value) for one in self.program.capabilities],
            "settings_group_validation": [list(group) for group in CREDENTIALS],
            "settings": [
                dict(_facts(name, properties[name], is_own=name in self.settings["properties"]))
                for name in properties
            ],
        }

    def definition(self) -> str:
        """Write the definition that other projects take in.

        Returns:
            YAML.
        """
        header = HEADER.format(
            kind=self.kind, type=self.meltano_type, name=self.presentation["name"], file=self.file
        )
        return header + _yaml({**self.presentation, **self.own()})


PLUGINS = (
    Plugin(
        kind="tap",
        meltano_type="extractor",
        file="plugin.yml",
        program=TapTwilio,
        settings=of_the_tap.SCHEMA,
        description="Voice, messaging and everything else that Twilio lists",
    ),
    Plugin(
        kind="target",
        meltano_type="loader",
        file="plugin-target.yml",
        program=TargetTwilio,
        settings=of_the_target.SCHEMA,
        description="Rows become messages: sent, scheduled, canceled, redacted, deleted",
    ),
)


def _facts(name: str, schema: Mapping[str, Any], *, is_own: bool) -> Iterator[tuple[str, Any]]:
    values = [value for value in schema.get("enum", ()) if value is not None]
    (kind,) = set(cast("list[str]", schema["type"])) - {"null"}
    yield "name", name
    yield "kind", "options" if values else KINDS[kind]
    if schema.get("secret"):
        yield "sensitive", True
    yield "label", schema["title"]
    yield "description", schema["description"]
    if is_own:
        if "default" in schema:
            yield "value", schema["default"]
        if kind == "string" and not values and "examples" in schema:
            yield "placeholder", schema["examples"][0]
    if values:
        yield "options", [{"label": value, "value": value} for value in values]


def project(text: str) -> str:
    """Put what the plugins say of themselves into a Meltano project.

    Args:
        text: The project file.

    Returns:
        The project file, up to date.
    """
    for plugin in PLUGINS:
        begin, end = BEGIN.format(kind=plugin.kind), END.format(kind=plugin.kind)
        pattern = rf"^( *){re.escape(begin)}\n.*?^ *{re.escape(end)}\n"
        found = re.search(pattern, text, flags=re.DOTALL | re.MULTILINE)
        if found is None:
            msg = f"{PROJECT.name} has no line {begin!r}"
            raise ValueError(msg)
        part = f"{begin}\n{_yaml(plugin.own(), indent=len(found[1]))}{end}\n"
        text = text[: found.start()] + textwrap.indent(part, found[1]) + text[found.end() :]
    return text


def hub() -> str:
    """Write the definition that MeltanoHub takes in.

    Returns:
        YAML.
    """
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    tap = PLUGINS[0]
    said = tap.own()
    for setting in said["settings"]:
        # The hub's word for what plugins mark as sensitive text.
        if setting.get("sensitive") and setting["kind"] == "string":
            setting["kind"] = "password"
    content = {
        **tap.presentation,
        "pip_url": project["name"],
        "repo": project["urls"]["Source"],
        "docs": project["urls"]["Documentation"],
        "logo_url": "/assets/logos/extractors/twilio.png",
        "maintenance_status": "beta",
        "quality": "unknown",
        "supported_python_versions": pythons(project["classifiers"]),
        "log_parser": "singer-sdk",
    }
    return HUB_HEADER.format(**tap.presentation) + _yaml(content | said)


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
    pages = {PROJECT: project(PROJECT.read_text()), HUB: hub()}
    pages |= {ROOT / plugin.file: plugin.definition() for plugin in PLUGINS}
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
