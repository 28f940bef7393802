"""The tap's output: messages, counts, a live line."""
