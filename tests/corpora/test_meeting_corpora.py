"""Meetings that others recorded and marked: every turn is read, spans are verbatim, and the figures are printed."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from bench.meetings import turns_right
from bench.qmsum import Meeting, meetings, pk
from soloist.plugins.skills._meeting import In, entries, find
from soloist.plugins.skills.key_points import key_points
from soloist.plugins.skills.segment import segment

pytestmark = pytest.mark.corpora


@pytest.fixture(scope="module")
def found(corpora: Path) -> list[Meeting]:
    """All meetings of the corpora."""
    return meetings(corpora / "corpora" / "meetings" / "qmsum")


@pytest.mark.parametrize("form", ["speakers", "vtt", "srt"])
def test_every_turn_comes_back_with_its_speaker(found: list[Meeting], form: str):
    counted = [turns_right(meeting, form) for meeting in found]
    right, total = (sum(column) for column in zip(*counted, strict=True))
    print(f"\n{form}: {right} of {total} turns read ({right / total:.2%})")
    assert right / total >= 0.98


def test_what_is_found_stands_in_the_text(found: list[Meeting]):
    begun, kinds = time.process_time(), [0, 0, 0]
    for meeting in found:
        read = find(In(text=meeting.text, now="2026-11-20T09:30:00+01:00"))
        kinds = [a + len(b) for a, b in zip(kinds, (read.decisions, read.tasks, read.questions), strict=True)]
        assert all(meeting.text[one.start : one.end] == one.text for one in entries(read))
    each = (time.process_time() - begun) / len(found) * 1000
    print(f"\n{len(found)} meetings: {kinds} decisions, tasks, questions; {each:.0f} ms CPU each")
    assert each < 1500


@pytest.mark.parametrize("half", ["val", "test"])
def test_borders_of_subjects(found: list[Meeting], half: str):
    some = [one for one in found if one.name.startswith(half)]
    scores, even = [], []
    for meeting in some:
        total = len(meeting.turns)
        ours = [one["line"] - 1 for one in segment.call({"text": meeting.text, "language": "en"})["segments"]][1:]
        scores.append(pk(meeting.starts, ours, total))
        even.append(pk(meeting.starts, [round(total * part / 5) for part in range(1, 5)], total))
    ours_, even_ = (sum(values) / len(values) for values in (scores, even))
    print(f"\n{half}: Pk {ours_:.3f}, five even parts {even_:.3f}, {len(some)} meetings")
    assert ours_ < even_


def test_key_points_are_words_of_the_meeting(found: list[Meeting]):
    for meeting in found[:4]:
        read = key_points.call({"text": meeting.text, "language": "en", "most": 8})["points"]
        assert len(read) == 8
        assert all(meeting.text[p["words"]["start"] : p["words"]["end"]] == p["words"]["text"] for p in read)
