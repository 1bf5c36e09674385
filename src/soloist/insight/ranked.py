"""A retrieval as a page: what was found, its words marked, and why each one ranked where it did; it ranks nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from soloist.engine.recall import words as stemming
from soloist.engine.store import embeddings, holdings, memories, reading, retrievals
from soloist.engine.store.reading import Connection
from soloist.engine.store.searching import WORD
from soloist.insight import memory, views, words
from soloist.stages.memory import asking

BEFORE, AFTER, SCANNED = 140, 320, 60_000
"""Characters shown before and after the first matched word, and how many are looked through for it."""
MILLION = 1_000_000
NAMED = {"True": "said by whom you name", "False": "not said by whom you name"}
PARTS: Mapping[str, tuple[str, str]] = {
    "words": ("Words", "words of the question that it holds, the rare ones counting most"),
    "meaning": ("Meaning", "how near it is in meaning"),
    "window": ("Rare words close together", "rare words of the question in it or right beside it"),
    "neighbours": ("What stands beside it", "what comes before and after it in its conversation"),
    "thread": ("Its conversation", "how well the best of its conversation fits"),
    "actor": ("Who said it", "it was said by somebody the question names"),
    "date": ("When", "it is of the time the question names"),
    "party": ("Who took part", "somebody the question names wrote in its conversation"),
    "asks": ("A question itself", "taken off, since it ends in a question"),
    "answers": ("An answer", "it comes right after a question"),
    "tells": ("It tells", "it names a time or a number, as the question wants"),
    "hop": ("Second step", "words that the best answers share lead to it"),
    "overtaken": ("Overtaken", "taken off, since something newer says otherwise"),
    "phrase": ("Quoted words", "it holds the words in quotation marks as they stand"),
    "learned": ("Your word", "raised or lowered by what you made of drafts that had it"),
    "short": ("Very short", "taken off, since a line of a few words fits by chance"),
}


@dataclass(frozen=True)
class Part:
    """One part of a score: its name, what it means, its figure and its share of the sum in percent."""

    name: str
    said: str
    figure: str
    share: int


@dataclass(frozen=True)
class Answer:
    """One thing that was found; pieces with the op "hit" are words of the question."""

    place: int
    line: memory.ItemLine
    text: tuple[views.Piece, ...]
    score: str
    parts: tuple[Part, ...]
    held: tuple[str, ...]
    missing: tuple[str, ...]
    named: str
    gone: bool = False


@dataclass(frozen=True)
class Replay:
    """What asking the same again came to."""

    identical: bool
    said: str
    differs: tuple[str, ...] = ()


@dataclass(frozen=True)
class AskPage:
    """The page of a question: the form as it was filled in, and the answer once there is one."""

    query: str
    tiers: tuple[tuple[str, str], ...]
    scopes: tuple[str, ...]
    tier: str = ""
    scope: str = ""
    about: str = ""
    about_title: str = ""
    as_of: str = ""
    retrieval: str = ""
    answers: tuple[Answer, ...] = ()
    known: bool = True
    notes: tuple[str, ...] = ()
    facts: tuple[views.FieldLine, ...] = ()
    weights: tuple[tuple[str, str], ...] = ()
    used: int = 0
    at: str = ""
    fault: str = ""


def form(conn: Connection, asked: Mapping[str, str], fault: str = "") -> AskPage:
    """The form alone, with what was typed into it and what is wrong with that."""
    about = reading.named(conn, "records", [asked["about"]] if asked.get("about") else [])
    return AskPage(
        asked.get("q", ""),
        tuple(memory.TITLES.items()),
        tuple(scope for scope, _ in holdings.by_scope(conn) if scope),
        asked.get("tier", ""),
        asked.get("scope", ""),
        asked.get("about", ""),
        next((row["title"] for row in about.values()), ""),
        asked.get("as_of", ""),
        fault=fault,
    )


def page(conn: Connection, ident: str, notes: Sequence[str] = (), as_of: str = "") -> AskPage:
    """A retrieval out of the log (NotFound), with the texts as they are now."""
    row = retrievals.get(conn, ident)
    given = row["parameters"]
    asked = asking.read(row["query"], row["at"], given.get("actors", ()))
    rows = holdings.named(conn, [hit["id"] for hit in row["hits"]])
    lines = {line.id: line for line in memory.lines(conn, [*rows.values()])}
    found = form(conn, {"q": row["query"], "as_of": as_of, **_filters(given)})
    best = max((int(hit["score"]) for hit in row["hits"]), default=0)
    return AskPage(
        **{name: getattr(found, name) for name in _FORM},
        retrieval=ident,
        answers=tuple(
            _answer(place, hit, (rows.get(hit["id"]), lines.get(hit["id"])), asked, best, learned=_learned(given, hit))
            for place, hit in enumerate(row["hits"], 1)
        ),
        known=bool(row["detail"].get("known", True)),
        notes=tuple(notes or _notes(row)),
        facts=tuple(_facts(conn, row)),
        weights=tuple((_weight(name), str(value)) for name, value in (given.get("weights") or {}).items()),
        used=len({one["context"] for one in retrievals.used(conn, ident)}),
        at=row["created"],
    )


_FORM = ("query", "tiers", "scopes", "tier", "scope", "about", "about_title", "as_of")


def _filters(given: Mapping[str, Any]) -> dict[str, str]:
    """The filters of a logged question as the form names them; of several the first."""
    names = {"tier": "tiers", "scope": "scopes", "about": "records"}
    return {name: str(given[key][0]) for name, key in names.items() if given.get(key)}


def _notes(row: Mapping[str, Any]) -> Iterator[str]:
    """What to know about a logged answer, but for whether it is known."""
    if not row["model"] and row["parameters"].get("meaning", True):
        yield f"Words and names only: {row['detail'].get('trouble') or 'there is no model'}."
    if row["behind"]:
        yield f"{row['behind']} memories were found by words only, since they had no vector yet."


def _facts(conn: Connection, row: Mapping[str, Any]) -> Iterator[views.FieldLine]:
    """What the answer depended on, in a few lines."""
    given, detail = row["parameters"], row["detail"]
    yield views.FieldLine("Found by", "words and meaning" if row["model"] else "words and names only")
    yield views.FieldLine("Looked through", f"{int(detail.get('rows', 0)):,} memories")
    yield views.FieldLine("As of", f"event {row['seq']} of the journal")
    if row["model"]:
        models = {one["id"]: one for one in embeddings.models(conn)}
        known = models.get(row["model"], {})
        yield views.FieldLine("Model", str(known.get("name") or row["model"]), str(known.get("sha256", ""))[:12])
    rules = ", ".join(f"{name} {given[name]}" for name in ("analysis", "candidates", "rank") if given.get(name))
    yield views.FieldLine("Rules", rules)
    yield views.FieldLine("At most", f"{row['k']} answers out of the best {given.get('wide', 0)} of each way")
    yield views.FieldLine("Asked by", {"operator": "you"}.get(row["actor"], row["actor"] or "Soloist"))
    yield views.FieldLine("Fingerprint", row["hits_hash"])


def _weight(name: str) -> str:
    """A weight's name as words."""
    return name.replace("_", " ")


