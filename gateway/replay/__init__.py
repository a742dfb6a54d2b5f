"""What if: past requests decided again, under other weights, limits, or a newer catalog."""
