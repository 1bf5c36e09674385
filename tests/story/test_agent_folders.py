"""The shipped agents' folders: the TOML names what the registry knows, and the instructions are there."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

import soloist.plugins

AGENTS = Path(soloist.plugins.__file__).parent / "agents"


@pytest.mark.parametrize(("name", "autonomy"), [("intake", "propose"), ("supervisor", "observe")])
def test_an_agent_folder_is_whole(name: str, autonomy: str):
    agent = tomllib.loads((AGENTS / name / "agent.toml").read_text())
    assert (agent["name"], agent["version"], agent["tier"], agent["autonomy"]) == (name, "1", 0, autonomy)
    assert set(agent) == {
        "name",
        "version",
        "kind",
        "summary",
        "tier",
        "autonomy",
        "skills",
        "operations",
        "reads",
        "writes",
        "limits",
    }
    assert len((AGENTS / name / "instructions.md").read_text()) > 300


def test_only_intake_may_propose_mail():
    operations = {p.parent.name: tomllib.loads(p.read_text())["operations"] for p in AGENTS.glob("*/agent.toml")}
    assert (operations["intake"], operations["supervisor"]) == (["mail.send"], [])
