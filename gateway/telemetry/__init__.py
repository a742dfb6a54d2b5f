"""Everyone who wants to know about a receipt."""
