"""Ask for known weaknesses in the versions that everything is tested with: `make audit`.

Where the service that knows of them can't be asked, that is said, and is no failure.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from environments import InstallError, install

CONSTRAINTS = Path(__file__).resolve().parents[2] / "constraints.txt"


def main() -> int:
    """Audit the constraints.

    Returns:
        Exit code: 1 if a weakness is known.
    """
    try:
        folder = install("pip-audit", "pip-audit>=2.7,<3")
    except InstallError as error:
        return _not_asked(str(error))
    command = [str(folder / "pip-audit"), "--disable-pip", "--no-deps", "--format", "json"]
    done = subprocess.run(  # noqa: S603
        [*command, "--requirement", str(CONSTRAINTS)], capture_output=True, text=True, check=False
    )
    try:
        found = json.loads(done.stdout)["dependencies"]
    except ValueError:
        return _not_asked((done.stderr.strip().splitlines() or ["no answer"])[-1])
    return tell(found)


def tell(found: list[dict[str, Any]]) -> int:
    """Tell what is known.

    Args:
        found: pip-audit's dependencies: each with ``vulns``, or with a ``skip_reason``.

    Returns:
        Exit code.
    """
    asked = [one for one in found if "skip_reason" not in one]
    if not asked:
        reasons = [str(one["skip_reason"]) for one in found] or ["there is nothing to audit"]
        return _not_asked(reasons[0])
    weak = [(one, weakness) for one in asked for weakness in one["vulns"]]
    for one, weakness in weak:
        fixed = ", ".join(weakness["fix_versions"]) or "no version yet"
        _say(f"{one['name']} {one['version']}: {weakness['id']}, mended in {fixed}")
    _say(f"Audited {len(asked)} of {len(found)} packages: {len(weak)} known weaknesses")
    return 1 if weak else 0


def _not_asked(reason: str) -> int:
    _say(f"Nothing was audited: {reason}")
    return 0


def _say(text: str) -> None:
    print(text)  # noqa: T201 - it is a command


if __name__ == "__main__":
    sys.exit(main())
