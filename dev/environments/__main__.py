"""Run uv, with the package indexes that pip is set up with: `python -m environments pip …`."""

from __future__ import annotations

import os
import sys

from environments import as_pip_is_told, uv

if __name__ == "__main__":
    program = uv()
    os.execve(program, [program, *sys.argv[1:]], as_pip_is_told())  # noqa: S606
