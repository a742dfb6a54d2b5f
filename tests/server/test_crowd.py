"""How many connections one caller may hold, and all of them together (S14)."""

import json
from collections.abc import Iterator

import pytest

from gateway.server.crowd import Crowd
from gateway.server.protocol import SteelyardProtocol
from tests.server.test_limits import GET, Echo, Server, connect, receive_all

NO_LIMIT = ""


class Small(SteelyardProtocol):
    """The real protocol, for two connections."""

    crowd = Crowd(most=2)


@pytest.fixture
def port() -> Iterator[int]:
    server = Server(Small, Echo())
    yield server.port
    server.stop()


def test_one_connection_too_many_is_told_so_and_room_that_is_made_is_taken(port: int) -> None:
    with connect(port) as first, connect(port) as second:
        for connection in (first, second):
            connection.sendall(GET + b"\r\n")
            assert connection.recv(65536).startswith(b"HTTP/1.1 200")
        with connect(port) as third:
            head, _, body = receive_all(third).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 503")
        assert b"retry-after: 1" in head
        assert json.loads(body)["error"]["code"] == "overloaded"
        second.sendall(GET + b"connection: close\r\n\r\n")
        receive_all(second)
        with connect(port) as fourth:
            fourth.sendall(GET + b"\r\n")
            assert fourth.recv(65536).startswith(b"HTTP/1.1 200")


def test_an_address_has_its_own_limit_and_gets_its_places_back() -> None:
    crowd = Crowd(most_each=2)
    for _ in range(2):
        crowd.enter("192.0.2.1")
    assert "server.max_connections_per_address: 2" in crowd.refusal("192.0.2.1")
    assert crowd.refusal("192.0.2.2") == NO_LIMIT
    crowd.leave("192.0.2.1")
    assert crowd.refusal("192.0.2.1") == NO_LIMIT


def test_an_ipv6_network_of_64_bits_is_one_caller() -> None:
    crowd = Crowd(most_each=2)
    crowd.enter("2001:db8::1")
    crowd.enter("2001:db8::ffff:1")
    assert "2001:db8::/64" in crowd.refusal("2001:db8::2")
    assert crowd.refusal("2001:db8:0:1::2") == NO_LIMIT


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.9.1", "::1", ""])
def test_a_proxy_on_this_machine_may_bring_everybody(address: str) -> None:
    crowd = Crowd(most_each=1)
    for _ in range(5):
        crowd.enter(address)
    assert crowd.refusal(address) == NO_LIMIT


def test_all_together_have_a_limit_that_knows_no_exception() -> None:
    crowd = Crowd(most=2, most_each=9)
    crowd.enter("127.0.0.1")
    crowd.enter("192.0.2.1")
    assert "server.max_connections: 2" in crowd.refusal("127.0.0.1")


def test_without_limits_nobody_is_refused_and_nothing_is_left_behind() -> None:
    crowd = Crowd()
    for number in range(100):
        crowd.enter(f"192.0.2.{number}")
    assert crowd.refusal("192.0.2.1") == NO_LIMIT
    for number in range(100):
        crowd.leave(f"192.0.2.{number}")
    assert vars(crowd) == vars(Crowd())
