"""Words: the same thing said otherwise has the same stems; numbers, dates and codes as they are written about."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from soloist.engine.recall import words

ALIKE = {
    "case and accents": ("Café MÉTRO", "cafe metro"),
    "an English ending": ("the invoices were approved", "the invoice were approve"),
    "a German ending": ("die Rechnungen wurden nicht bezahlt", "die Rechnung wurden nicht bezahlt"),
    "a French ending": (
        "les factures de la cliente sont dans le dossier",
        "les facture de la cliente sont dans le dossier",
    ),
    "a Spanish ending": ("las facturas de los clientes ya estan", "las factura de los cliente ya estan"),
    "thousands": ("1.200,00 EUR", "1,200 EUR"),
    "cents": ("15,50", "15.50"),
    "a date": ("2026-03-09", "9 March 2026"),
    "a German date": ("09.03.2026", "2026-03-09"),
    "sharp s": ("Straße", "STRASSE"),
}


@pytest.mark.parametrize("name", ALIKE)
def test_the_same_said_otherwise(name: str) -> None:
    one, other = ALIKE[name]
    assert words.stems(one) == words.stems(other)


def test_months_are_the_same_in_all_four_languages() -> None:
    said = "the 3rd of October", "wir kommen im Oktober", "nous sommes en octobre", "llegan el tres de octubre"
    assert all("octob" in words.stems(text) for text in said)


def test_a_code_is_there_in_parts_and_whole() -> None:
    assert {"re", "2026", "14", "re202614"} & set(words.stems("RE-2026-14")) == {"re", "2026", "14", "re202614"}


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("When did we send the offer?", "en"),
        ("Wann haben wir das Angebot geschickt?", "de"),
        ("Quand avons-nous envoyé le devis ?", "fr"),
        ("¿Cuándo enviamos el presupuesto?", "es"),
        ("Okafor Ceramics", "en"),
    ],
)
def test_the_language_is_guessed_from_small_words(text: str, language: str) -> None:
    assert words.language(text) == language


@given(some.text())
def test_any_text_has_stems_and_always_the_same(text: str) -> None:
    found = words.stems(text)
    assert found == words.stems(text)
    assert all(stem and len(stem) <= words.MOST + 1 for stem in found)


@given(some.text())
def test_capitals_change_nothing(text: str) -> None:
    folded = words.fold(text)
    assert words.stems(folded) == words.stems(words.fold(folded))
