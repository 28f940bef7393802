"""Throughput, cost and memory of the tap, with other public connectors beside it.

`python -m benchmarks` measures against the sandbox, `python -m benchmarks.plot` draws.
"""
