"""What the bytes mean: pure translators, one file per wire format; `splice` is the same-dialect codec."""