def _learned(given: Mapping[str, Any], hit: Mapping[str, Any]) -> Sequence[int]:
    """What was known of the operator's word on drafts with an item, when it was ranked."""
    return tuple((given.get("learned") or {}).get(str(hit["n"]), ()))


# ----- one answer


def _answer(
    place: int,
    hit: Mapping[str, Any],
    found: tuple[Mapping[str, Any] | None, memory.ItemLine | None],
    asked: asking.Asked,
    best: int,
    *,
    learned: Sequence[int],
) -> Answer:
    """One hit with its text, or a place that is left when the item has gone."""
    row, line = found
    if row is None or line is None:
        line = memory.ItemLine(hit["id"], "", "", "", "", "", "", views.Link("", ""), views.Link("", ""))
    stems = {stem for word in asked.words for stem in word.stems}
    text = row["text"] if row else ""
    there = set(stemming.stems(text[:SCANNED])) | set(stemming.tokens(text[:SCANNED]))
    told = [word for word in asked.words if word.weight]
    held = tuple(word.text for word in told if there & {word.text, *word.stems})
    return Answer(
        place,
        line,
        around(text, stems),
        f"{hit['score'] / MILLION:.3f}",
        tuple(_parts(hit, best, learned)),
        held,
        tuple(word.text for word in told if word.text not in held),
        NAMED.get(str(hit.get("entity")), ""),
        row is None or not text,
    )


