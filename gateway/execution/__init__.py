"""Carry out a plan against the clock: attempts, fallback, health, the commit point."""
