"""``soloist replay``: what another model, another policy, a skill or an agent would have done, and how it ends."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner, Result

from soloist.cli.main import app as command
from soloist.engine.store.tables_spend import recordings
from soloist.engine.worker import Worker
from soloist.flows.publishing import Publishing
from soloist.stages.runtime.models import wire
from tests.flows.by_step import Shop
from tests.flows.conftest import mail, prepare, worker
from tests.flows.test_written_by_model import OPENING, provider, says

__all__ = ["provider", "worker"]
NEVER = """
[[policy.rules]]
name = "no letters"
when = 'proposal.operation == "mail.send"'
then = "deny"
"""
PART = '[models.{}]\nbase_url = "{}"\nmodel = "{}"\nallow_private_network = true\ntimeout = "60s"\n'
PRICE = 'price = { input = "1", output = "4", currency = "EUR" }\n'


@pytest.fixture
def shop(tmp_path: Path, worker: Worker, provider: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    """The studio with two models, of which the first one is asked."""
    monkeypatch.setattr("soloist.app.Worker", lambda: worker)
    provider.reply = says()
    wire.load()
    parts = [PART.format(*one) + PRICE for one in (("small", provider.url, "tiny"), ("other", provider.url, "else"))]
    prepare(tmp_path / "home", "".join(parts), {})
    made = Shop(tmp_path / "home")
    yield made
    made.app.close()


@pytest.fixture
def replay(shop: Shop) -> Callable[..., Result]:
    def run(*words: Any) -> Result:
        return CliRunner().invoke(command, ["replay", *map(str, words), "--home", str(shop.app.home.root)])

    return run


def rewritten(tx: Any) -> None:
    """The model is recorded with another opening."""
    (row,) = tx.rows(sa.select(recordings))
    text = json.dumps(row.response).replace(OPENING, "A site of six pages is a fine size.")
    tx.run(recordings.update().values(response=json.loads(text)))


def test_what_would_change_is_told_for_each(shop: Shop, replay: Callable[..., Result], tmp_path: Path) -> None:
    proposal = asyncio.run(shop.proposed(mail()))
    assert OPENING in proposal["payload"]["body"]
    asyncio.run(shop.say(proposal, "reject", reason="We have no time in spring."))
    assert "small: 2 the same" in replay("--model", "small").output
    never = replay("--model", "other")
    assert never.exit_code == 0 and "The model other was never asked what draft_reply asked" in never.output
    shop.store.write_now(rewritten)
    other = replay("--model", "small")
    assert other.exit_code == 0 and "otherwise. the model small" in other.output, other.output
    (tmp_path / "p.toml").write_text(NEVER)
    worse = replay("--policy", tmp_path / "p.toml")
    assert worse.exit_code == 3 and "further from what you wanted. Rule" in worse.output
    told = json.loads(replay("--skill", "draft_reply", "--json").output)
    assert told["totals"]["same"] == 2 and told["candidate"].startswith("draft_reply@")
    version, label = shop.desk.runtime.agents["intake"].version, shop.desk.runtime.agents["intake"].label
    asyncio.run(Publishing(shop.desk).use("intake", version, who="operator"))
    assert f"{label}: 1 the same" in replay("--agent", label, "--corrected").output
    assert "name one of RUN" in replay("--agent", label, "--model", "small").output
    assert shop.proposal(proposal["id"])["state"] == "rejected"
