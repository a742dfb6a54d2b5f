"""Everything that lets us in at the clouds: who needs which token, and the headers that show it."""

import asyncio
import contextlib
from collections.abc import Collection, Mapping, Sequence
from functools import partial
from time import time

import aiohttp
from multidict import CIMultiDict
from yarl import URL

from gateway.transport import aws_credentials, entra_token, google_token
from gateway.transport.asking import Ask, ask
from gateway.transport.failure import TransportFailure
from gateway.transport.lease import Lease, Lent
from gateway.transport.logins import (
    AwsKeyLogin,
    AwsKeys,
    AwsMachineLogin,
    AwsRoleLogin,
    EntraLogin,
    EntraMachineLogin,
    GoogleKeyLogin,
    GoogleMachineLogin,
    Login,
)
from gateway.transport.sigv4 import signed_headers
from gateway.wire.secret import Secret

LONGEST_PAUSE_SECONDS = 60.0
REMEMBERED = 4  # secrets of a login that a provider may still repeat: the one in use, and the one before


class Wallet:
    """Holds what was lent, by the login that it was lent for."""

    def __init__(self) -> None:
        self._session: aiohttp.ClientSession | None = None
        self._held: dict[Login, Lease] = {}
        self._secrets: dict[Login, list[str]] = {}
        self._changed = asyncio.Event()

    def open(self, session: aiohttp.ClientSession) -> None:
        """session: to ask for tokens with."""
        self._session = session

    def use(self, logins: Collection[Login]) -> None:
        """These are needed from now on; what is held for others is forgotten."""
        self._held = {login: held for login, held in self._held.items() if login in logins}
        self._secrets = {login: secrets for login, secrets in self._secrets.items() if login in logins}
        for login in logins:
            if not isinstance(login, AwsKeyLogin):
                self._lease(login)
        self._changed.set()

    def secrets(self, login: Login) -> Sequence[str]:
        """What of this login must not be seen in a message; the list grows as tokens come."""
        if login not in self._secrets:
            self._secrets[login] = secrets_of(login.keys) if isinstance(login, AwsKeyLogin) else []
        return self._secrets[login]

    async def signed(self, login: Login, url: URL, headers: Mapping[str, str], body: bytes) -> Mapping[str, str]:
        """The headers with those that let us in. Waits only where no token is held. Raises TransportFailure."""
        if isinstance(login, AwsKeyLogin):
            held: AwsKeys | Secret = login.keys
        else:
            lease = self._lease(login)
            held = lease.current or await lease.obtain()
        if isinstance(held, AwsKeys):
            region = login.region if isinstance(login, AwsKeyLogin | AwsRoleLogin | AwsMachineLogin) else ""
            return with_headers(headers, signed_headers(held, region, url, body, time()))
        return with_headers(headers, {"authorization": f"Bearer {held.reveal()}"})

    def distrust(self, login: Login) -> None:
        """The provider has refused what we showed."""
        lease = self._held.get(login)
        if lease is not None:
            lease.distrust()

    async def keep_fresh(self) -> None:
        """Renew everything before it runs out, until this is cancelled. The request that meets a failure tells it."""
        while True:
            self._changed.clear()
            async with asyncio.TaskGroup() as tasks:
                for lease in self._due():
                    tasks.create_task(renew(lease))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._pause()):
                    await self._changed.wait()

    def _due(self) -> list[Lease]:
        now = time()
        return [lease for lease in self._held.values() if lease.due_at <= now]

    def _pause(self) -> float:
        """Seconds until the next one is due."""
        soonest = min((lease.due_at for lease in self._held.values()), default=time() + LONGEST_PAUSE_SECONDS)
        return min(max(soonest - time(), 0.1), LONGEST_PAUSE_SECONDS)

    def _lease(self, login: Login) -> Lease:
        lease = self._held.get(login)
        if lease is None:
            lease = self._held[login] = Lease(partial(self._fetch, login), time)
        return lease

    async def _fetch(self, login: Login) -> Lent:
        if self._session is None:
            raise RuntimeError("Wallet.signed before Wallet.open")
        lent = await fetched(login, partial(ask, self._session))
        known = self._secrets.setdefault(login, [])
        known += secrets_of(lent.value)
        del known[:-REMEMBERED]
        return lent


async def renew(lease: Lease) -> None:
    with contextlib.suppress(TransportFailure):
        await lease.renew()


async def fetched(login: Login, ask: Ask) -> Lent:
    """A new one, from whoever gives it out. Raises TransportFailure."""
    if isinstance(login, AwsRoleLogin):
        return await aws_credentials.of_container(login, ask)
    if isinstance(login, AwsMachineLogin):
        return await aws_credentials.of_instance(login, ask)
    if isinstance(login, GoogleKeyLogin):
        return await google_token.of_key(login, ask, time())
    if isinstance(login, GoogleMachineLogin):
        return await google_token.of_machine(login, ask, time())
    if isinstance(login, EntraLogin):
        return await entra_token.of_secret(login, ask, time())
    if isinstance(login, EntraMachineLogin):
        return await entra_token.of_machine(login, ask, time())
    return Lent(login.keys)


def secrets_of(value: AwsKeys | Secret) -> list[str]:
    if isinstance(value, Secret):
        return [value.reveal()]
    return [value.secret.reveal(), *([value.session.reveal()] if value.session is not None else [])]


def with_headers(headers: Mapping[str, str], more: Mapping[str, str]) -> CIMultiDict[str]:
    """A copy: the headers of a line are shared by all its requests."""
    copied = CIMultiDict(headers)
    copied.update(more)
    return copied
