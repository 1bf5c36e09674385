"""What a draft claims beyond its context is named with its words; nothing is named that the context bears out."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from soloist.plugins.skills._claims import In, Source, check

NOW = "2026-11-20T09:30:00+01:00"
BOOK = (
    "Website, five pages: 2,400 EUR. Deposit 30 %. Delivery in 4 weeks. Start 1 December 2026, calls at 14:00. "
    "We send the contract on paper. Price list: https://studio-linde.example/prices. Mara Linde, "
    "mara@studio-linde.example"
)


def found(text: str, **more: object) -> list[tuple[str, str]]:
    given_ = {"context": [Source(name="book", text=BOOK)], "now": NOW, **more}
    return [(one.kind, one.words.text) for one in check(In(text=text, **given_)).findings]


@pytest.mark.parametrize(
    ("text", "kind", "words"),
    [
        ("The website is 1,900 EUR.", "price", "1,900 EUR"),
        ("Die Website kostet 1.900 € für alles zusammen.", "price", "1.900 €"),
        ("You pay a deposit of 20 %.", "discount", "20 %"),
        ("We do this free of charge.", "discount", "free of charge"),
        ("Sie bekommen einen Rabatt von uns.", "discount", "Rabatt"),
        ("Le logo est offert avec le site.", "discount", "offert"),
        ("Hay un descuento para usted.", "discount", "descuento"),
        ("We start on 2 December 2026.", "date", "2 December 2026"),
        ("The page is ready in 3 weeks.", "date", "in 3 weeks"),
        ("Let us talk at 15:30.", "time", "15:30"),
        ("See https://quick-offers.example/x for details.", "link", "https://quick-offers.example/x"),
        ("Write to sales@quick-offers.example.", "address_of_mail", "sales@quick-offers.example"),
        ("We guarantee a first place.", "promise", "guarantee"),
        ("Wir garantieren Platz eins.", "promise", "garantieren"),
        ("I'll deliver the whole brand book.", "promise", "I'll deliver the whole brand book."),
        ("Je vous enverrai la maquette.", "promise", "Je vous enverrai la maquette."),
        ("Then our partner Northwind Ltd joins.", "name", "Northwind Ltd"),
        ("Herr Krause ruft Sie an.", "name", "Krause"),
        ("La señora llamará, dice Doña Carmen.", "name", "Carmen"),
        ("This is your last chance to sign.", "pressure", "last chance"),
        ("Bitte zahlen Sie unverzüglich den Betrag.", "pressure", "unverzüglich"),
        ("Please read this VERY IMPORTANT note.", "shouting", "VERY IMPORTANT"),
        ("Please answer!!", "shouting", "!!"),
    ],
)
def test_what_nothing_bears_out_is_found(text: str, kind: str, words: str):
    assert (kind, words) in found(text)


@pytest.mark.parametrize(
    "text",
    [
        "The website of five pages is 2,400 EUR.",
        "Die Website kostet 2.400,00 € für Sie.",
        "The deposit is 30 % of 2.4k EUR.",
        "We can start on 1 December 2026 at 2 pm.",
        "It is ready within 4 weeks.",
        "The price list: studio-linde.example/prices",
        "We will send the contract on paper.",
        "Best regards,\nMara Linde",
        "Thank you for your message. What should the website do?",
        "Vielen Dank für Ihre Nachricht. Was soll die Website können?",
    ],
)
def test_what_the_context_bears_out_is_left(text: str):
    assert found(text) == []


@pytest.mark.parametrize(
    ("text", "thread", "words"),
    [
        ("Kannst du mir die Fotos schicken?", "Wann hätten Sie Zeit, Frau Linde?", "Kannst du"),
        ("Danke, ich rufe Sie morgen an.", "Hast du morgen Zeit für mich?", "Sie"),
        ("Tu peux me rappeler.", "Pouvez-vous m'aider ?", "Tu"),
        ("Puede usted llamarme.", "¿Me lo mandas tú? Te envío las fotos.", "usted"),
    ],
)
def test_the_form_of_address_is_that_of_the_thread(text: str, thread: str, words: str):
    read = check(In(text=text, thread=[thread], language=check(In(text=thread)).language))
    assert ("address", words) in [(one.kind, one.words.text) for one in read.findings]
    assert not read.ok


def test_a_price_of_the_other_side_proves_nothing():
    outside = Source(name="message", text="You said 100 EUR.", ours=False)
    (one,) = check(In(text="It is 100 EUR.", context=[outside, Source(name="book", text=BOOK)])).findings
    assert (one.kind, one.weight, one.has[0]) == ("price", "look", "2,400 EUR")


PIECES = some.sampled_from(
    [*BOOK.split(), "Sie", "du", "TU", "!!", "https://", "3pm", "€", "29.2.", "guarantee", "\n", "Dr."]
)


@settings(max_examples=120)
@given(some.one_of(some.text(max_size=300), some.lists(PIECES, max_size=40).map(" ".join)), some.text(max_size=40))
def test_spans_are_verbatim_and_nothing_raises(text: str, subject: str):
    whole = f"{subject}\n{text}" if subject else text
    read = check(In(subject=subject, text=text, now=NOW, context=[Source(name="book", text=BOOK)], thread=[text]))
    assert all(whole[one.words.start : one.words.end] == one.words.text for one in read.findings)
