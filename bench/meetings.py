"""Meetings of the corpora and made ones: what is read right, beside libraries that do a part of the same, and the time.

The libraries are no dependencies: ``pip install lede webvtt-py srt`` into the environment to see them too. No kept
library finds decisions and tasks without a hosted model, so those stand alone; docs/how-to/meetings.md has the rest.
"""

from __future__ import annotations

import importlib.util
import random
from collections.abc import Callable, Iterator, Sequence
from statistics import mean

from bench.figures import Figure, Stopwatch
from bench.labelled import FIELDS, Counts, count
from bench.labelled import read as labelled
from bench.qmsum import Meeting, cleaned, meetings, pk, rouge, window_difference

BUDGET = 800
"""Characters of a summary, the same for all."""
HALVES = {"dev": "development half", "held": "held-out half"}


def run() -> Iterator[Figure]:
    """Every figure; those of the corpora only when they are there."""
    yield from _notes()
    found = meetings()
    if not found:
        return
    yield from _transcripts(found)
    for half, name in HALVES.items():
        some = [one for one in found if one.held_out == (half == "held")]
        yield from _decided(some, name)
        yield from _segments(some, name)
        yield from _summaries(some, name)
    yield from _times(found)


def _notes() -> Iterator[Figure]:
    """Exact fields of the made meetings."""
    from soloist.plugins.skills.meeting_notes import meeting_notes

    for half, name in HALVES.items():
        totals = {one: Counts() for one in FIELDS}
        for meeting in labelled():
            if meeting.half == half:
                now = f"{meeting.day}T09:30:00+01:00"
                count(
                    meeting, meeting_notes.call({"text": meeting.text, "now": now, "timezone": "Europe/Berlin"}), totals
                )
        for one, counted in totals.items():
            note = f"{counted.right} of {counted.marked}; precision {counted.precision:.2f}"
            yield Figure(f"made meetings, {name}: {one}", counted.recall, "recall", "", note)
        right, marked = (sum(getattr(one, key) for one in totals.values()) for key in ("right", "marked"))
        target = ">= 0.9" if half == "held" else ""
        yield Figure(f"made meetings, {name}: all fields", right / marked, "recall", target, f"{right} of {marked}")


def rendered(meeting: Meeting, form: str) -> str:
    """The turns of a meeting as lines with speakers, or as a subtitle file with a second for each."""
    rows = [(speaker, words) for speaker, words in meeting.turns if words]
    if form == "speakers":
        return "\n".join(f"{speaker}: {words}" for speaker, words in rows)
    sign = "." if form == "vtt" else ","
    cues = []
    for number, (speaker, words) in enumerate(rows):
        first, last = (f"{s // 3600:02d}:{s // 60 % 60:02d}:{s % 60:02d}{sign}000" for s in (number, number + 1))
        said = f"<v {speaker}>{words}" if form == "vtt" else f"{speaker}: {words}"
        cues.append(f"{number + 1}\n{first} --> {last}\n{said}\n")
    return ("WEBVTT\n\n" if form == "vtt" else "") + "\n".join(cues)


def turns_right(meeting: Meeting, form: str) -> tuple[int, int]:
    """How many turns of how many come back with their speaker and words."""
    from soloist.plugins.skills._meeting_words import NO_PERSON
    from soloist.plugins.skills._transcript import read

    text = rendered(meeting, form)
    wanted = [turn for turn in meeting.turns if turn[1]]
    found = [(turn.speaker, text[turn.start : turn.end].strip()) for turn in read(text, NO_PERSON)[1]]
    left: dict[tuple[str, str], int] = {}
    for one in found:
        left[one] = left.get(one, 0) + 1
    right = 0
    for one in wanted:
        if left.get(one, 0):
            left[one] -= 1
            right += 1
    return right, len(wanted)


def _transcripts(found: Sequence[Meeting]) -> Iterator[Figure]:
    """Speakers and words of every turn, in three forms."""
    for form in ("speakers", "vtt", "srt"):
        counted = [turns_right(meeting, form) for meeting in found]
        right, total = (sum(column) for column in zip(*counted, strict=True))
        yield Figure(f"turns read from {form}", right / total, "share", ">= 0.98", f"{right} of {total}")
    if importlib.util.find_spec("webvtt"):
        import webvtt

        right = sum(
            (cue.voice, cue.text.strip()) == turn
            for meeting in found
            for cue, turn in zip(
                webvtt.from_string(rendered(meeting, "vtt")).captions, [t for t in meeting.turns if t[1]], strict=False
            )
        )
        yield Figure("  webvtt-py on the same vtt", right / total, "share", "", f"{right} of {total}")
    if importlib.util.find_spec("srt"):
        import srt

        right = sum(
            tuple(cue.content.split(": ", 1)) == turn
            for meeting in found
            for cue, turn in zip(srt.parse(rendered(meeting, "srt")), [t for t in meeting.turns if t[1]], strict=False)
        )
        yield Figure("  srt on the same srt, split at the colon", right / total, "share", "", f"{right} of {total}")


