"""What the process gives up before it serves (S29): root, files that others can read, and core dumps."""

import os
import resource

from gateway.errors import SettingsError

OWNER_ONLY = 0o077  # what is taken off the mode of every file that this process makes
AS_ROOT = (
    "this process runs as root and server.host {host} is open to other machines: a hole in it would be one in the "
    "machine; serve as another user, or say that it must be so with --allow-root (STEELYARD_ALLOW_ROOT=1)"
)


def lock_down() -> None:
    """Files for this user only, and no core dump: it would hold every key. Child processes inherit both."""
    os.umask(OWNER_ONLY)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def refuse_root(user: int, host: str, is_local: bool, may_be_root: bool) -> str:
    """A warning for who serves as root on loopback, "" when there is nothing to say. Raises SettingsError."""
    if user != 0 or may_be_root:
        return ""
    if not is_local:
        raise SettingsError([AS_ROOT.format(host=host)])
    return "serves as root, which it needs for nothing; --allow-root says that this is meant"
