"""The command line: `steelyard`, also `python -m gateway`."""