def swayed(learned: Sequence[int]) -> str:
    """Why what the operator made of drafts raised or lowered an item: (in approved ones, in overridden ones)."""
    up, down = learned
    over = f"you changed or rejected {words.counted(down, 'draft')} that had it"
    as_is = f"{words.counted(up, 'draft')} that had it went as written"
    both = " and ".join(said for said, count in ((over, down), (as_is, up)) if count)
    return f"{'raised' if up > down else 'lowered' if down > up else 'neither raised nor lowered'}, since {both}"


def _parts(hit: Mapping[str, Any], best: int, learned: Sequence[int] = ()) -> Iterator[Part]:
    """The parts of a score, the largest first; shares are of the best answer's score."""
    for name, value in sorted(hit["parts"].items(), key=lambda part: -abs(part[1])):
        title, said = PARTS.get(name, (name.replace("_", " ").capitalize(), ""))
        said = swayed(learned) if name == "learned" and learned else said
        yield Part(title, said, f"{value / MILLION:+.3f}", min(100, round(abs(value) * 100 / max(best, 1))))


def around(text: str, stems: set[str]) -> tuple[views.Piece, ...]:
    """The part of a text around the first word of the question, its words marked; the beginning when none is there."""
    text = text[:SCANNED]
    language = stemming.language(text)

    def fits(word: str) -> bool:
        return any(part in stems or stemming.stem(part, language) in stems for part in stemming.tokens(word))

    place = next((found.start() for found in WORD.finditer(text) if fits(found[0])), 0)
    start = max(0, place - BEFORE)
    if start:
        start = text.find(" ", start, place) + 1 or start
    end = min(len(text), place + AFTER)
    shown = ("… " if start else "") + " ".join(text[start:end].split()) + (" …" if end < len(text) else "")
    pieces, last = list[views.Piece](), 0
    for found in WORD.finditer(shown):
        if fits(found[0]):
            pieces += [views.Piece("same", shown[last : found.start()])] if found.start() > last else []
            pieces.append(views.Piece("hit", found[0]))
            last = found.end()
    return (*pieces, views.Piece("same", shown[last:])) if last < len(shown) else tuple(pieces)


# ----- asking again


def replay(conn: Connection, done: Mapping[str, Any]) -> Replay:
    """What a replay came to, in words."""
    row = retrievals.get(conn, done["retrieval"])
    if done["identical"] and done["how"] == "recomputed":
        many = len(row["hits"])
        what = words.counted(many, "answer")
        said = f"Identical: the same {what} in the same order with the same scores, bit for bit."
        return Replay(True, said)
    if done["identical"]:
        return Replay(True, f"The same order, made again from the parts in the log, because {done['why']}.")
    why = done["why"] or "the answer of now has another order or other scores"
    return Replay(False, f"It differs: {why}.", tuple(_gone(conn, row)))


def _gone(conn: Connection, row: Mapping[str, Any]) -> Iterator[str]:
    """Which answers of then are no longer as they were."""
    rows = holdings.named(conn, [hit["id"] for hit in row["hits"]])
    for place, hit in enumerate(row["hits"], 1):
        found = rows.get(hit["id"])
        if found is None:
            yield f"Number {place} has left the home since."
        elif memories.version(found) != hit["version"]:
            yield f"Number {place} says something else since: it was redacted."


@dataclass(frozen=True)
class Log:
    """Questions that were asked, newest first."""

    rows: tuple[views.TableRow, ...]
    next: str = ""


def log(conn: Connection, before: str = "", limit: int = 50) -> Log:
    """A page of the log."""
    found = retrievals.recent(conn, before=before, limit=limit + 1)
    shown = found[:limit]
    rows = tuple(
        views.TableRow(
            f"/memory/retrievals/{row['id']}",
            (
                row["query"][:120] or "no words",
                {"operator": "you"}.get(row["actor"], row["actor"] or "Soloist"),
                f"{len(row['hits'])}" + ("" if row["detail"].get("known", True) else ", probably not known"),
            ),
            row["created"],
        )
        for row in shown
    )
    return Log(rows, f"/memory/retrievals?before={shown[-1]['id']}" if len(found) > limit else "")
