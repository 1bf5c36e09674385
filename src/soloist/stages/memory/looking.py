"""Looking things up: a question becomes ranked memories and one row of the log; a replay finds the same again."""

from __future__ import annotations

import asyncio
import base64
from collections import OrderedDict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from soloist.engine.recall.door import Ask, Recall
from soloist.engine.recall.legs import Mask
from soloist.engine.store import corrections, embeddings, memories, retrievals
from soloist.engine.store.base import Connection
from soloist.engine.store.clock import iso
from soloist.engine.store.store import Store
from soloist.kernel.errors import SoloistError
from soloist.stages.memory import decide, reach
from soloist.stages.memory.decide import Search

if TYPE_CHECKING:
    from soloist.stages.memory.asking import Asked

PATIENCE = 5.0
"""Seconds that a question waits for its vector; then it is answered by words alone."""
FURTHER = 4
"""How many times as far is looked when some of what was found may not be given."""
REMEMBERED = 512
"""Questions whose vectors are kept."""


class Embeds(Protocol):
    """The limited worker process."""

    async def call(
        self, skill: str, value: dict[str, Any], blob: bytes = b"", *, timeout: float = 20.0
    ) -> dict[str, Any]:
        """Run ``local.embed``."""


@dataclass(frozen=True)
class Retrieval:
    """An answer. ``mode`` is "words and meaning" or "words only", ``notes`` are sentences for whoever reads it.

    ``known`` is False when the answer is probably not among the items; ``items`` are the hits in order: id, ref,
    text, score and parts in millionths, tier, trust, version, and ``entity``: whether its writer is whom the question
    names (None when it names nobody who wrote anything). ``rows`` could be seen, as of ``seq``.
    """

    id: str
    items: list[dict[str, Any]]
    mode: str
    behind: int
    known: bool
    notes: list[str] = field(default_factory=list)
    rows: int = 0
    seq: int = 0
    withheld: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Refs of hits that were not given, by the place that the asking role does not list under ``reads``."""


@dataclass(frozen=True)
class Vector:
    """A question's vector, or why there is none."""

    value: bytes = b""
    model: str = ""
    trouble: str = ""


