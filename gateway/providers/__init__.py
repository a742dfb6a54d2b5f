"""Where the bytes go: one row per provider with address, credentials and quirks; and what its faults mean."""
