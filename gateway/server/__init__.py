"""The HTTP face: routes, admission, authentication, replies, errors."""
