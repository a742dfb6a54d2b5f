"""Where a request ends is never a matter of opinion (S08), so that nothing can hide in the body of another one.

A crafted request is followed on its connection by a second one, the prey. A head or body that another server could
read in another way gets one 400, and the connection closes; one of a single meaning is answered, and then the prey is.
"""

import re
import socket
from collections.abc import Iterator

import pytest

from tests.running import Gateway

LINE = b"POST /v1/messages/count_tokens HTTP/1.1"
HOST = b"host: localhost\r\n"
BODY = b'{"messages":[{"role":"user","content":"hi"}]}'
LENGTH = b"content-length: %d\r\n" % len(BODY)
CHUNKED = b"transfer-encoding: chunked\r\n"
CHUNKS = b"%x\r\n%b\r\n0\r\n\r\n" % (len(BODY), BODY)
PREY = b"GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n"
STATUS = re.compile(rb"HTTP/1\.1 (\d{3}) ")

CODINGS = (
    *(b"xchunked", b"chunkedx", b"chunked, identity", b"identity, chunked", b"identity", b"gzip, chunked", b"gzip"),
    *(b"chunked, chunked", b"chunked,", b",chunked", b", chunked", b"chunked;a=b", b'"chunked"', b"'chunked'", b"cow"),
    *(b"chunked\x0b", b"\x0bchunked", b"chunked\x0c", b"chunked\x00", b"\x00chunked", b"chun\x00ked", b"chunked\x85"),
    *(
        b"chunk\xe9d",
        b"",
        b" ",
        b"chunked chunked",
        b"chunked\tx",
        b"[chunked]",
        b"chunked\xa0",
        b"\xef\xbb\xbfchunked",
    ),
)
NAMES = (
    *(
        b"transfer-encoding ",
        b"transfer-encoding\t",
        b" transfer-encoding",
        b"\ttransfer-encoding",
        b"\x0btransfer-encoding",
    ),
    *(
        b"transfer-encoding\x00",
        b"\x00transfer-encoding",
        b"transfer\x00encoding",
        b"transfer-encoding\r",
        b"transfer encoding",
    ),
    *(
        b"transfer\r-encoding",
        b"transfer\n-encoding",
        b"\x01transfer-encoding",
        b"transfer-encoding\x7f",
        b"(transfer-encoding",
    ),
    *(
        b"transfer-encoding\xa0",
        b"transfer-encoding\r\n ",
        b"x\r\n transfer-encoding",
        b"transfer-encoding\xc2\xa0",
        b"",
    ),
)
LENGTHS = (
    *(b"+%d", b"-%d", b"%d %d", b"%d,%d", b"%d, %d", b"0x%x", b"%d;", b"%d\x00", b"\x00%d", b"%de0", b"%d.0", b"%d_0"),
    *(
        b"%d\x0b",
        b"\x0b%d",
        b"%d\x0c",
        b"%d\x85",
        b'"%d"',
        b"'%d'",
        b"%da",
        b"a%d",
        b"%d-",
        b"%d/1",
        b"(%d)",
        b"%d\xa0",
    ),
)
HEAD_LINES = {
    "obs-fold": b"x: a\r\n b\r\n",
    "obs-fold by tab": b"x: a\r\n\tb\r\n",
    "fold of nothing": b"x:\r\n \r\n",
    "fold of a length": b"content-length:\r\n 0\r\n",
    "bare LF": b"x: a\n",
    "bare CR": b"x: a\r",
    "CR in a value": b"x: a\rb\r\n",
    "CR CR LF": b"x: a\r\r\n",
    "NUL in a value": b"x: a\x00b\r\n",
    "control in a value": b"x: a\x01b\r\n",
    "DEL in a value": b"x: a\x7fb\r\n",
    "no colon": b"x\r\n",
    "no name": b": a\r\n",
    "space in a name": b"x y: a\r\n",
    "space before the colon": b"x : a\r\n",
    "parenthesis in a name": b"x(: a\r\n",
    "brace in a name": b"x{: a\r\n",
    "slash in a name": b"x/: a\r\n",
    "quote in a name": b'"x": a\r\n',
    "byte in a name": b"x\xe9: a\r\n",
    "space before a name": b" x: a\r\n",
    "another host": b"host: evil.example\r\n",
    "the same host": HOST,
    "host in capitals": b"HOST: localhost\r\n",
    "host with a space": b"host : evil.example\r\n",
}
REQUEST_LINES = {
    "no version": b"POST /v1/messages/count_tokens",
    "version 0.9": b"POST /v1/messages/count_tokens HTTP/0.9",
    "version 1.2": b"POST /v1/messages/count_tokens HTTP/1.2",
    "version 1.10": b"POST /v1/messages/count_tokens HTTP/1.10",
    "version 1": b"POST /v1/messages/count_tokens HTTP/1",
    "version 2": b"POST /v1/messages/count_tokens HTTP/2.0",
    "version 3": b"POST /v1/messages/count_tokens HTTP/3",
    "version in letters": b"POST /v1/messages/count_tokens HTTP/1.x",
    "version in small letters": b"POST /v1/messages/count_tokens http/1.1",
    "another protocol": b"POST /v1/messages/count_tokens HTTPS/1.1",
    "something behind": b"POST /v1/messages/count_tokens HTTP/1.1 x",
    "space behind": b"POST /v1/messages/count_tokens HTTP/1.1 ",
    "NUL behind": b"POST /v1/messages/count_tokens HTTP/1.1\x00",
    "CR behind": b"POST /v1/messages/count_tokens HTTP/1.1\r",
    "tabs": b"POST\t/v1/messages/count_tokens\tHTTP/1.1",
    "space before": b" POST /v1/messages/count_tokens HTTP/1.1",
    "NUL before": b"\x00POST /v1/messages/count_tokens HTTP/1.1",
    "method in small letters": b"post /v1/messages/count_tokens HTTP/1.1",
    "unknown method": b"POSTED /v1/messages/count_tokens HTTP/1.1",
    "method with NUL": b"PO\x00ST /v1/messages/count_tokens HTTP/1.1",
    "space in the path": b"POST /v1/messages /count_tokens HTTP/1.1",
    "DEL in the path": b"POST /v1/messages/\x7fcount_tokens HTTP/1.1",
    "byte in the path": b"POST /v1/messages/\xe9 HTTP/1.1",
    "no slash": b"POST v1/messages/count_tokens HTTP/1.1",
    "a tunnel": b"CONNECT evil.example:443 HTTP/1.1",
    "bare LF": b"POST /v1/messages/count_tokens HTTP/1.1\nx: a",
    "HTTP/2's preface": b"PRI * HTTP/2.0",
}
BAD_CHUNKS = {
    "hex prefix": b"0x0\r\n\r\n",
    "hex prefix in capitals": b"0X2\r\n{}\r\n0\r\n\r\n",
    "plus": b"+0\r\n\r\n",
    "minus": b"-0\r\n\r\n",
    "space before": b" 0\r\n\r\n",
    "space behind": b"0 \r\n\r\n",
    "tab behind": b"2\t\r\n{}\r\n0\r\n\r\n",
    "underscore": b"0_0\r\n\r\n",
    "comma": b"2,\r\n{}\r\n0\r\n\r\n",
    "fullwidth digit": b"\xef\xbc\x92\r\n{}\r\n0\r\n\r\n",
    "no size": b"\r\n{}\r\n0\r\n\r\n",
    "letter": b"g\r\n\r\n",
    "overflow": b"10000000000000000\r\n\r\n",
    "overflow by zeros": b"1" + b"0" * 40 + b"\r\n\r\n",
    "LF behind the size": b"0\n\r\n",
    "CR behind the size": b"0\r\r\n",
    "LF at the end": b"0\r\n\n",
    "LF twice": b"0\n\n",
    "LF in an extension": b"0;a=b\n\r\n\r\n",
    "CR in an extension": b"2;a\rb\r\n{}\r\n0\r\n\r\n",
    "NUL in an extension": b"0;\x00\r\n\r\n",
    "space in an extension": b"2; \t\r\n{}\r\n0\r\n\r\n",
    "too little said": b"1\r\n{}\r\n0\r\n\r\n",
    "no end of the chunk": b"2\r\n{}0\r\n\r\n",
    "LF ends the chunk": b"2\r\n{}\n0\r\n\r\n",
    "CR ends the chunk": b"2\r\n{}\r0\r\n\r\n",
    "a length in the trailer": b"2\r\n{}\r\n0\r\ncontent-length: 9\r\n\r\n",
    "a coding in the trailer": b"2\r\n{}\r\n0\r\ntransfer-encoding: chunked\r\n\r\n",
    "a trailer without colon": b"2\r\n{}\r\n0\r\nbad\r\n\r\n",
    "a trailer with a space": b"2\r\n{}\r\n0\r\nx : 1\r\n\r\n",
    "a folded trailer": b"2\r\n{}\r\n0\r\nx: 1\r\n 2\r\n\r\n",
    "LF in the trailer": b"2\r\n{}\r\n0\r\nx: 1\n\r\n",
}


