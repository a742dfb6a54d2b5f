"""A settings file can change under a running server: good ones take over whole, bad ones change nothing."""

import asyncio
import signal
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from gateway.bootstrap import House, Options
from gateway.live import Live
from tests.running import Gateway, stopped_after

FAST = {"STEELYARD_SIMULATOR_PACE": "0"}
ONE = "routers: {one: {weights: {cost: 1}}}\n"
TWO = "routers: {two: {weights: {quality: 1}}}\n"


def router_names(gateway: Gateway) -> set[str]:
    return {row["id"] for row in gateway.models() if row["owned_by"] == "steelyard"}


def test_a_changed_file_takes_over_without_a_failed_request(tmp_path: Path) -> None:
    gateway = Gateway(tmp_path, ONE, FAST)
    with stopped_after(gateway):
        assert gateway.chat(model="one").status_code == 200
        (tmp_path / "steelyard.yaml").write_text(TWO)
        gateway.wait_for("generation 2")
        assert gateway.chat(model="two").status_code == 200
        assert gateway.chat(model="one").status_code == 404
        assert "two" in router_names(gateway)


def test_a_bad_file_leaves_the_old_one_serving_and_says_why(tmp_path: Path) -> None:
    gateway = Gateway(tmp_path, ONE, FAST)
    with stopped_after(gateway):
        (tmp_path / "steelyard.yaml").write_text("routers: {one: {weights: {cots: 1}}}\n")
        gateway.wait_for("did you mean cost")
        assert gateway.chat(model="one").status_code == 200
        (tmp_path / "steelyard.yaml").write_text(TWO)
        gateway.wait_for("generation 2")
        assert gateway.chat(model="two").status_code == 200


@pytest.mark.parametrize("bare", [None, "", " \n"], ids=["gone", "empty", "blank"])
def test_a_file_that_is_emptied_or_gone_keeps_its_last_settings(tmp_path: Path, bare: str | None) -> None:
    gateway = Gateway(tmp_path, ONE, FAST)
    path = tmp_path / "steelyard.yaml"
    told = "steelyard.yaml is gone; the settings last" if bare is None else "go on serving: steelyard.yaml: is empty"
    with stopped_after(gateway):
        path.unlink() if bare is None else path.write_text(bare)
        gateway.wait_for(told)
        assert gateway.chat(model="one").status_code == 200
        before = len(gateway.lines)
        gateway.child.send_signal(signal.SIGHUP)  # even when somebody insists
        path.write_text(TWO)
        gateway.wait_for("generation 2")
        assert gateway.chat(model="two").status_code == 200
    assert len([line for line in gateway.lines[:before] if told in line]) == 1


def test_a_file_with_nothing_but_comments_goes_back_to_the_defaults(tmp_path: Path) -> None:
    gateway = Gateway(tmp_path, ONE, FAST)
    with stopped_after(gateway):
        (tmp_path / "steelyard.yaml").write_text("# nothing set\n")
        gateway.wait_for("generation 2")
        assert gateway.chat(model="one").status_code == 404


def test_a_file_that_comes_later_is_followed_and_its_providers_replace_the_simulator(tmp_path: Path) -> None:
    gateway = Gateway(tmp_path, environ=FAST)
    own = "providers: {mine: {base_url: 'http://127.0.0.1:1/v1', models: [{id: me/own}]}}\n"
    with stopped_after(gateway):
        assert "sim/flagship" in {row["id"] for row in gateway.models()}
        (tmp_path / "steelyard.yaml").write_text(ONE + own)
        gateway.wait_for("generation 2")
        assert "one" in router_names(gateway)
        assert {row["id"] for row in gateway.models() if "/" in row["id"]} == {"me/own"}


