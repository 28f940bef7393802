"""The tap as an Airbyte source: the same streams in Airbyte's protocol, in the same process."""
