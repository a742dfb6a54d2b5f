"""A page of another name, resolved to 127.0.0.1, must not reach a loopback listener (DNS rebinding, S18)."""

import pytest

from gateway.server.hosts import host_allowed

OWN = [
    b"localhost",
    b"LocalHost:8080",
    b"127.0.0.1",
    b"127.0.0.1:1",
    b"127.9.9.9:65535",
    b"[::1]",
    b"[::1]:8080",
    b"[0:0:0:0:0:0:0:1]:8080",
    b"[::ffff:127.0.0.1]:80",
    b"[::FFFF:7f00:1]",
    b"localhost:",
]
FOREIGN = [
    b"evil.example",
    b"evil.example:8080",
    b"localhost.evil.example",
    b"127.0.0.1.evil.example",
    b"evil.example@127.0.0.1",
    b"127.0.0.1@evil.example",
    b"localhost, evil.example",
    b"localhost:8080:evil.example",
    b"localhost/evil",
    b"localhost?x=",
    b"localhost#x",
    b"localhost:80x",
    b" localhost",
    b"localhost\n",
    b"128.0.0.1",
    b"10.0.0.1:8080",
    b"0.0.0.0:8080",
    b"169.254.169.254",
    b"2130706433",
    b"0177.0.0.1",
    b"127.1",
    b"0x7f.1",
    b"127.0.0.1.",
    b"localhost.",
    b"localhost:80:80",
    b"localhost:123456",
    b"localhost@evil.example",
    b"[::ffff:10.0.0.1]",
    b"[::1%evil.example]",
    b"::1",
    b"[::1",
    b"[::1]evil.example",
    b"[127.0.0.1]",
    b"[::2]:8080",
    b"[localhost]",
    b"[::1%25lo]",
    b"[]",
    b"",
    b":8080",
    b"\xff\xfe",
    "localhost:²".encode("latin-1"),
    b"localhost" * 10_000,
]


@pytest.mark.parametrize("host", OWN, ids=repr)
def test_a_loopback_listener_answers_to_its_own_names_on_any_port(host: bytes) -> None:
    assert host_allowed(host, True)


@pytest.mark.parametrize("host", FOREIGN, ids=lambda host: repr(host[:40]))
def test_a_loopback_listener_answers_to_no_other_name(host: bytes) -> None:
    assert not host_allowed(host, True)


@pytest.mark.parametrize("host", [*OWN, *FOREIGN], ids=lambda host: repr(host[:40]))
def test_a_listener_for_other_machines_answers_to_whatever_name_it_has_there(host: bytes) -> None:
    assert host_allowed(host, False)