def test_the_log_follows_the_settings(tmp_path: Path) -> None:
    gateway = Gateway(tmp_path, "server: {log: warning, log_format: text}\n", FAST)
    with stopped_after(gateway):
        gateway.chat()
        (tmp_path / "steelyard.yaml").write_text(TWO)
        asked = (gateway.chat(model="two") for _ in range(5_000))  # the reload itself is not logged at this level
        answer = next(answer for answer in asked if answer.status_code == 200)
        told = gateway.wait_for(r"^\d\d:\d\d:\d\d info    200 two → .*").group()
    assert told.endswith(answer.headers["x-steelyard-decision"])
    assert not [line for line in gateway.lines if " 200 auto " in line]


def test_sighup_reloads(tmp_path: Path) -> None:
    gateway = Gateway(tmp_path, ONE, FAST)
    with stopped_after(gateway):
        gateway.child.send_signal(signal.SIGHUP)
        gateway.wait_for("generation 2")
        assert gateway.chat(model="one").status_code == 200


def test_what_health_has_learned_survives_a_reload(tmp_path: Path) -> None:
    gateway = Gateway(tmp_path, ONE, FAST)
    with stopped_after(gateway):
        gateway.chat(model="sim/swift-mini", headers={"x-steelyard-simulate": "F11;ra=60"})
        gateway.child.send_signal(signal.SIGHUP)
        gateway.wait_for("generation 2")
        answer = gateway.chat(model="sim/swift-mini")
        assert answer.status_code == 429
        assert int(answer.headers["retry-after"]) > 1


def test_sigterm_ends_it_cleanly(tmp_path: Path) -> None:
    gateway = Gateway(tmp_path, environ=FAST)
    gateway.chat()
    assert gateway.stop() == 0
    assert not [line for line in gateway.lines if "Traceback" in line or "rror" in line]


def test_a_reload_cannot_let_everybody_in(tmp_path: Path) -> None:
    keyed = "server: {host: 0.0.0.0}\nkeys: [{name: a, sha256: '" + "a" * 64 + "'}]\n"
    gateway = Gateway(tmp_path, keyed, FAST)
    with stopped_after(gateway):
        (tmp_path / "steelyard.yaml").write_text("routers: {}\n")
        gateway.wait_for("caller keys")
        assert gateway.chat().status_code == 401


class Environ(Mapping[str, str]):
    """An environment that fails once, as no file can make it."""

    is_broken = False

    def __getitem__(self, name: str) -> str:
        if self.is_broken:
            self.is_broken = False
            raise RuntimeError("out of order")
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


async def test_whatever_a_reload_runs_into_the_next_one_is_carried_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    config, environ, swapped = tmp_path / "steelyard.yaml", Environ(), asyncio.Event()
    config.write_text(ONE)
    house = House(Options(config), environ)
    house.live = Live(house._compile(house.settings, house.catalog))
    house.live.on_swap(lambda snapshot: swapped.set())
    environ.is_broken = True
    config.write_text(TWO)
    house.ask_reload()
    house.ask_reload()
    async with asyncio.timeout(30), asyncio.TaskGroup() as tasks:
        following = tasks.create_task(house.follow())
        await swapped.wait()
        following.cancel()
    logged = [record.getMessage() for record in caplog.records if record.exc_info]
    assert logged == ["not reloaded, the old settings and catalog go on serving"]
    assert "two" in house.live.current.chat.policies


def test_what_needs_a_restart_is_said_when_it_changes(tmp_path: Path) -> None:
    gateway = Gateway(tmp_path, "server: {log_format: text}\n", FAST)
    with stopped_after(gateway):
        changed = "server: {log_format: json}\nledger: {retention_days: 3}\ncatalog: {refresh: false}\n"
        (tmp_path / "steelyard.yaml").write_text(changed)
        gateway.wait_for("reloaded: generation 2")
    told = [line for line in gateway.lines if "takes effect with the next start only" in line]
    assert [line.split("warning ")[-1].split()[0] for line in told] == ["ledger.retention_days", "server.log_format"]
