"""What a deployment learns from its own outcomes: fitted offline, kept as versions that can be put back."""
