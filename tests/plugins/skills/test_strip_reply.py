from __future__ import annotations

import time

import pytest

from soloist.plugins.skills._split import split


def test_answers_between_quotes_stay():
    text = "Mara wrote on 2026-11-20 10:00:\n> Red?\nNo, green.\n> Big?\nYes.\n"
    assert split(text).own_text == "No, green.\nYes."


def test_postscript_after_the_signature_stays():
    assert split("Hello\n\nBest,\nDana\n\nPS: budget is 3k").own_text == "Hello\n\nPS: budget is 3k"


def test_bare_name_of_the_sender_is_a_signature():
    assert split("See you then\n\nDana", "Dana Reyes").signature == "Dana"


def test_closing_with_the_name_on_the_same_line():
    assert split("Bis dann!\n\nViele Grüße, Jonas").signature == "Viele Grüße, Jonas"


@pytest.mark.parametrize("line", ["Best price?", "Danke für die Karten, sie sind toll geworden.", "- first\n- second"])
def test_ordinary_lines_stay(line):
    text = f"Hello\n\n{line}"
    assert split(text).own_text == text


@pytest.mark.parametrize("unit", ["> ", "On ", "From: a\n", "-- \n", "\n", "a: <b@c> 1:", "Best,\n", "_" * 9 + "\n"])
def test_long_hostile_text_is_read_in_time(unit):
    started = time.process_time()
    split(unit * (200_000 // len(unit)))
    assert time.process_time() - started < 4
