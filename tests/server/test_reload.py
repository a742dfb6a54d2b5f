"""A settings file can change under a running server: good ones take over whole, bad ones change nothing."""

import signal
from pathlib import Path

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
