"""Carbon over real requests: a band with its evidence on the answer, sums in the usage, and a router that lowers it."""

from pathlib import Path

from tests.running import Gateway, Simulator, stopped_after

OWN = """
providers:
  own:
    base_url: {url}
    region: FRA
    models: [{{id: openai/gpt-oss-20b, upstream_name: sim/swift-mini}}]
"""
QUESTIONS = [f"Explain part {number} of how rainbows form, in a paragraph." for number in range(12)]


def test_an_answer_says_what_it_emitted_where_and_by_which_method(keyless: Gateway) -> None:
    said = keyless.chat("How do rainbows form?").json()["steelyard"]
    carbon = said["carbon"]
    assert carbon["low_g"] < carbon["g"] == said["carbon_g"] < carbon["high_g"]
    assert len(carbon["region"]) == 3
    assert carbon["grid_g_per_kwh"] > 0
    assert carbon["method"].startswith("ecologits-")


def test_a_green_router_emits_less_than_auto_for_the_same_questions(tmp_path: Path) -> None:
    gateway = Gateway(tmp_path, environ={"STEELYARD_SIMULATOR_PACE": "0"})
    with stopped_after(gateway):
        emitted = {
            router: sum(gateway.chat(one, model=router).json()["steelyard"]["carbon_g"] for one in QUESTIONS)
            for router in ("auto", "green")
        }
        assert emitted["green"] < 0.7 * emitted["auto"]


def test_the_usage_adds_the_bands_up(tmp_path: Path) -> None:
    first = Gateway(tmp_path, environ={"STEELYARD_SIMULATOR_PACE": "0"})
    with stopped_after(first):
        told = [first.chat(question).json()["steelyard"]["carbon"] for question in QUESTIONS[:3]]
    second = Gateway(tmp_path, environ={"STEELYARD_SIMULATOR_PACE": "0"})  # all of the journal is drained by now
    with stopped_after(second):
        total = second.http.get("/v1/usage").json()["total"]
    for name, field in (("carbon_g", "g"), ("carbon_low_g", "low_g"), ("carbon_high_g", "high_g")):
        assert abs(total[name] - sum(carbon[field] for carbon in told)) < 1e-9


def test_the_mix_of_a_country_can_be_stated_in_the_settings(tmp_path: Path) -> None:
    simulator = Simulator(tmp_path, "sim-alpha")
    with stopped_after(simulator):
        own = OWN.format(url=f"http://127.0.0.1:{simulator.ports['sim-alpha']}/v1")
        gateway = Gateway(tmp_path, f"{own}catalog: {{refresh: false, grid_g_per_kwh: {{FRA: 21.5}}}}\n")
        with stopped_after(gateway):
            carbon = gateway.chat("hello").json()["steelyard"]["carbon"]
    assert (carbon["region"], carbon["grid_g_per_kwh"]) == ("FRA", 21.5)
