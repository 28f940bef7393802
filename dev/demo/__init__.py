"""Both halves of an incremental sync, from start to finish: `make demo`."""
