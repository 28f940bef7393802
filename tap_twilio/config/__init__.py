"""What a run is told: settings, catalog, state, credentials."""
