"""What doctor says of the local model: whole, damaged, or a process that died."""

from __future__ import annotations

from typing import Any

import pytest

from soloist.cli.checks import local_model
from soloist.engine.local import embedder, serve
from soloist.engine.worker import LocalWorker
from soloist.kernel.errors import WorkerTrouble


async def test_a_whole_model_is_named() -> None:
    found = await local_model(LocalWorker())
    assert found["ok"]
    assert "local model kind@" in found["what"]


async def test_a_changed_embedder_is_told_and_the_rest_still_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedder, "MODEL_SHA256", "0" * 64)
    worker = LocalWorker()
    found = await local_model(worker)
    assert not found["ok"]
    assert "is not the file that belongs here" in found["what"]
    told = await worker.call("local.classify", {"text": "We need a new website, what would it cost?"})
    assert told["part"] == "any"
    assert told["probabilities"]["enquiry"] > 0.5
    assert "not the file" in told["trouble"]


async def test_a_damaged_model_leaves_the_word_rules(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    (tmp_path / "kind.npz").write_bytes(b"damaged")
    monkeypatch.setattr(serve, "SHIPPED", tmp_path / "kind.npz")
    worker = LocalWorker()
    assert "no model" in (await local_model(worker))["what"]
    told = await worker.call("local.classify", {"text": "We need a new website."})
    assert (told["probabilities"], bool(told["scores"])) == ({}, True)


async def test_a_process_that_dies_is_told() -> None:
    class Dies:
        async def call(self, skill: str, value: Any, *, timeout: float) -> Any:
            raise WorkerTrouble("The process ended.")

    assert (await local_model(Dies()))["what"] == "The process ended."
