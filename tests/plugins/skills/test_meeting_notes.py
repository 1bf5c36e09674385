"""Meetings: what was decided, who does what until when, what stays open; every span verbatim, nothing ever raises."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from soloist.plugins.skills._meeting import In, Out, entries, find
from soloist.plugins.skills.meeting_notes import meeting_notes

NOW = "2026-11-20T09:30:00+01:00"

SPOKEN = """Mara: Hi Ada. We decided to go with the blue logo.
Ada Okafor: Great. I'll send you the photos by Friday.
Mara: Can you also check the texts?
Ada Okafor: Sure.
Mara: Who pays for the domain?
Ada Okafor: I don't know yet, have to ask my accountant.
Mara: Next meeting on Tuesday at 3pm.
"""
NOTES = """# Website Okafor, 20.11.2026
Teilnehmer: Mara Linde, Ada Okafor

## Beschlüsse
- Die Seite bekommt drei Sprachen.

## Aufgaben
- Ada: Fotos schicken bis 27.11.
- Mara schickt das Angebot bis Freitag
- [ ] Domain umziehen (Mara, bis 1.12.)

## Offene Fragen
- Wer übersetzt die Texte?

Nächstes Treffen: 2. Dezember, 14:30 Uhr
"""


def notes(text: str, **more: object) -> Out:
    return find(In(text=text, now=NOW, timezone="Europe/Berlin", **more))


def tasks(text: str) -> list[tuple[str, str, str]]:
    return [(task.what.text, task.who, task.until) for task in notes(text).tasks]


def test_a_transcript_is_read():
    read = notes(SPOKEN)
    assert [(one.words.text, one.line, one.speaker) for one in read.decisions] == [
        ("We decided to go with the blue logo.", 1, "Mara")
    ]
    assert tasks(SPOKEN) == [("send you the photos", "Ada Okafor", "2026-11-27"), ("check the texts", "Ada Okafor", "")]
    assert [one.words.text for one in read.questions] == ["Who pays for the domain?"]
    assert (read.next_meeting.day, read.next_meeting.time, read.next_meeting.line) == ("2026-11-24", "15:00", 7)


def test_notes_with_headings_are_read():
    read = notes(NOTES)
    assert (read.form, read.people) == ("notes", ["Mara Linde", "Ada Okafor"])
    assert [one.words.text for one in read.decisions] == ["Die Seite bekommt drei Sprachen."]
    assert tasks(NOTES) == [
        ("Fotos schicken", "Ada Okafor", "2026-11-27"),
        ("schickt das Angebot", "Mara Linde", "2026-11-27"),
        ("Domain umziehen", "Mara Linde", "2026-12-01"),
    ]
    assert (read.next_meeting.day, read.next_meeting.time) == ("2026-12-02", "14:30")


@pytest.mark.parametrize("cue", ["<v Ada Okafor>", "Ada Okafor: "])
def test_subtitles_are_read(cue: str):
    text = f"WEBVTT\n\n1\n00:00:01.000 --> 00:00:04.000\n{cue}I'll send the photos by Friday.\n"
    read = notes(text)
    assert (read.form, [(t.who, t.until, t.line) for t in read.tasks]) == ("vtt", [("Ada Okafor", "2026-11-27", 5)])
    other = text.removeprefix("WEBVTT\n\n").replace(".000", ",000")
    assert [task.who for task in notes(other).tasks] == ["Ada Okafor"]


@pytest.mark.parametrize(
    "text",
    [
        "We have not decided on the colour yet.",
        "If you decide to go ahead, tell me.",
        "Das ist noch nicht beschlossen.",
        "Ce n'est pas encore décidé.",
        "Aún no se ha decidido el color.",
    ],
)
def test_what_is_not_decided_is_no_decision(text: str):
    assert notes(f"Mara: {text}\nAda: Hm.\n").decisions == []


def test_without_a_day_of_the_meeting_no_deadline_is_guessed():
    assert [task.until for task in find(In(text=SPOKEN)).tasks] == ["", ""]


def test_an_empty_text_holds_nothing():
    assert notes("") == Out(form="notes", language="en", turns=0)


PIECES = some.sampled_from(
    [*SPOKEN.split(), *NOTES.split(), "\n", "WEBVTT\n", "00:01.000 --> 00:02.000\n", "<v A>", "- ", "[ ] ", "99.99."]
)


@settings(max_examples=150)
@given(some.one_of(some.text(max_size=400), some.lists(PIECES, max_size=60).map(" ".join)), some.booleans())
def test_spans_are_verbatim_and_nothing_raises(text: str, dated: bool):
    for one in entries(find(In(text=text, now=NOW if dated else ""))):
        assert one.text
        assert text[one.start : one.end] == one.text


ANSWER = {
    "decisions": [{"words": "The colour stays blue then"}, {"words": "We buy a boat"}, {"words": 5}, "x"],
    "tasks": [
        {"words": "photos on Friday from Ada", "what": "photos", "who": "Ada", "until": "2026-11-27"},
        {"words": "Then the rest", "what": "pay", "who": "Victor", "until": "2026-12-01"},
    ],
    "questions": 7,
}


def test_of_a_models_answer_only_what_stands_in_the_text_is_kept():
    text = "Ada and Mara met.\nThe colour stays blue then\nphotos on Friday from Ada\nThen the rest\n"
    read = notes(text, answer=ANSWER)
    assert [(one.words.text, one.line, one.by) for one in read.decisions] == [
        ("The colour stays blue then", 2, "model")
    ]
    assert [(one.what.text, one.who, one.until, one.by) for one in read.tasks] == [
        ("photos", "Ada", "2026-11-27", "model"),
        ("Then the rest", "", "", "model"),
    ]
    assert all(text[one.start : one.end] == one.text for one in entries(read))


def test_the_question_for_a_model_is_given_when_wanted():
    assert notes(SPOKEN).ask is None
    asked = notes(SPOKEN, ask=True).ask
    assert SPOKEN in asked.given
    assert "photos" not in asked.instructions


def test_it_is_a_skill():
    assert meeting_notes.call({"text": SPOKEN})["turns"] == 7
