"""Proof that nothing gets lost: random scenarios played against the sandbox, and judged.

`python -m soak` plays them for as long as it is told. `scenario` says what can happen, `play` lets
it happen, `oracle` knows what must be true afterwards, `kill` ends runs at random moments.
"""
