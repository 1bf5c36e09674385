"""A poet with a ledger and models that a provider on this machine answers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from soloist import config
from soloist.engine.store.store import Store
from soloist.stages.runtime.models import Models
from soloist.stages.runtime.roster import Roster
from soloist.stages.runtime.working import Working
from soloist.stages.spend import Spend
from tests.stages.models import conftest as asked
from tests.stages.runtime import poet as poets

provider, store = asked.provider, asked.store


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("soloist.stages.runtime.models.decide.AGAIN_AFTER", 0.001)
    monkeypatch.setattr("soloist.stages.runtime.models.decide.USUAL_WAIT", 0.001)


@pytest.fixture
def house(store: Store, provider: Any, tmp_path: Path) -> Callable[..., Working]:
    """A house with one model, called small; ``more`` goes into the poet's contract."""

    def make(models: Any = None, budgets: Any = None, replay: bool = False, **more: str) -> Working:
        price = {"input": "1", "output": "4", "currency": "EUR"}
        one = {"base_url": provider.url, "model": "tiny", "allow_private_network": True, "price": price}
        given = {"small": {**one, "timeout": "40s"}} if models is None else models
        settings = config.parse({"models": given, "budgets": budgets or {}})
        place = tmp_path / "folders" / "poet"
        if not place.exists():
            poets.folder(tmp_path, **more)
        roster = Roster({"poet": place}, {"verse": poets.verse}, tmp_path / "none")
        assert roster.troubles == []
        made = Working(roster, poets.Here(poets.verse), store)
        books = Spend(store, settings, worker="me")
        made.models = Models(store, settings, books, secret=lambda _name: "key", replay=replay)
        return made

    return make
