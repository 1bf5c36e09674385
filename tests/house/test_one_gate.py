"""One gate: nothing is proposed, approved or carried out except through the stages that ask it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from soloist.plugins import register
from soloist.sdk import Registry
from soloist.sdk.mail import CONTROL, FIELDS, WORDS

SOURCE = Path(__file__).resolve().parents[2] / "src" / "soloist"
WALLS = {
    r"\bproposals\.insert\(tx": {"stages/approvals/steps.py"},
    r"\bproposals\.add_approval\(": {"stages/approvals/steps.py"},
    r"\"approved\", actor=": {"stages/approvals/steps.py"},
    r"\b_?door\.execute\(": {"stages/effects/steps.py"},
}


@pytest.mark.parametrize("what", WALLS)
def test_only_the_stages_that_ask_the_gate_do_this(what: str):
    found = {str(p.relative_to(SOURCE)) for p in SOURCE.rglob("*.py") if re.search(what, p.read_text("utf-8"))}
    assert found == WALLS[what]


def test_propose_judges_before_it_stores_and_the_executor_asks_again():
    steps = (SOURCE / "stages/approvals/steps.py").read_text("utf-8")
    body = steps[steps.index("def propose(") : steps.index("def _again(")]
    assert body.index("_origin(") < body.index("self._judge(") < body.index("proposals.insert(")
    executor = (SOURCE / "stages/effects/steps.py").read_text("utf-8")
    moved = executor[executor.index("def _moved(") : executor.index("def _same_content(")]
    assert "self._allowed(" in moved


def test_every_field_of_a_mail_is_declared_as_steering_or_as_words():
    assert set(CONTROL) | set(WORDS) == set(FIELDS)
    assert not set(CONTROL) & set(WORDS)


def test_every_shipped_sender_declares_what_steers():
    registry = Registry()
    register(registry)
    text = {name: Path(type(one).__module__.replace(".", "/")) for name, one in registry.connectors.items()}
    for name, path in text.items():
        file = next(p for p in (SOURCE.parent / f"{path}.py", SOURCE.parent / path / "__init__.py") if p.exists())
        source = file.read_text("utf-8")
        assert source.count("Operation(\n") == source.count("control=CONTROL"), name
