"""Writing: what becomes an item of memory, from which rows, in which tier and with what trust; it commits nothing.

Words from outside are ``unverified`` and their source stays in ``origin`` of everything made from them. Long texts are
kept as their best sentences with their places; the whole of them stays where it came from.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from soloist.kernel.errors import BadInput, NotAllowed
from soloist.kernel.memory import TIERS, NewMemory
from soloist.kernel.sentences import spans
from soloist.stages.memory import summing

LONG = 3000
"""Characters from which an item holds the best sentences of a text and not the whole of it."""
CONDENSED = 1600
CHUNK, MOST_CHUNKS = 1500, 24
"""Characters of a chunk of a document, and how many of them are kept; the pointer names the rest."""
MOST_READ = 4_000_000
ASIDE = frozenset({"bulk", "automatic", "spam"})
"""Kinds of messages that are not remembered; they stay findable as messages."""
OUTSIDE, OPERATOR = "outside", "operator"


def union(*origins: Sequence[str]) -> tuple[str, ...]:
    """What something made from several things rests on: everything they rest on."""
    return tuple(dict.fromkeys(source for origin in origins for source in origin))


def tainted(origin: Sequence[str]) -> bool:
    """Whether any of it came from outside."""
    return any(source.startswith(OUTSIDE) for source in origin)


def voice(who: str) -> str:
    """Where words come from by who said them: the operator, the house itself, or somebody outside."""
    return {OPERATOR: OPERATOR, "soloist": "rule"}.get(who, f"{OUTSIDE}:{who}")


def trust_of(origin: Sequence[str]) -> str:
    """How far something may be trusted by what it rests on."""
    if tainted(origin):
        return "unverified"
    return "confirmed" if OPERATOR in origin else "rule"


def check_tier(item: NewMemory, writer: str) -> None:
    """Refuse what a writer may not put into a tier (BadInput, NotAllowed); ``writer`` is a word of the tier's rule.

    Canonical memory made of words from outside stays ``unverified`` until a person or a rule confirms it.
    """
    rule = TIERS.get(item.tier)
    if rule is None:
        raise BadInput(f"tier: one of {', '.join(TIERS)}, not {item.tier[:40]!r}.", field="tier")
    if writer not in rule.writers:
        may = " or ".join(sorted(rule.writers))
        raise NotAllowed(f"The {item.tier} tier is written by {may} only; nothing was stored.", field="tier")
    if tainted(item.origin) and item.trust != "unverified" and writer not in (OPERATOR, "rule"):
        raise NotAllowed("What was made of words from outside is unverified until you confirm it.", field="trust")


def of_message(message: Mapping[str, Any], record: str, place: int) -> Iterator[NewMemory]:
    """The items of a message: its own words, and a pointer to each of its files; ``place`` counts in the thread."""
    read = message["understanding"] or {}
    out = message["direction"] == "out"
    sender = str(message["sender"] or "")
    origin = (OPERATOR,) if out and message["kind"] != "automatic" else ("rule",) if out else (f"{OUTSIDE}:{sender}",)
    trust = {"operator": "confirmed", "rule": "rule"}.get(origin[0], "unverified")
    own = str(read.get("own_text") or message["text"] or "")
    subject = " ".join(str(message["subject"] or "").split())[:200]
    item = NewMemory(
        text="",
        kind="message",
        source=f"mail:{'out' if out else 'in'}",
        ref=f"message:{message['id']}",
        at=message["at"],
        actor=str(message["sender_name"] or sender) if not out else "you",
        thread=message["conversation"],
        ordinal=place,
        record=record,
        origin=origin,
        trust=trust,
        tags=[tag for tag in (message["kind"], message["language"]) if tag],
    )
    if own.strip() or subject:
        yield _said(item, subject, own)
    for file in message["attachments"] or []:
        if (file.get("read") or {}).get("characters"):
            continue  # its words are remembered, under the same name
        yield _file(item, message, file, subject)


def _said(item: NewMemory, subject: str, own: str) -> NewMemory:
    """The words of a message under its subject; of a long one its best sentences."""
    head = f"{subject}\n" if subject else ""
    detail: dict[str, Any] = {"body": len(head), "whole": len(own)}
    text, tags = own.strip(), list(item.tags)
    if len(own) > LONG:
        best = summing.chosen([summing.Source(item.ref, own[:MOST_READ])], 8, CONDENSED)
        text = "\n".join(piece.text for piece in best) or own[:CONDENSED]
        detail["spans"] = [piece.row() for piece in best] or [{"ref": item.ref, "from": 0, "to": CONDENSED}]
        tags.append("condensed")
    return replace(item, text=(head + text).strip(), tags=tags, detail=detail, span=(0, min(len(own), LONG)))


def _file(item: NewMemory, message: Mapping[str, Any], file: Mapping[str, Any], subject: str) -> NewMemory:
    """A pointer to a file: its name, kind, size and hash; its bytes stay in the stored mail."""
    name = str(file.get("name") or "unnamed file")[:200]
    kept = {name_: file.get(name_) for name_ in ("part", "sha256", "size", "mime")}
    return replace(
        item,
        kind="document",
        text=f"{name} ({file.get('mime') or 'file'}, {file.get('size') or 0} bytes), with the mail {subject!r}",
        ref=f"document:{message['id']}#{file.get('part')}",
        asset=str(message["asset"] or ""),
        tags=["file"],
        detail=kept,
    )


def of_document(item: NewMemory, name: str, text: str, *, size: int, mime: str) -> list[NewMemory]:
    """A document as a pointer with its best sentences, and its chunks as spans of it.

    ``item`` carries asset, record, origin and trust. A text that is too long to be kept in chunks has the pointer
    only, under 4 KB, with the places of its best sentences.
    """
    text = text[:MOST_READ]
    best = summing.chosen([summing.Source(item.asset, text)], 6, 900)
    cuts = list(chunks(text)) if len(text) <= CHUNK * MOST_CHUNKS else []
    about = {"name": name[:200], "size": size, "mime": mime[:100], "characters": len(text), "chunks": len(cuts)}
    about["spans"] = [piece.row() | {"ref": "asset"} for piece in best]
    lines = "\n".join(piece.text for piece in best)
    pointer = replace(item, kind="document", text=f"{name[:200]}\n{lines}".strip(), detail=about, tags=["document"])
    pointer = replace(pointer, ref=item.ref or f"document:{item.asset[:32]}", span=(0, len(text)))
    parts = [
        replace(
            pointer,
            tier="session",
            kind="chunk",
            text=text[start:end],
            ref=f"{pointer.ref}#{start}",
            ordinal=number,
            thread=pointer.ref,
            span=(start, end),
            detail={"name": name[:200]},
            tags=["chunk"],
        )
        for number, (start, end) in enumerate(cuts)
    ]
    return [pointer, *parts]


def chunks(text: str) -> Iterator[tuple[int, int]]:
    """Places of a text's chunks, cut at the ends of sentences where there are some; together they are the whole."""
    start = 0
    ends = [end for _, end in spans(text)]
    while start < len(text):
        room = [end for end in ends if start + CHUNK // 3 < end <= start + CHUNK]
        end = min(room[-1] if room else start + CHUNK, len(text))
        if text[start:end].strip():
            yield start, end
        start = end


def of_note(note: Mapping[str, Any], record: str) -> NewMemory:
    """What somebody wrote down about a record or a card; the operator's word is confirmed."""
    mine = note["actor"] == OPERATOR
    return NewMemory(
        text=str(note["body"]),
        kind="note" if note["kind"] in ("note", "comment") else note["kind"].replace(" ", "_"),
        source="note",
        ref=f"note:{note['id']}",
        at=note["at"],
        actor="you" if mine else note["actor"],
        record=record,
        origin=(OPERATOR,) if mine else (f"{OUTSIDE}:{note['actor']}",),
        trust="confirmed" if mine else "unverified",
        importance=2,
    )


def of_decision(proposal: Mapping[str, Any], said: Mapping[str, Any], title: str, event_at: str) -> NewMemory | None:
    """A decision with a reason or an edit, so that it need not be explained twice; None for a plain yes."""
    edited, who = sorted(said["edits"] or {}), str(said["who"])
    if not said["reason"] and not edited:
        return None
    origin = (voice(who),)
    did = {"approve": "approved", "reject": "rejected"}.get(said["decision"], said["decision"])
    how = f", after changing {' and '.join(edited)}" if edited else ""
    because = f": {said['reason']}" if said["reason"] else "."
    return NewMemory(
        text=f"{'You' if who == OPERATOR else who} {did} {title!r}{how}{because}",
        kind="decision",
        source="decision",
        ref=f"decision:{proposal['id']}#{said['id']}",
        at=event_at,
        actor="you" if who == OPERATOR else who,
        thread=proposal["conversation"],
        record=proposal["record"],
        origin=origin,
        trust=trust_of(origin),
        importance=3,
        tags=[did, *(["edited"] if edited else [])],
        detail={"operation": proposal["operation"], "agent": proposal["agent"]},
    )


def of_lookup(effect: Mapping[str, Any], event: Mapping[str, Any], happened: bool | None) -> Iterator[NewMemory]:
    """What was found out about an action of unknown outcome, by looking it up or by the operator's word."""
    if happened is None:
        return
    mine = effect["state"].startswith("resolved")
    what = f"{effect['connector']} {effect['operation'].replace('.', ' ')}"
    did = "did happen" if happened else "did not happen"
    where = "your word" if mine else f"looked up at {effect['connector']}"
    yield NewMemory(
        text=f"{what} {did} ({where}, {event['at'][:10]})",
        kind="insight",
        source="look-up",
        ref=f"effect:{effect['id']}",
        at=event["at"],
        actor="you" if mine else "",
        record=effect["whose"],
        origin=(OPERATOR,) if mine else ("rule",),
        trust="confirmed" if mine else "rule",
        importance=1,
        tags=["outcome", effect["state"]],
    )


def of_outcome(outcome: Mapping[str, Any], record: str, title: str) -> NewMemory:
    """A measured result, attached to what it is the result of."""
    figure = " ".join(part for part in ("", outcome["value"], outcome["unit"] if outcome["value"] else "") if part)
    outside = str(outcome["source"]).startswith(OUTSIDE)
    return NewMemory(
        text=f"{title}: {outcome['metric'].replace('_', ' ')} {figure}".strip(),
        kind="outcome",
        source=outcome["source"],
        ref=f"outcome:{outcome['id']}",
        at=outcome["at"],
        record=record,
        origin=(outcome["source"],),
        trust="unverified" if outside else "rule",
        importance=1,
        tags=[outcome["kind"], outcome["metric"]],
        detail={"object": outcome["object"]},
    )


def of_meeting(record: Mapping[str, Any]) -> list[NewMemory]:
    """The minutes of a meeting and what was agreed: whole, or condensed and in chunks when they are long.

    They are trusted as far as the weakest of those who own these fields.
    """
    body, held = record["body"], record["owners"] or {}
    lines = [str(body.get("minutes") or ""), *(f"Agreed: {one}" for one in body.get("agreed") or ())]
    text = "\n".join(line for line in lines if line.strip())
    if not text:
        return []
    whom = str(body.get("client") or next(iter(body.get("people") or ()), "") or record["id"])
    whose = {"operator": OPERATOR, "system": "rule"}
    written = [held.get(name, "outside") for name in ("minutes", "agreed") if body.get(name)]
    origin = union(*((whose.get(by, f"{OUTSIDE}:record"),) for by in written))
    base = NewMemory(
        text=f"{record['title']}\n{text}",
        kind="meeting",
        source="record",
        ref=f"meeting:{record['id']}",
        at=str(body.get("at") or record["updated"]),
        record=whom,
        origin=origin,
        trust="rule" if "rule" in origin and not tainted(origin) else trust_of(origin),
        importance=2,
    )
    if len(text) <= LONG:
        return [base]
    pointer, *parts = of_document(base, record["title"], text, size=len(text.encode()), mime="text/plain")
    return [replace(pointer, kind="meeting"), *parts]


def of_thread(conversation: Mapping[str, Any], thread: Sequence[Mapping[str, Any]]) -> NewMemory | None:
    """A quiet thread as its best sentences, each with its message and place; None when there is nothing to say."""
    sources = [
        summing.Source(
            f"message:{m['id']}",
            str((m["understanding"] or {}).get("own_text") or m["text"] or ""),
            m["at"],
            "you" if m["direction"] == "out" else str(m["sender_name"] or m["sender"]),
        )
        for m in thread
        if m["kind"] not in ASIDE
    ]
    best = summing.chosen(sources) if sources else []
    if not best:
        return None
    whose = [f"{OUTSIDE}:{m['sender']}" if m["direction"] == "in" else OPERATOR for m in thread]
    origin = union(whose)
    return NewMemory(
        text=f"{conversation['subject'] or 'No subject'}\n{summing.told(best)}",
        kind="summary",
        source="summary:extract",
        ref=f"summary:{conversation['id']}",
        at=thread[-1]["at"],
        thread=conversation["id"],
        ordinal=len(thread),
        record=conversation["record"],
        origin=origin,
        trust="unverified" if tainted(origin) else "confirmed",
        importance=2,
        tags=["summary", f"{len(thread)} messages"],
        detail={"spans": [piece.row() for piece in best], "messages": len(thread)},
    )


def of_work(
    session: Mapping[str, Any], done: Sequence[Mapping[str, Any]], origin: Sequence[str] = (OPERATOR,)
) -> NewMemory:
    """A working session as a summary: what it was about, what was expected, and what was decided meanwhile.

    ``origin`` is whose words the session is made of.
    """
    lines = [str(session["title"] or "Working session")]
    lines += [f"Objective: {text}" for text in session["objectives"] or []]
    lines += [f"Expected: {text}" for text in session["expectations"] or []]
    lines += [f"{item['at'][:10]}: {' '.join(item['text'].split())[:200]}" for item in done[:10]]
    origin = union(origin, *(item["origin"] or () for item in done[:10]))
    return NewMemory(
        text="\n".join(lines),
        kind="summary",
        source="summary:session",
        ref=f"session:{session['id']}",
        at=session["closed"] or session["updated"],
        record=session["scope"],
        origin=origin,
        trust=trust_of(origin),
        importance=2,
        tags=["summary", "working session"],
        detail={"spans": [{"ref": item["ref"], "from": 0, "to": len(item["text"])} for item in done[:10]]},
    )
