"""Made meetings with every field labelled by hand: the development half is whole, the held-out half keeps its share."""

from __future__ import annotations

import pytest

from bench.labelled import FIELDS, Counts, count, read
from soloist.plugins.skills.meeting_notes import meeting_notes


@pytest.mark.parametrize(("half", "least"), [("dev", 0.99), ("held", 0.91)])
def test_exact_fields(half: str, least: float):
    totals, faults = {name: Counts() for name in FIELDS}, []
    for meeting in read():
        if meeting.half == half:
            given = {"text": meeting.text, "now": f"{meeting.day}T09:30:00+01:00", "timezone": "Europe/Berlin"}
            faults += count(meeting, meeting_notes.call(given), totals)
    right, marked = (sum(getattr(one, key) for one in totals.values()) for key in ("right", "marked"))
    assert right / marked >= least, "\n".join(faults)
    assert all(one.precision >= 0.75 for one in totals.values())


def test_every_language_is_in_both_halves():
    seen = {(one.language, one.half) for one in read()}
    assert seen == {(language, half) for language in ("en", "de", "fr", "es") for half in ("dev", "held")}