class Looking:
    """Answers questions of one process."""

    def __init__(self, store: Store, recall: Recall, worker: Embeds | None) -> None:
        """Without a ``worker`` questions are answered by words alone."""
        self._store, self._recall, self._worker = store, recall, worker
        self._vectors: OrderedDict[tuple[str, str], bytes] = OrderedDict()
        self._named: tuple[list[str], frozenset[str]] = [], frozenset()

    async def search(self, search: Search) -> Retrieval:
        """Answer and log (BadInput for a question that cannot be answered, or as of no time there was)."""
        decide.check(search)
        at = search.at or iso(self._store.clock())
        asked, names, model = await self._store.read(lambda conn: self._read(conn, search, at))
        vector = (
            await self._vector(model, asked.meant) if search.meaning else Vector(trouble="meaning was not asked for")
        )
        row, items = await self._store.read(lambda conn: self._answer(conn, search, (asked, names, at), vector))
        ident = await self._store.write(lambda tx: retrievals.add(tx, row), full=False)
        return _retrieval(ident, row, items)

    def _read(self, conn: Connection, search: Search, at: str) -> tuple[Asked, list[str], dict[str, Any] | None]:
        """What is asked for, which of its words name a writer, and the model in use."""
        writers, named = self._recall.writers(conn, search.scopes, search.as_of), self._named
        if named[0] is not writers:
            self._named = named = writers, parts_of(writers)
        return *understood(search.query, at, named[1]), embeddings.in_state(conn, "active")

    async def _vector(self, model: Mapping[str, Any] | None, text: str) -> Vector:
        """The vector of a question by the model in use."""
        if model is None or self._worker is None:
            return Vector(trouble="nothing has a vector yet")
        key = (model["id"], text)
        if key not in self._vectors:
            try:
                async with asyncio.timeout(PATIENCE):
                    told = await self._worker.call("local.embed", {"texts": [text]})
            except (SoloistError, TimeoutError) as error:
                said = getattr(error, "detail", "") or f"the model did not answer within {PATIENCE:.0f} s"
                return Vector(trouble=said)
            if trouble := decide.misfit(model, told):
                return Vector(trouble=trouble)
            self._vectors[key] = base64.b64decode(told["vectors"][0])
            if len(self._vectors) > REMEMBERED:
                self._vectors.popitem(last=False)
        return Vector(self._vectors[key], model["id"])

    def _answer(
        self, conn: Connection, search: Search, understood: tuple[Asked, list[str], str], vector: Vector
    ) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """The row of the log and the hits, on one snapshot."""
        asked, names, at = understood
        mask = Mask(0, 0, at, search.scopes, search.tiers, search.kinds, search.records, search.threads)
        ask = self._recall.asking(conn, mask, as_of=search.as_of, model=vector.model, vector=vector.value)
        weights = weights_of(search.weights)
        rules = {**current_rules(), "actors": names, "weights": weights}
        told = corrections.swayed(conn, search.records, search.threads) if search.run and not search.as_of else {}
        items, verdict = hits(conn, ask, asked, weights, search, learned=told)
        learned = {str(n): list(told[n]) for n in sorted(told)}
        logged = [decide.logged(item) for item in items]
        row = {
            "run": search.run,
            "step": search.step,
            "actor": search.actor,
            "query": search.query,
            "vector": vector.value or None,
            "model": ask.model,
            "scope": search.scopes[0] if len(search.scopes) == 1 else "",
            "parameters": decide.parameters(search, **rules, **({"learned": learned} if learned else {})),
            "seq": ask.mask.seq,
            "newest": ask.mask.newest,
            "behind": embeddings.behind(conn, vector.model) if vector.model else 0,
            "at": at,
            "k": search.k,
            "hits": logged,
            "hits_hash": retrievals.hits_hash(logged),
            "detail": {**ask.figures, "upto": ask.upto, "trouble": vector.trouble, **verdict},
        }
        return row, items

    def replay(self, conn: Connection, ident: str) -> dict[str, Any]:
        """Answer a logged question again and compare (NotFound): {retrieval, identical, how, why, expected, found}.

        ``how`` is "recomputed", or "stored parts" when rows that were seen then have left the disk or the rules have
        changed (``why`` says which); then the order is made again from the parts in the log.
        """
        row = retrievals.get(conn, ident)
        search, names = decide.searched(row), row["parameters"]["actors"]
        rules = current_rules()
        if changed := [name for name, value in rules.items() if row["parameters"][name] != value]:
            return _compared(row, decide.by_parts(row["hits"]), f"other rules now: {', '.join(changed)}")
        if row["model"] and not row["vector"]:
            return _compared(row, decide.by_parts(row["hits"]), "the question's vector was let go")
        asked, _ = understood(row["query"], row["at"], names)
        filters = (search.scopes, search.tiers, search.kinds, search.records, search.threads)
        mask = Mask(row["seq"], row["newest"], row["at"], *filters)
        upto, vector = row["detail"]["upto"], row["vector"] or b""
        ask = self._recall.asking_again(conn, mask, model=row["model"], vector=vector, upto=upto)
        learned = {int(n): told for n, told in row["parameters"].get("learned", {}).items()}
        items, _ = hits(conn, ask, asked, row["parameters"]["weights"], search, learned=learned)
        if why := decide.missing(row, ask.figures):
            return _compared(row, decide.by_parts(row["hits"]), why)
        return _compared(row, [decide.logged(item) for item in items], "")


def parts_of(writers: Sequence[str]) -> frozenset[str]:
    """The words by which a question may name one of some writers."""
    from soloist.stages.memory import asking

    return frozenset(part for name in writers for part in asking.of_actor(name))


