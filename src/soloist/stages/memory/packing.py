"""Packing: which parts of what is remembered go into a context, within a budget; pure, and the same each time.

First what says most in the fewest words, then more where there is room: statements, summaries and notes, the sentences
of messages that answer, whole short messages, pointers to documents and their parts. Every part is a slice that names
its item, place and rank, so that it can be shown later what a run had before it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from soloist.kernel.hashing import json_hash
from soloist.kernel.sentences import spans
from soloist.stages.memory import facts, summing

TOKENS = 1500
"""Tokens of remembered material that a context holds at the most."""
PER_TOKEN = 4
"""Characters of a token, as mail in European languages comes out; never fewer are promised."""
LINE, SPAN, WHOLE = 220, 360, 700
"""Characters of a statement, of a part of a message, and of an item that is given whole."""
MOST_FACTS, MOST_ANSWERING = 16, 12
SHARES: Mapping[str, float] = {"fact": 0.3, "summary": 0.6, "span": 0.85, "document": 1.0}
"""How much of the budget is used up when each part has had its turn."""
_SUMMARIES = frozenset({"summary", "note", "decision", "insight", "outcome", "meeting", "session"})
_DOCUMENTS = frozenset({"document", "chunk"})
_WORD = re.compile(r"\w{3,}")


@dataclass(frozen=True)
class Slice:
    """One part: what kind of part, its words, the item they are of, and their place in it."""

    part: str
    text: str
    memory: str = ""
    ref: str = ""
    trust: str = ""
    at: str = ""
    n: int = 0
    hash: str = ""
    rank: int = 0
    span: tuple[int, int] = (0, 0)

    def row(self, retrieval: str) -> dict[str, Any]:
        """As it is kept: where it is from and never what it says."""
        place = {"span_from": self.span[0], "span_to": self.span[1]}
        kept = {"rank": self.rank, "n": self.n, "memory": self.memory, "hash": self.hash, "part": self.part}
        return {**kept, **place, "retrieval": retrieval if self.rank else ""}


@dataclass(frozen=True)
class Packed:
    """What a context holds of memory. ``whole`` is how many characters there would have been without choosing."""

    slices: tuple[Slice, ...]
    budget: int
    whole: int = 0
    left: Mapping[str, int] = field(default_factory=dict)
    withheld: Mapping[str, int] = field(default_factory=dict)
    """How much was not given, by the place that the role does not list under ``reads``."""

    @property
    def characters(self) -> int:
        """Characters that were packed."""
        return sum(len(piece.text) for piece in self.slices)

    @property
    def tokens(self) -> int:
        """The same in tokens, rounded up."""
        return -(-self.characters // PER_TOKEN)

    def row(self, **more: Any) -> dict[str, Any]:
        """The figures that are kept with the context."""
        parts: dict[str, list[int]] = {}
        for piece in self.slices:
            counted = parts.setdefault(piece.part, [0, 0])
            counted[0] += 1
            counted[1] += len(piece.text)
        return {
            "budget": self.budget,
            "tokens": self.tokens,
            "characters": self.characters,
            "whole": self.whole,
            "parts": parts,
            "left": dict(self.left),
            "withheld": dict(self.withheld),
            "facts": [piece.ref.partition(":")[2] for piece in self.slices if piece.part == "fact"],
            "hash": json_hash([piece.row("") for piece in self.slices]),
            **more,
        }

    def text(self) -> str:
        """The material as a model would be given it; what came from outside says so on its line."""
        return "\n".join(f"[{piece.trust}; {piece.ref}] {piece.text}" for piece in self.slices)


def pack(
    known: Sequence[Mapping[str, Any]],
    hits: Sequence[Mapping[str, Any]],
    *,
    tokens: int = TOKENS,
    whole: int = 0,
    leave: Sequence[str] = (),
    message: str = "",
    withheld: Mapping[str, int] | None = None,
) -> Packed:
    """Choose what fits. ``known`` are the live facts, ``hits`` the answers of a retrieval in their order.

    ``leave`` are refs that the run has before it anyway, ``message`` the ref of the one it answers (what that says,
    or brings as files, is no memory), ``whole`` the characters of the entire history, ``withheld`` what was taken out
    of both before.
    """
    budget = tokens * PER_TOKEN
    seen, taken = set(leave), list[Slice]()
    known = [row for row in known if not message or row["ref"] != message]
    files = f"document:{message.partition(':')[2]}#"
    queues: dict[str, list[Slice]] = {"fact": [*_facts(known)], "summary": [], "span": [], "document": []}
    for rank, hit in enumerate(hits, 1):
        if hit["ref"] in seen or hit["kind"] == "fact" or (message and hit["ref"].startswith(files)):
            continue  # statements come from the facts themselves, which say what holds now
        seen.add(hit["ref"])
        kind = "summary" if hit["kind"] in _SUMMARIES else "document" if hit["kind"] in _DOCUMENTS else "span"
        queues[kind] += _of_hit(hit, rank, kind)
    used, said, left = 0, set[str](), dict[str, int]()
    for kind, share in SHARES.items():
        for piece in queues[kind]:
            key = " ".join(piece.text.casefold().split())
            if key in said:
                continue
            if used + len(piece.text) > budget * share:
                left[kind] = left.get(kind, 0) + 1
                continue
            said.add(key)
            used += len(piece.text)
            taken.append(piece)
    return Packed(tuple(taken), tokens, whole, left, withheld or {})


def _facts(known: Sequence[Mapping[str, Any]]) -> Iterator[Slice]:
    """Statements, the operator's first, those that are disputed with both sides said."""
    order = {"confirmed": 0, "rule": 1, "unverified": 2}
    best = sorted(known, key=lambda row: (order[row["trust"]], row["state"] != "held", row["attribute"], row["id"]))
    for row in best[:MOST_FACTS]:
        since = f" (since {row['valid_from'][:10]})" if row["valid_from"] else ""
        doubt = ", disputed" if row["state"] == "disputed" else ""
        text = f"{row['attribute']}: {facts.told(row['value'])}{since}{doubt}"[:LINE]
        version = json_hash([row["id"], row["event"], row["trust"]])
        yield Slice("fact", text, "", f"fact:{row['id']}", row["trust"], row["valid_from"], hash=version)


