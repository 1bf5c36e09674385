"""Reads the meetings of the corpora and compares answers with what people marked; it measures no time.

Each file is one meeting: turns, topics with the turns they span, and summaries by people. The files whose names begin
with ``val__`` are the development half (rules and numbers were set on them), those with ``test__`` are held out.
"""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

_NOISE = re.compile(r"\{[a-z_]+\}")
_DECIDES = re.compile(r"decid|decision|conclu|agree|final", re.IGNORECASE)


@dataclass(frozen=True)
class Meeting:
    """One meeting: ``text`` has one line a turn, ``starts`` the turns that begin a topic, as people marked them."""

    name: str
    turns: tuple[tuple[str, str], ...]
    text: str
    starts: frozenset[int]
    summary: str
    decided: tuple[tuple[int, int], ...]
    answers: tuple[str, ...] = ()

    @property
    def held_out(self) -> bool:
        """Whether no rule was set on it."""
        return self.name.startswith("test__")


def folder() -> Path:
    """Where the meetings lie (SOLOIST_CORPORA, else ../shared/data)."""
    return Path(os.environ.get("SOLOIST_CORPORA", "../shared/data")) / "corpora" / "meetings" / "qmsum"


def meetings(place: Path | None = None) -> list[Meeting]:
    """All meetings, none when the folder is not there."""
    return [_meeting(path) for path in sorted((place or folder()).glob("*.json"))]


def _meeting(path: Path) -> Meeting:
    raw = json.loads(path.read_text(encoding="utf-8"))
    turns = tuple((turn["speaker"], " ".join(turn["content"].split())) for turn in raw["meeting_transcripts"])
    spans = sorted(
        (int(first), int(last)) for topic in raw["topic_list"] for first, last in topic["relevant_text_span"]
    )
    starts = {first for first, _ in spans} | {last + 1 for _, last in spans}
    decided = [
        (int(first), int(last))
        for query in raw["specific_query_list"]
        if _DECIDES.search(query["query"])
        for first, last in query["relevant_text_span"]
    ]
    return Meeting(
        name=path.stem,
        turns=turns,
        text="\n".join(f"{speaker}: {words}" for speaker, words in turns),
        starts=frozenset(start for start in starts if 0 < start < len(turns)),
        summary=" ".join(query["answer"] for query in raw["general_query_list"][:1]),
        decided=tuple(decided),
        answers=tuple(query["answer"] for query in raw["specific_query_list"] if len(query["answer"]) > 200),
    )


def pk(wanted: Iterable[int], found: Iterable[int], total: int) -> float:
    """Share of pairs of turns, half a mean segment apart, wrongly told to be in the same or in different segments."""
    wanted, found = set(wanted), set(found)
    apart = max(2, round(total / (len(wanted) + 1) / 2))
    wrong = 0
    for start in range(total - apart):
        inside = range(start + 1, start + apart + 1)
        wrong += any(place in wanted for place in inside) != any(place in found for place in inside)
    return wrong / max(1, total - apart)


def window_difference(wanted: Iterable[int], found: Iterable[int], total: int) -> float:
    """The same windows, wrong when the number of borders inside differs."""
    wanted, found = set(wanted), set(found)
    apart = max(2, round(total / (len(wanted) + 1) / 2))
    wrong = 0
    for start in range(total - apart):
        inside = range(start + 1, start + apart + 1)
        wrong += sum(place in wanted for place in inside) != sum(place in found for place in inside)
    return wrong / max(1, total - apart)


def rouge(wanted: str, found: str, size: int = 1) -> float:
    """ROUGE-N F1 of two texts, without endings cut: how many words (or pairs) they share."""
    first, second = (_grams(text, size) for text in (wanted, found))
    both = sum((first & second).values())
    return 2 * both / (sum(first.values()) + sum(second.values())) if both else 0.0


def _grams(text: str, size: int) -> Counter[tuple[str, ...]]:
    words = re.findall(r"\w+", _NOISE.sub(" ", text).casefold())
    return Counter(tuple(words[index : index + size]) for index in range(len(words) - size + 1))


def cleaned(sentences: Sequence[str]) -> str:
    """Sentences as one text without the marks of sounds."""
    return " ".join(" ".join(_NOISE.sub(" ", sentence).split()) for sentence in sentences)
