"""A disk that fails at every call in turn."""