def _of_hit(hit: Mapping[str, Any], rank: int, kind: str) -> list[Slice]:
    """An item whole when it is short, else its sentences that hold the question's words."""
    text = str(hit["text"])
    if len(text) <= (WHOLE if kind == "summary" else SPAN):
        return [_slice(hit, rank, kind, 0, len(text))]
    wanted = {word.casefold()[:6] for word in hit.get("held") or []}
    found = []
    for start, end in spans(text):
        words = {word.casefold()[:6] for word in _WORD.findall(text[start:end])}
        found.append((len(words & wanted), -start, start, min(end, start + SPAN)))
    best = sorted(found, reverse=True)[: 3 if kind == "summary" else 2]
    places = sorted((start, end) for worth, _, start, end in best if worth) or [(0, SPAN)]
    return [_slice(hit, rank, kind, start, end) for start, end in places]


def _slice(hit: Mapping[str, Any], rank: int, kind: str, start: int, end: int) -> Slice:
    return Slice(
        part=kind,
        text=str(hit["text"])[start:end],
        memory=hit["id"],
        ref=hit["ref"],
        trust=hit["trust"],
        at=hit["at"],
        n=int(hit["n"]),
        hash=hit["version"],
        rank=rank,
        span=(start, end),
    )


def question(message: Mapping[str, Any], most: int = 600) -> str:
    """What to look for to answer a message: its subject, its questions, and its sentences that say most."""
    read = message["understanding"] or {}
    own = str(read.get("own_text") or message["text"] or "")
    asked = [str(span["text"]) for span in read.get("questions") or []]
    best = [piece.text for piece in summing.chosen([summing.Source("", own)], 3, 400)] if own else []
    parts = dict.fromkeys([str(message["subject"] or ""), *asked, *best])
    return " ".join(" ".join(part.split()) for part in parts if part)[:most]
