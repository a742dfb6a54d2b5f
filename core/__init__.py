"""Pure computation: scoring, features, scanning. No I/O, no clock, no knowledge of HTTP; never imports `gateway`."""
