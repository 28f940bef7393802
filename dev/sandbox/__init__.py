"""A simulated Twilio REST API on loopback, for the demo, the tests and the benchmarks.

It behaves as Twilio's documentation and practice say, whatever its clients expect of it. Its rows
come from the schema files of the repository, and are functions of a seed and of the moment at which
its clock stands. Messages and consents that clients write are kept beside them, and it tells what
it holds.
"""

from __future__ import annotations

from sandbox.faults import Fault, Faults
from sandbox.filters import Readings
from sandbox.sandbox import Options, Row, Sandbox

__all__ = ["Fault", "Faults", "Options", "Readings", "Row", "Sandbox"]
