"""Says plainly which programs were not found; their tests are not among those that run."""

import pytest

from tests.clients.programs.agents import AGENTS
from tests.clients.programs.sdks import SDKS
from tests.clients.programs.stage import FOLDER


def pytest_report_header() -> list[str]:
    missing = [agent.client for agent in AGENTS if not agent.is_installed]
    missing += [sdk.script for sdk in SDKS if not sdk.is_installed]
    if len(missing) == len(AGENTS) + len(SDKS):
        raise pytest.UsageError(f"no program was found in {FOLDER}; tests/clients/programs/install puts them there")
    lines = [f"programs: {FOLDER}"]
    return [*lines, f"not found there, not tested: {', '.join(missing)}"] if missing else lines