def understood(query: str, at: str, parts: Collection[str]) -> tuple[Asked, list[str]]:
    """A question as what can be looked for, and which of its words are among the ``parts`` of writers' names."""
    from soloist.engine.recall import words
    from soloist.stages.memory import asking

    names = sorted({word for word in words.tokens(query) if word in parts})
    return asking.read(query, at, names), names


def current_rules() -> dict[str, str]:
    """The versions of what an answer is made by."""
    from soloist.engine.recall import index, words
    from soloist.stages.memory import rank

    return {"analysis": words.VERSION, "candidates": index.RULE, "rank": rank.VERSION}


def weights_of(given: Mapping[str, int]) -> dict[str, int]:
    """All weights by name, the given ones over the usual (BadInput for a name that there is not)."""
    from soloist.stages.memory.rank import Weights

    return dict(vars(Weights(**decide.known_weights(given, Weights.__dataclass_fields__))))


def hits(
    conn: Connection,
    ask: Ask,
    asked: Asked,
    weights: Mapping[str, int],
    search: Search,
    *,
    learned: Mapping[int, Sequence[int]],
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The best rows of a question as items, and the verdict: {known, why}, with {withheld} where a role asks.

    What a role may not read leaves its place to what comes after it.
    """
    from soloist.stages.memory import rank

    def texts(numbers: Sequence[int]) -> list[str]:
        found = memories.texts_of(conn, numbers)
        return [found.get(n, "") for n in numbers]

    question = asked.question(ask.vector, ask.mask, search.wide)
    weighed = rank.Weights(**weights)

    def best(k: int) -> tuple[list[dict[str, Any]], rank.Verdict]:
        found = rank.rank(ask, asked, question, weighed, texts=texts, k=k, learned=learned)
        rows = memories.shown(conn, sorted({n for hit in found for n in (hit.n, hit.overtaken_by) if n}))
        items = [
            decide.item(hit, rows[hit.n], memories.version(rows[hit.n]), rows.get(hit.overtaken_by, {}).get("id", ""))
            for hit in found
            if hit.n in rows
        ]
        return items, rank.judge(asked, found, weighed)

    items, verdict = best(search.k)
    if search.reads is None:
        return items, {"known": verdict.known, "why": verdict.why}
    kept, withheld = _held(conn, items, search.reads)
    if withheld and len(items) == search.k:
        items, verdict = best(min(decide.MOST_HITS, search.k * FURTHER))
        kept, withheld = _held(conn, items, search.reads)
    return kept[: search.k], {"known": verdict.known and bool(kept), "why": verdict.why, "withheld": withheld}


def _held(
    conn: Connection, items: list[dict[str, Any]], reads: Sequence[str]
) -> tuple[list[dict[str, Any]], dict[str, list[str]]]:
    """The items that a role may be given, and the refs of the others by the place that is missing."""
    withheld = reach.Withheld()
    needs = reach.items(conn, [item["id"] for item in items])
    return reach.sifted(reads, [(item["ref"], item) for item in items], needs, withheld), withheld.refs()


def _compared(row: Mapping[str, Any], hits: list[dict[str, Any]], why: str) -> dict[str, Any]:
    """Whether the hits are those of then; ``why`` says why they could not be found anew."""
    digest = retrievals.hits_hash(hits)
    return {
        "retrieval": row["id"],
        "identical": digest == row["hits_hash"],
        "how": "stored parts" if why else "recomputed",
        "why": why,
        "expected": row["hits_hash"],
        "found": digest,
    }


def _retrieval(ident: str, row: Mapping[str, Any], items: list[dict[str, Any]]) -> Retrieval:
    """What a caller is told."""
    return Retrieval(
        id=ident,
        items=items,
        mode="words and meaning" if row["model"] else "words only",
        behind=row["behind"],
        known=bool(row["detail"]["known"]),
        notes=decide.notes(row),
        rows=row["detail"]["rows"],
        seq=row["seq"],
        withheld=row["detail"].get("withheld") or {},
    )
