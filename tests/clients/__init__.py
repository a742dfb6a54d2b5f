"""Programs that other people wrote, talking to a gateway as they are."""
