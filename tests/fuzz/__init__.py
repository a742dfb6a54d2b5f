"""Damaged and made-up bytes against everything that reads bytes of strangers: `python -m tests.fuzz --help`."""
