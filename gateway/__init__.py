"""Steelyard: weighs every model of the catalog for each request and carries the request to the winner."""

__version__ = "0.1.0"
