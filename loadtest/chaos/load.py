from loadtest.chaos.scenario import Scenario
SCENARIOS: tuple[Scenario, ...] = ()
