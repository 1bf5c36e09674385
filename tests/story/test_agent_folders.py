"""The shipped agents' folders: each is a whole contract, and names what there is."""

from __future__ import annotations

from pathlib import Path

import pytest

import soloist.plugins
from soloist.engine import registry
from soloist.stages.runtime.agents import read_agent, read_folder, unknown

AGENTS = Path(soloist.plugins.__file__).parent / "agents"
SPECS = {path.parent.name: read_agent(path.parent) for path in sorted(AGENTS.glob("*/agent.toml"))}
SKILLS = registry.load().skills


@pytest.mark.parametrize("name", SPECS)
def test_an_agent_folder_is_whole(name: str):
    spec = SPECS[name]
    assert unknown(spec, SKILLS, SPECS, name) == ""
    assert len(read_folder(AGENTS / name)["instructions"]) > 300
    assert spec.skills
    assert spec.output


def test_the_first_two_are_there():
    assert {"intake", "supervisor"} <= SPECS.keys()
    assert (SPECS["intake"].autonomy, SPECS["supervisor"].autonomy) == ("propose", "observe")


def test_who_may_propose_mail():
    assert SPECS["intake"].operations == ("mail.send",)
    assert SPECS["supervisor"].operations == ()
