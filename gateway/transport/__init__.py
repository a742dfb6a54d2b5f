"""The only package that opens sockets to providers."""
