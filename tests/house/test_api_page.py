"""docs/api.md names every field, header, code and endpoint of the HTTP interface."""

import re
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from gateway.errors import GatewayError
from gateway.server.metadata import Latency, Metadata, cost_header, headers_of
from gateway.wire.decision import Share, Standing

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "api.md").read_text()


def kinds(parent: type[GatewayError] = GatewayError) -> Iterator[type[GatewayError]]:
    for kind in parent.__subclasses__():
        yield kind
        yield from kinds(kind)


@pytest.mark.parametrize("struct", [Metadata, Latency, Standing, Share], ids=lambda struct: struct.__name__)
def test_every_field_of_the_steelyard_object_is_on_the_page(struct: type[msgspec.Struct]) -> None:
    fields = {field.encode_name for field in msgspec.structs.fields(struct)} - {"dimensions"}  # named one by one
    assert not {name for name in fields if f"`{name}`" not in PAGE}


def test_every_header_is_on_the_page() -> None:
    headers = [*headers_of("dec_1", "auto", "a/b", "c", 1, False, 0.0), *cost_header(1)]
    assert not {name for name, _ in headers if f"`{name.decode()}`" not in PAGE}


def test_every_code_and_status_of_an_error_is_on_the_page() -> None:
    own = {(kind.code, kind.status) for kind in kinds() if kind.__module__ == "gateway.errors" and kind.code}
    assert len(own) > 8
    rows = [line for line in PAGE.splitlines() if re.match(r"\| \d{3}", line)]
    for code, status in own:
        assert any(f"`{code}`" in row and str(status) in row for row in rows), code
