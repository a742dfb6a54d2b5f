"""A thousand idle connections do not use up what the process may open (S14)."""

import resource
import socket
from collections.abc import Iterator

import pytest

from gateway.server.listen import open_sockets

USUAL = 1_024  # what a shell and systemd give a program


@pytest.fixture
def few_descriptors() -> Iterator[int]:
    """As a service gets them; yields how many it could have."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert before[1] > 2 * USUAL
    resource.setrlimit(resource.RLIMIT_NOFILE, (USUAL, before[1]))
    yield before[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_a_listener_may_have_all_the_descriptors_of_its_user(few_descriptors: int) -> None:
    [listener] = open_sockets("127.0.0.1", 0)
    listener.close()
    assert resource.getrlimit(resource.RLIMIT_NOFILE) == (few_descriptors, few_descriptors)


def test_more_callers_than_a_program_usually_has_descriptors_can_be_connected(few_descriptors: int) -> None:
    [listener] = open_sockets("127.0.0.1", 0)
    callers = []
    try:
        listener.setblocking(True)
        listener.listen()
        for _ in range(USUAL):  # two descriptors for each: both ends are here
            callers.append(socket.create_connection(listener.getsockname()))
            callers.append(listener.accept()[0])
    finally:
        for caller in callers:
            caller.close()
        listener.close()
    assert len(callers) == 2 * USUAL