def head(*lines: bytes, line: bytes = LINE) -> bytes:
    return line + b"\r\n" + HOST + b"".join(lines) + b"\r\n"


def crafted() -> Iterator[tuple[str, bytes]]:
    """Each with a name. None of them has one meaning only."""
    for coding in CODINGS:
        field = b"transfer-encoding: " + coding + b"\r\n"
        yield f"coding {coding!r}", head(field) + CHUNKS
        yield f"coding {coding!r} before a length", head(field, LENGTH) + BODY
        yield f"coding {coding!r} behind chunked", head(CHUNKED, field) + CHUNKS
    for name in NAMES:
        yield f"name {name!r} and a length", head(LENGTH, name + b": chunked\r\n") + BODY
    for length in LENGTHS:
        value = length.replace(b"%d", b"%d" % len(BODY)).replace(b"%x", b"%x" % len(BODY))
        yield f"length {length!r}", head(b"content-length: " + value + b"\r\n") + BODY
    yield "length of nothing", head(b"content-length: \r\n") + BODY
    yield "length beyond 64 bits", head(b"content-length: 18446744073709551617\r\n") + BODY
    yield "two lengths", head(LENGTH, b"content-length: 0\r\n") + BODY
    yield "one length twice", head(LENGTH, LENGTH) + BODY
    yield "length and chunks", head(LENGTH, CHUNKED) + CHUNKS
    yield "chunks and length", head(CHUNKED, LENGTH) + CHUNKS
    for what, line in HEAD_LINES.items():
        yield f"header: {what}", head(line, LENGTH) + BODY
        yield f"last header: {what}", head(LENGTH, line) + BODY
    for what, line in REQUEST_LINES.items():
        yield f"request line: {what}", head(LENGTH, line=line) + BODY
    for what, chunks in BAD_CHUNKS.items():
        yield f"chunks: {what}", head(CHUNKED) + chunks
    yield "no host", LINE + b"\r\n" + LENGTH + b"\r\n" + BODY
    yield "chunks in HTTP/1.0", head(CHUNKED, line=LINE.replace(b"1.1", b"1.0")) + CHUNKS
    yield "head that ends in LF", LINE + b"\r\n" + HOST + b"\n"
    yield "head of LF alone", (LINE + b"\r\n" + HOST + LENGTH).replace(b"\r\n", b"\n") + b"\n" + BODY


