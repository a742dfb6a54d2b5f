"""What messages look like: msgspec Structs without behaviour."""
