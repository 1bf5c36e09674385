"""Pure decisions of memory: what a context holds, what may be written and asked, what an answer and its log say."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from soloist.kernel.errors import BadInput, TooLarge
from soloist.kernel.hashing import json_hash
from soloist.kernel.memory import TIERS, NewMemory

MESSAGES = 12
"""Messages of a thread that a context holds, the newest."""


def context_row(
    record_rows: Sequence[Mapping[str, Any]], thread: Sequence[Mapping[str, Any]], house_book: str, seq: int
) -> dict[str, Any]:
    """The stored context: pointers and versions, never texts; ``hash`` names exactly this selection."""
    row = {
        "records": [
            {"id": r["id"], "kind": r["kind"], "version": r["version"], "title": r["title"]} for r in record_rows
        ],
        "messages": [{"id": m["id"], "direction": m["direction"], "at": m["at"]} for m in thread],
        "house_book": house_book,
        "parameters": {"messages": MESSAGES, "as_of_seq": seq, "method": "thread and identity"},
    }
    return {**row, "hash": json_hash(row)}


# ----- writing

MOST_TEXT = 65_536
"""Bytes of the text of one item."""
MOST_ITEMS = 10_000
_SHORT = {"scope": 200, "kind": 100, "source": 200, "ref": 500, "actor": 300, "thread": 300, "record": 100}


def checked(items: Sequence[NewMemory]) -> None:
    """Refuse what cannot be kept, naming the item and its field (BadInput, TooLarge)."""
    if len(items) > MOST_ITEMS:
        raise TooLarge(f"items: {len(items)} are more than the {MOST_ITEMS} of one request.", field="items")
    for place, item in enumerate(items):
        where = f"items[{place}]." if len(items) > 1 else ""
        if not item.text.strip():
            raise BadInput(f"{where}text: there is nothing to remember.", field=f"{where}text")
        if len(item.text.encode()) > MOST_TEXT:
            raise TooLarge(
                f"{where}text: {len(item.text.encode())} bytes are more than the {MOST_TEXT} of an item;"
                " keep it as a document and remember its parts.",
                field=f"{where}text",
            )
        if item.tier not in TIERS:
            raise BadInput(f"{where}tier: one of {', '.join(TIERS)}, not {item.tier[:40]!r}.", field=f"{where}tier")
        for name, most in _SHORT.items():
            if len(getattr(item, name)) > most:
                raise TooLarge(f"{where}{name}: more than {most} characters.", field=f"{where}{name}")


# ----- asking

MOST_QUERY = 4_000
"""Characters of a question."""
MOST_HITS = 1_000
FILTERS = ("scopes", "tiers", "kinds", "records", "threads")


@dataclass(frozen=True)
class Search:
    """What somebody looks for. Filters that are empty let everything through; ``as_of`` is a sequence or an instant
    ("" now), ``at`` the asker's now, ``meaning`` False leaves the vectors out, ``weights`` go to the ranking; ``reads``
    are the places that the contract of a role lists: nothing else is answered (None: the operator or the house asks).
    """

    query: str
    k: int = 10
    scopes: tuple[str, ...] = ()
    tiers: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    records: tuple[str, ...] = ()
    threads: tuple[str, ...] = ()
    as_of: str = ""
    at: str = ""
    meaning: bool = True
    wide: int = 200
    weights: Mapping[str, int] = field(default_factory=dict)
    actor: str = ""
    run: str = ""
    step: str = ""
    reads: tuple[str, ...] | None = None


def check(search: Search) -> None:
    """Refuse a question that no row could answer (BadInput, TooLarge)."""
    if len(search.query) > MOST_QUERY:
        said = (
            f"q: {len(search.query)} characters are more than the {MOST_QUERY} of a question; nothing was looked for."
        )
        raise TooLarge(said, field="q")
    if not any(character.isalnum() for character in search.query):
        raise BadInput("q: there is no letter and no digit in it, so there is nothing to look for.", field="q")
    if not 1 <= search.k <= MOST_HITS:
        raise BadInput(f"k: from 1 to {MOST_HITS}.", field="k")
    if unknown := [tier for tier in search.tiers if tier not in TIERS]:
        raise BadInput(f"tier: one of {', '.join(TIERS)}, not {unknown[0][:40]!r}.", field="tier")


def misfit(model: Mapping[str, Any], told: Mapping[str, Any]) -> str:
    """Why what the worker answered cannot be compared with the vectors there are, "" when it can."""
    if told.get("trouble"):
        return str(told["trouble"])
    if told["sha256"] != model["sha256"] or told["tokenizer"] != model["tokenizer"]:
        return (
            f"the vectors there are were made by another model ({model['sha256'][:12]}, installed is"
            f" {told['sha256'][:12]}); build a new generation"
        )
    return ""


# ----- answering


def parameters(search: Search, **rules: Any) -> dict[str, Any]:
    """Everything but the question, its vector and the instant that an answer depends on; numbers are whole."""
    filters = {name: list(getattr(search, name)) for name in FILTERS if getattr(search, name)}
    held = {} if search.reads is None else {"reads": sorted(search.reads)}
    return {**filters, **held, "wide": search.wide, "k": search.k, "meaning": search.meaning, **rules}


def searched(row: Mapping[str, Any]) -> Search:
    """A logged question as it was put."""
    given = row["parameters"]
    filters: dict[str, Any] = {name: tuple(given.get(name, ())) for name in FILTERS}
    said: dict[str, Any] = {"at": row["at"], "wide": given["wide"], "meaning": given["meaning"]}
    reads = tuple(given["reads"]) if "reads" in given else None
    return Search(row["query"], row["k"], **said, **filters, weights=given["weights"], reads=reads)


class Hit(Protocol):
    """What ranking says of a row."""

    @property
    def n(self) -> int:
        """Its row number."""

    @property
    def score(self) -> int:
        """The sum of its parts."""

    @property
    def parts(self) -> dict[str, int]:
        """What the score is made of, in millionths."""

    @property
    def held(self) -> tuple[str, ...]:
        """Words of the question that it holds."""

    @property
    def missing(self) -> tuple[str, ...]:
        """Words of the question that it does not hold."""

    @property
    def actor(self) -> bool | None:
        """Whether its writer is whom the question names."""

    @property
    def overtaken_by(self) -> int:
        """The row that corrects it, 0 when none does."""


def known_weights(given: Mapping[str, int], known: Collection[str]) -> dict[str, int]:
    """Weights by name (BadInput for one that there is not)."""
    if unknown := sorted(set(given) - set(known)):
        raise BadInput(f"weights: there is no {unknown[0][:60]!r}; known: {', '.join(known)}.", field="weights")
    return dict(given)


def item(hit: Hit, row: Mapping[str, Any], version: str, overtaken_by: str = "") -> dict[str, Any]:
    """One hit as it is answered; ``overtaken_by`` is the id of the newer hit that corrects it."""
    kept = ("id", "ref", "text", "tier", "kind", "scope", "source", "trust", "at", "actor", "thread", "record")
    return {
        **{name: row[name] for name in kept},
        "version": version,
        "n": row["n"],
        "score": hit.score,
        "parts": {name: part for name, part in hit.parts.items() if part},
        "entity": hit.actor,
        "held": list(hit.held),
        "missing": list(hit.missing),
        "overtaken_by": overtaken_by,
        "live": not row["ended"],
    }


def logged(item: Mapping[str, Any]) -> dict[str, Any]:
    """One hit as the log keeps it: no text."""
    return {name: item[name] for name in ("n", "id", "version", "score", "parts", "entity")}


def by_parts(hits: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The order that the parts in the log come to: what a replay shows when rows are gone."""
    whole = [{**hit, "score": sum(hit["parts"].values())} for hit in hits]
    return sorted(whole, key=lambda hit: (-hit["score"], hit["n"]))


def missing(row: Mapping[str, Any], figures: Mapping[str, int]) -> str:
    """Why a replay cannot see what was seen then, "" when it can."""
    then = row["detail"]
    for name, said in (("rows", "memories"), ("words", "words"), ("vectors", "vectors")):
        if then[name] != figures[name]:
            return f"{then[name]} {said} could be seen then, {figures[name]} of them are still there"
    return ""


def notes(row: Mapping[str, Any]) -> list[str]:
    """What a reader of an answer should know about it, in sentences."""
    found = []
    if not row["model"] and row["parameters"]["meaning"]:
        found.append(f"Words and names only: {row['detail']['trouble'] or 'there is no model'}.")
    if row["behind"]:
        found.append(f"{row['behind']} memories are found by words only until they have a vector.")
    if not row["detail"]["known"]:
        why = row["detail"].get("why", "")
        found.append(f"The answer is probably not among what is remembered{f': {why}' if why else ''}.")
    return found
