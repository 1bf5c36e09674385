"""What a writer promised, in four languages; a condition and a question promise nothing."""

import pytest

from soloist.plugins.skills._promises import In, find

NOW = "2026-11-20T09:30:00+01:00"


def said(text: str) -> list[tuple[str, str]]:
    return [
        (one.words.text.strip(), one.day) for one in find(In(text=text, now=NOW, timezone="Europe/Berlin")).promises
    ]


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("I'll send you the quote by 27 November.", "2026-11-27"),
        ("We will get back to you with the numbers.", ""),
        ("Ich schicke Ihnen das Angebot bis zum 27.11.2026.", "2026-11-27"),
        ("Ich werde Ihnen den Entwurf am 25. November schicken.", "2026-11-25"),
        ("Das Angebot erhalten Sie nächste Woche.", "2026-11-23"),
        ("Je vous enverrai le devis d'ici le 27 novembre.", "2026-11-27"),
        ("Je reviens vers vous rapidement.", ""),
        ("Le enviaré la propuesta antes del 27 de noviembre.", "2026-11-27"),
        ("Voy a prepararle un presupuesto.", ""),
    ],
)
def test_a_promise_is_found_with_its_day(text: str, day: str):
    assert said(f"Hello,\n\n{text}\n\nMara") == [(text, day)]


@pytest.mark.parametrize(
    "text",
    [
        "Thank you for the photos.",
        "Shall I send you the draft?",
        "If you send the photos I will prepare the page.",
        "Wenn Sie die Fotos schicken, erstelle ich die Seite.",
        "Vielen Dank für Ihre Nachricht.",
        "Merci pour votre message.",
        "Gracias por su mensaje.",
    ],
)
def test_what_promises_nothing_is_left(text: str):
    assert said(text) == []


def test_what_was_quoted_is_not_the_writers():
    quoted = "Thank you.\n\nOn Monday Ada wrote:\n> I will send you the photos by Friday.\n"
    assert said(quoted) == []
