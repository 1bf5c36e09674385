"""A house with a ledger and models that a provider on this machine answers."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from soloist import config
from soloist.engine.store.store import Store
from soloist.stages.runtime.models import Models
from soloist.stages.spend import Spend
from tests.engine.store import databases

_SPEC = importlib.util.spec_from_file_location("model_provider", Path(__file__).parent / "provider.py")
assert _SPEC is not None
assert _SPEC.loader is not None
provider_module: Any = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(provider_module)


@pytest.fixture
def provider() -> Iterator[Any]:
    with provider_module.serving(provider_module.Provider()) as served:
        yield served


@pytest.fixture
def other() -> Iterator[Any]:
    with provider_module.serving(provider_module.Provider()) as served:
        yield served


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(databases.migrated("sqlite", tmp_path))
    yield opened
    opened.close()


def part(served: Any, **more: Any) -> dict[str, Any]:
    """A model of a provider on this machine, at 1 and 4 EUR for a million tokens."""
    price = {"input": "1", "output": "4", "currency": "EUR"}
    plain = {"base_url": served.url, "model": "tiny", "allow_private_network": True, "price": price, "timeout": "5s"}
    return {**plain, **more}


@pytest.fixture
def house(store: Store, provider: Any) -> Callable[..., Models]:
    """Makes models over one store; without ``models`` there is one, called small, of the provider."""

    def make(models: Any = None, budgets: Any = None, **more: Any) -> Models:
        written = {"models": {"small": part(provider)} if models is None else models, "budgets": budgets or {}}
        settings = config.parse(written)
        return Models(store, settings, Spend(store, settings, worker="me"), **{"secret": lambda _name: "key", **more})

    return make