CRAFTED = dict(crafted())
PLAIN = {
    "length": head(LENGTH) + BODY,
    "length with space": head(b"content-length:  %d \t\r\n" % len(BODY)) + BODY,
    "length with zeros": head(b"content-length: 000%d\r\n" % len(BODY)) + BODY,
    "name in capitals": head(LENGTH.upper()) + BODY,
    "chunks": head(CHUNKED) + CHUNKS,
    "coding in capitals": head(CHUNKED.upper()) + CHUNKS,
    "coding with space": head(b"transfer-encoding: \tchunked \r\n") + CHUNKS,
    "size with zeros": head(CHUNKED) + b"000" + CHUNKS,
    "extension": head(CHUNKED) + CHUNKS.replace(b"\r\n0", b'\r\n0;a="b"'),
    "trailer": head(CHUNKED) + CHUNKS[:-2] + b"x: 1\r\n\r\n",
    "underscore": head(LENGTH, b"transfer_encoding: chunked\r\n") + BODY,
    "empty lines before": b"\r\n\r\n" + head(LENGTH) + BODY,
}


def statuses(gateway: Gateway, *pieces: bytes) -> tuple[list[int], bytes]:
    """Those of all answers until the server closes, and everything that it said."""
    port = int(gateway.url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        for piece in pieces:
            connection.sendall(piece)
        said = b"".join(iter(lambda: connection.recv(65_536), b""))
    return [int(status) for status in STATUS.findall(said)], said


def test_there_are_more_than_two_hundred_of_them() -> None:
    assert len(CRAFTED) > 200


@pytest.mark.parametrize("at_once", [True, False], ids=["one packet", "two packets"])
def test_a_request_of_two_meanings_is_refused_and_nothing_behind_it_is_read(keyless: Gateway, at_once: bool) -> None:
    for name, request in CRAFTED.items():
        found, said = statuses(keyless, *([request + PREY] if at_once else [request, PREY]))
        assert found in ([400], [421]), f"{name}: {said!r}"  # 421: a second Host
        assert b'"invalid_http"' in said or b'"misdirected_request"' in said, name


@pytest.mark.parametrize("name", PLAIN)
def test_a_request_of_one_meaning_is_answered_and_so_is_the_next(keyless: Gateway, name: str) -> None:
    request = PLAIN[name]
    found, said = statuses(keyless, request + PREY)
    assert found == [200, 200], said
    assert b'{"input_tokens":' in said
    assert said.endswith(b'{"status":"ok"}')


def test_an_answer_to_an_old_client_needs_no_host(keyless: Gateway) -> None:
    assert statuses(keyless, b"GET /healthz HTTP/1.0\r\n\r\n")[0] == [200]