def _decided(some: Sequence[Meeting], name: str) -> Iterator[Figure]:
    """How many stretches that people named for a decision hold a found one, and how many found ones lie in them."""
    from soloist.plugins.skills.meeting_notes import meeting_notes

    hit = inside = found = stretches = 0
    chance = []
    for meeting in some:
        if not meeting.decided:
            continue
        lines = [one["line"] - 1 for one in meeting_notes.call({"text": meeting.text})["decisions"]]
        covered = {turn for first, last in meeting.decided for turn in range(first, last + 1)}
        chance.append(len(covered) / len(meeting.turns))
        hit += sum(any(first <= line <= last for line in lines) for first, last in meeting.decided)
        stretches += len(meeting.decided)
        inside += sum(line in covered for line in lines)
        found += len(lines)
    share = hit / max(1, stretches)
    yield Figure(f"decisions, {name}: stretches with one found", share, "share", "", f"{hit} of {stretches}")
    note = f"{inside} of {found}; by chance {mean(chance or [0]):.2f}"
    yield Figure(f"decisions, {name}: found ones in a stretch", inside / max(1, found), "share", "", note)


def _segments(some: Sequence[Meeting], name: str) -> Iterator[Figure]:
    """Borders of subjects: Pk (lower is better) and the difference of windows."""
    yield from _joined(some, name)
    ways: dict[str, Callable[[Meeting], list[int]]] = {
        "ours": _ours,
        "no border": lambda meeting: [],
        "five even parts": lambda meeting: [round(len(meeting.turns) * part / 5) for part in range(1, 5)],
    }
    for way, cut in ways.items():
        scores = []
        for meeting in some:
            found = cut(meeting)
            total = len(meeting.turns)
            scores.append((pk(meeting.starts, found, total), window_difference(meeting.starts, found, total)))
        note = f"window difference {mean(score[1] for score in scores):.3f}"
        yield Figure(f"segments, {name}: {way}", mean(score[0] for score in scores), "Pk", "", note)


def _joined(some: Sequence[Meeting], name: str) -> Iterator[Figure]:
    """Prose whose borders are known: answers of people about four meetings, one after another, twelve times."""
    from soloist.plugins.skills.segment import segment

    chance, step = random.Random(7), 20  # a fixed order
    scores, none = [], []
    for _ in range(12):
        text, borders = "", []
        for meeting in chance.sample(list(some), 4):
            borders.append(len(text))
            text += " ".join(chance.sample(meeting.answers, min(3, len(meeting.answers)))) + " "
        found = [one["start"] for one in segment.call({"text": text, "language": "en"})["segments"]][1:]
        wanted = {border // step for border in borders[1:]}
        scores.append(pk(wanted, {place // step for place in found}, len(text) // step))
        none.append(pk(wanted, (), len(text) // step))
    note = f"without borders {mean(none):.3f}; words only, no embedder"
    yield Figure(f"segments of joined prose, {name}", mean(scores), "Pk", "< 0.3", note)


def _ours(meeting: Meeting) -> list[int]:
    from soloist.plugins.skills.segment import segment

    return [one["line"] - 1 for one in segment.call({"text": meeting.text, "language": "en"})["segments"]][1:]


def _summaries(some: Sequence[Meeting], name: str) -> Iterator[Figure]:
    """Words shared with the summary a person wrote, at the same length."""
    ways: dict[str, Callable[[Meeting], str]] = {"key points": _points, "first words": _first}
    if importlib.util.find_spec("lede"):
        ways["lede"] = _lede
    for way, write in ways.items():
        with Stopwatch() as watch:
            written = [(meeting.summary, write(meeting)[:BUDGET]) for meeting in some if meeting.summary]
        scores = [(rouge(wanted, text), rouge(wanted, text, 2)) for wanted, text in written]
        note = (
            f"ROUGE-2 {mean(score[1] for score in scores):.3f}; {watch.cpu / len(written) * 1000:,.0f} ms CPU a meeting"
        )
        yield Figure(f"summary, {name}: {way}", mean(score[0] for score in scores), "ROUGE-1", "", note)


def _points(meeting: Meeting) -> str:
    from soloist.plugins.skills.key_points import key_points

    points = key_points.call({"text": meeting.text, "language": "en", "most": 10})["points"]
    return cleaned([one["words"]["text"] for one in points])


def _spoken(meeting: Meeting) -> str:
    return cleaned([words for _, words in meeting.turns])


def _first(meeting: Meeting) -> str:
    return _spoken(meeting)


def _lede(meeting: Meeting) -> str:
    import lede

    return str(lede.summarize(_spoken(meeting), max_length=BUDGET).summary)


def _times(found: Sequence[Meeting]) -> Iterator[Figure]:
    """CPU of one call on whole meetings, without the embedder (words only) as in a process without models."""
    from soloist.plugins.skills import key_points, meeting_notes, segment, topics

    for skill in (meeting_notes.meeting_notes, segment.segment, topics.topics, key_points.key_points):
        with Stopwatch() as watch:
            for meeting in found:
                skill.call({"text": meeting.text, "language": "en"})
        note = f"{len(found)} meetings of {mean(len(meeting.turns) for meeting in found):.0f} turns"
        yield Figure(f"{skill.name} CPU a meeting", watch.cpu / len(found) * 1000, "ms", "< 1000", note)
