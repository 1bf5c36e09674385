"""Wording: what the operator changes in a draft again and again, as a change that can be made beforehand; pure.

A change is one line for another. The name of whom the draft is for stands as {name}, {first} or {last} in both, so
that it fits the next one; a line with an amount, a date or an address is never taken: it is about one case.
"""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rapidfuzz.distance import Levenshtein

SKILL, VERSION = "runtime.wording", "1"
"""Under which what is done here is kept with the calls of a run."""
Names = Mapping[str, str]
"""Whom a draft is for: what stands in a wording ({name}, {first}, {last}) and what it stands for."""
ENOUGH = 3
"""Like cases in which the same change was made before it is offered."""
MOST_TEXT = 8000
LONGEST = 300
"""Characters of a line that can be a wording."""
_CASE = re.compile(r"\d|@|https?:", re.IGNORECASE)
_PLACE = re.compile(r"\{(?:name|first|last)\}")


@dataclass(frozen=True)
class Change:
    """One line for another; ``new`` is "" for a line that is left out."""

    old: str
    new: str


@dataclass(frozen=True)
class Offer:
    """A change that was made in ``cases`` (ids of corrections) of one language; ``sort`` is "" when of several."""

    skill: str
    language: str
    sort: str
    change: Change
    cases: tuple[str, ...]


def distance(given: str, wanted: str) -> int:
    """How far a text is from what was wanted, in thousandths of the longer one."""
    return round(1000 * Levenshtein.normalized_distance(given[:MOST_TEXT], wanted[:MOST_TEXT]))


def text_of(payload: Mapping[str, Any]) -> str:
    """The words of a payload that a person would change."""
    body = payload.get("body")
    if isinstance(body, str):
        return f"{payload.get('subject') or ''}\n\n{body}".strip()
    fields = payload.get("fields")
    shown = fields if isinstance(fields, Mapping) else payload
    return "\n".join(f"{name}: {shown[name]}" for name in sorted(shown) if shown[name] not in (None, "", [], {}))


def names_of(name: str) -> dict[str, str]:
    """A name as what may stand in a wording; nothing for none."""
    words = [word for word in name.split() if not word.endswith(".")]
    if not words:
        return {}
    return {"{name}": name.strip(), **({"{first}": words[0], "{last}": words[-1]} if len(words) > 1 else {})}


def masked(line: str, names: Names) -> str:
    """A line without the names of whom it is for: their places instead."""
    for place, name in names.items():
        if len(name) > 1:
            line = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", place, line)
    return line


def changes(given: str, wanted: str, names: Names) -> list[Change]:
    """The lines that were put in place of others, or left out; lines that were only added belong to their case."""
    old, new = _lines(given), _lines(wanted)
    found: list[Change] = []
    for what, a, b, c, d in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if what == "delete":
            found += [Change(masked(line, names), "") for line in old[a:b]]
        elif what == "replace":
            found += _replaced(old[a:b], new[c:d], names)
    return [change for change in found if _general(change)]


def _replaced(old: Sequence[str], new: Sequence[str], names: Names) -> list[Change]:
    """As many for as many is line for line; else each old one goes to the new one that is most like it."""
    if len(old) == len(new):
        return [Change(masked(a, names), masked(b, names)) for a, b in zip(old, new, strict=True)]
    left, found = list(new), []
    for line in old:
        best = max(left, key=lambda other: Levenshtein.normalized_similarity(line, other), default="")
        if best and Levenshtein.normalized_similarity(line, best) >= 0.4:
            left.remove(best)
            found.append(Change(masked(line, names), masked(best, names)))
        else:
            found.append(Change(masked(line, names), ""))
    return found


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def _general(change: Change) -> bool:
    """Whether it says nothing about a single case."""
    return (
        change.old != change.new
        and 2 <= len(change.old) <= LONGEST
        and len(change.new) <= LONGEST
        and not _CASE.search(change.old + change.new)
    )


def offers(rows: Sequence[Mapping[str, Any]], known: Iterable[tuple[str, str, str]]) -> list[Offer]:
    """Changes that were made in ENOUGH like cases: {id, object, skill, sort, language, given, wanted, names}.

    ``known`` are (language, old, new) that were said yes or no to. One case counts once; a change that is made in
    less than half of the cases where the line stood is a matter of the case.
    """
    where: dict[tuple[str, str, Change], dict[str, str]] = {}
    stood: Counter[tuple[str, str, str]] = Counter()
    sorts: dict[str, str] = {}
    for row in rows:
        sorts[row["id"]] = row["sort"]
        for line in {masked(line, row["names"]) for line in _lines(row["given"])}:
            stood[row["skill"], row["language"], line] += 1
        for change in dict.fromkeys(changes(row["given"], row["wanted"], row["names"])):
            where.setdefault((row["skill"], row["language"], change), {})[row["object"]] = row["id"]
    said = set(known)
    found = []
    for (skill, language, change), cases in where.items():
        often = len(cases) >= ENOUGH and 2 * len(cases) >= stood[skill, language, change.old]
        if often and (language, change.old, change.new) not in said:
            of = {sorts[case] for case in cases.values()}
            found.append(Offer(skill, language, of.pop() if len(of) == 1 else "", change, tuple(cases.values())))
    return sorted(found, key=lambda offer: (-len(offer.cases), offer.change.old))


def applied(body: str, wordings: Sequence[Mapping[str, Any]], names: Names) -> tuple[str, list[str]]:
    """A draft in the words the operator said they want: (body, ids of the wordings that were used)."""
    lines, used = body.splitlines(), []
    for wording in wordings:
        for place, line in enumerate(lines):
            if line.strip() and masked(line.strip(), names) == wording["old"]:
                new = _filled(str(wording["new"]), names)
                if new is not None:
                    lines[place] = new
                    used.append(str(wording["id"]))
    if not used:
        return body, []
    text = "\n".join(lines)
    return re.sub(r"\n{3,}", "\n\n", text).strip("\n") + ("\n" if body.endswith("\n") else ""), used


def _filled(new: str, names: Names) -> str | None:
    """A wording with the names of this case, None when one of them is not known."""
    for place in _PLACE.findall(new):
        if place not in names:
            return None
        new = new.replace(place, names[place])
    return new


def names_in(message: Mapping[str, Any]) -> dict[str, str]:
    """The name a message is from: the one it is signed with, else the one in its header."""
    contact = (message["understanding"] or {}).get("contact") or {}
    return names_of(str(contact.get("name") or message["sender_name"] or ""))


def reworded(given: Mapping[str, Any]) -> dict[str, Any]:
    """A draft in the wanted words: {draft (as JSON), wordings: [{id, old, new}], names} -> the draft."""
    draft: Mapping[str, Any] = given["draft"]
    body, by = applied(str(draft["body"]), given["wordings"], given["names"])
    if not by:
        return dict(draft)
    said = "your own wording" if len(by) == 1 else f"your own wording in {len(by)} lines"
    return {**draft, "body": body, "notes": [*draft["notes"], f"Written with {said}."]}
