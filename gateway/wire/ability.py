"""Abilities: what a request may need and a target may offer. The bits are shared by catalog columns and prompts."""

import enum


class Ability(enum.IntFlag):
    """One bit each; fits a uint32 column. A target is eligible when it offers every bit that the request needs."""

    TOOLS = 1
    IMAGES = 2
    AUDIO = 4
    FILES = 8  # documents such as PDF as message parts
    JSON_MODE = 16
    JSON_SCHEMA = 32
    LOGPROBS = 64
    REASONING = 128
    VIDEO = 256
