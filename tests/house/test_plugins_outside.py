"""A plugin of somebody else's, installed outside the tree, is found without any edit to a shared file."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

PLUGIN = '''
"""A greeting, a door bell and an agent by somebody else."""

from pathlib import Path

from pydantic import BaseModel

from soloist.sdk import Base, Registry, skill


class Name(BaseModel):
    name: str


class Greeting(BaseModel):
    text: str


@skill("greet", version="1")
def greet(value: Name) -> Greeting:
    """Greets a person."""
    return Greeting(text=f"Hello {value.name}")


class Bell(Base):
    kind = "bell"


def register(registry: Registry) -> None:
    registry.add_skill(greet)
    registry.add_connector(Bell())
    registry.add_agent("porter", Path(__file__).parent)


def broken(registry: Registry) -> None:
    raise RuntimeError("the bell is out of order")
'''

ASK = """
import json
from soloist.engine.registry import load
found = load()
print(json.dumps({
    "skills": sorted(found.skills), "connectors": sorted(found.connectors), "agents": sorted(found.agents),
    "troubles": found.troubles,
    "said": found.skills["greet"].call({"name": "Ada"}) if "greet" in found.skills else None,
}))
"""


def install(site: Path, points: str) -> None:
    """Lay the plugin into ``site`` the way pip would: a module and its dist-info."""
    info = site / "soloist_bell-1.0.dist-info"
    info.mkdir(parents=True)
    (site / "soloist_bell.py").write_text(PLUGIN, encoding="utf-8")
    (site / "greet.examples.yaml").write_text("skill: greet\n", encoding="utf-8")
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: soloist-bell\nVersion: 1.0\n", encoding="utf-8")
    (info / "entry_points.txt").write_text(f"[soloist.plugins]\n{points}\n", encoding="utf-8")


def ask(*paths: Path) -> dict[str, object]:
    """What a new process finds with these folders on its path."""
    surroundings = {k: v for k, v in os.environ.items() if k != "SOLOIST_PLUGINS"}
    surroundings["PYTHONPATH"] = os.pathsep.join(map(str, (*paths, ROOT / "src")))
    done = subprocess.run([sys.executable, "-c", ASK], env=surroundings, capture_output=True, text=True, check=True)
    answer: dict[str, object] = json.loads(done.stdout)
    return answer


@pytest.fixture(scope="module")
def shipped() -> dict[str, object]:
    """What is found when nothing else is installed."""
    return ask()


def test_nothing_of_it_is_there_before(shipped: dict[str, object]) -> None:
    assert shipped["said"] is None


@pytest.mark.parametrize(("room", "name"), [("skills", "greet"), ("connectors", "bell"), ("agents", "porter")])
def test_a_plugin_from_outside_is_found(tmp_path: Path, shipped: dict[str, list[str]], room: str, name: str) -> None:
    install(tmp_path, "bell = soloist_bell:register")
    found = ask(tmp_path)
    assert found[room] == sorted([*shipped[room], name])
    assert found["said"] == {"text": "Hello Ada"}


def test_a_skill_without_examples_is_refused_and_the_rest_goes_on(tmp_path: Path) -> None:
    install(tmp_path, "bell = soloist_bell:register")
    (tmp_path / "greet.examples.yaml").unlink()
    found = ask(tmp_path)
    assert (found["said"], "bell" in found["connectors"]) == (None, True)
    assert any(
        "greet has no examples" in text and "greet.examples.yaml is missing" in text for text in found["troubles"]
    )


def test_a_broken_plugin_is_named_and_the_rest_goes_on(tmp_path: Path, shipped: dict[str, object]) -> None:
    install(tmp_path, "bell = soloist_bell:broken\nother = soloist_bell:register")
    found = ask(tmp_path)
    assert any("bell" in text and "out of order" in text for text in found["troubles"])
    assert "greet" in found["skills"]


def test_the_shipped_plugins_load_without_trouble(shipped: dict[str, object]) -> None:
    assert shipped["troubles"] == []
