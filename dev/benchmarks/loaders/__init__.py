"""Programs that load as a user would; each runs in an environment of its own."""
