"""Asks a server what a client would find there, before a client is told of it."""

import http.client
import urllib.error
import urllib.request
from http import HTTPStatus
from urllib.parse import quote

import click
import msgspec
from msgspec import Struct

from gateway.cli.explain import refusal
from gateway.cli.table import note

TIMEOUT_SECONDS = 5.0


class Kinds(Struct, frozen=True):
    """What goes in."""

    input_modalities: tuple[str, ...]


class Promise(Struct, frozen=True):
    """What a router or model can do, as GET /v1/models/{id} says."""

    context_window: int | None  # tokens
    max_output_tokens: int | None
    architecture: Kinds


PROMISE = msgspec.json.Decoder(Promise)


def promise_of(root: str, key: str, model: str) -> Promise | None:
    """What the server at `root` promises of `model`; None, and a note, when nobody answers there.

    Raises what stops the command when the client would be refused there: its key, its model, or all that it says.
    """
    address = f"{root}/v1/models/{quote(model, safe='/@:')}"
    request = urllib.request.Request(address, headers={"authorization": f"Bearer {key}"})  # noqa: S310 - their own URL
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as reply:  # noqa: S310
            return PROMISE.decode(reply.read())
    except urllib.error.HTTPError as error:
        raise refused(root, error) from error
    except (OSError, http.client.HTTPException):
        note(f"nothing answers at {root} yet, so neither key nor model was tried; steelyard serve starts a server")
    except msgspec.MsgspecError as error:
        raise click.ClickException(f"what answers at {root} is no Steelyard; say with --url where it runs") from error
    return None


def refused(root: str, error: urllib.error.HTTPError) -> click.ClickException:
    """The server's own words, with the option that puts it right."""
    said = refusal(root, error)
    if error.code == HTTPStatus.NOT_FOUND and "is no Steelyard" not in said:
        return click.BadParameter(said, param_hint="--model")
    return click.ClickException(said)
