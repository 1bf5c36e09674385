"""The house book parser: sections in four languages, line numbers, oddities; no draft is written here."""

from __future__ import annotations

import random
import time

import pytest

from soloist.plugins.skills._housebook import Book, clean, parse

BOOK = """# Ours

## Services
- **Website**: up to 8 pages,
  with [docs](https://a.example).

## Prices (EUR)
| Service | Price |
|---|---|
| Website | from 2500 EUR |

## FAQ

**Do you travel?** Yes, in Germany.

Q: Who hosts?
A: You do,
with your own contract.

### Is VAT included?

No, 19 % VAT is added.

Tone
----
- German: informal (du)
- French: formal
- Greeting (French): Bonjour {name}
- Closing: Best regards

## Team
- Mara
"""


def texts(book: Book, section: str) -> list[tuple[int, str]]:
    return [(f.line, f.text) for f in book.facts if f.section == section]


def test_items_and_wrapped_lines_keep_words_and_first_line():
    assert texts(parse(BOOK), "services") == [(4, "Website: up to 8 pages, with docs (https://a.example).")]


def test_table_rows_are_lines_and_headings_of_tables_are_not():
    assert texts(parse(BOOK), "prices") == [(10, "Website: from 2500 EUR")]


def test_three_forms_of_question_and_answer():
    faq = [(f.line, f.keys[0], f.text) for f in parse(BOOK).facts if f.section == "faq"]
    assert faq == [
        (14, "Do you travel?", "Yes, in Germany."),
        (17, "Who hosts?", "You do, with your own contract."),
        (22, "Is VAT included?", "No, 19 % VAT is added."),
    ]


def test_tone_per_language():
    tone = parse(BOOK).tone
    assert tone.informal == {"de": True, "fr": False}
    assert tone.greeting == {"fr": "Bonjour {name}"}
    assert tone.closing == {"": "Best regards"}


def test_unknown_heading_is_kept_never_quotable_and_named():
    book = parse(BOOK)
    assert texts(book, "other") == [(32, "Mara")]
    assert all(f.text != "Mara" for f in book.quotable)
    assert book.faults == (
        "Line 31 of the house book: the heading 'Team' is none of Services, Prices, Terms, FAQ, Tone, "
        "so the lines below it are never quoted.",
    )


@pytest.mark.parametrize(
    ("heading", "section"),
    [
        ("Leistungen", "services"),
        ("Prestations", "services"),
        ("Servicios", "services"),
        ("PREISE:", "prices"),
        ("Tarifs", "prices"),
        ("2. Precios", "prices"),
        ("Geschäftsbedingungen", "terms"),
        ("Modalités ##", "terms"),
        ("Condiciones", "terms"),
    ],
)
def test_headings_in_four_languages(heading: str, section: str):
    assert texts(parse(f"## {heading}\n- a line"), section) == [(2, "a line")]


def test_windows_line_ends_and_a_byte_order_mark_change_nothing():
    assert parse("\ufeff" + BOOK.replace("\n", "\r\n")).facts == parse(BOOK).facts


@pytest.mark.parametrize(
    "text", ["", "\n\n", "no heading at all", "## Prices", "\x00\ufffd", "# Only\n## Tone\n- German: formal"]
)
def test_a_book_without_quotable_lines_says_what_to_write(text: str):
    assert "no line a reply could quote" in parse(text).faults[-1]


def test_code_blocks_and_comments_are_not_quoted():
    book = parse("## Prices\n<!-- - Old: 1 EUR\n- Older: 2 EUR -->\n```\n- Code: 3 EUR\n```\n- New: 4 EUR")
    assert texts(book, "prices") == [(7, "New: 4 EUR")]


def test_an_unclosed_comment_is_said():
    assert "ends inside a code block or a comment" in parse("## Prices\n- a: 1\n<!-- open\n- b: 2").faults[0]


def test_an_answer_without_a_question_is_unused_and_named():
    book = parse("## FAQ\nJust an answer.")
    assert not book.quotable
    assert "Line 2 of the house book: this answer has no question above it" in book.faults[0]


def test_a_megabyte_is_read_in_under_five_seconds():
    start = time.perf_counter()
    assert len(parse(BOOK * 2600).facts) > 10_000
    assert time.perf_counter() - start < 5


def test_random_marks_never_raise():
    for seed in range(200):
        rng = random.Random(seed)
        parse("".join(rng.choice("#*_-|`<!-->\n\r :?abQ[]()\t ~1.") for _ in range(1500)))


@pytest.mark.parametrize("hostile", ["#", "*", "_", "[", "|", "`", "<!--", "**a", "- ", "[a]("])
def test_long_runs_of_one_mark_are_quick(hostile: str):
    start = time.perf_counter()
    parse("## FAQ\n" + hostile * 100_000)
    assert time.perf_counter() - start < 5


def test_clean_keeps_words_with_underscores_and_sums():
    assert clean("file_name_x costs *about* 2 * 3 EUR") == "file_name_x costs about 2 * 3 EUR"


def test_many_faults_are_counted_not_listed():
    faults = parse("## Prices\n- a: 1\n" + "## Team\n" * 30).faults
    assert len(faults) == 11
    assert faults[-1] == "The house book has 20 more such places."
