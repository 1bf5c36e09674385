"""Our own measured set is whole and fair, and reading it reaches the figures below (`python -m bench.messages`)."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from tests.story import scoring

LEAD_RECALL = 0.98
FIELD_F1 = 0.97
UNWANTED_CARDS = 0.05
KINDS_RIGHT = 0.92
MILLISECONDS = 40
"""Floors of what is reached on the whole set (UNWANTED_CARDS and MILLISECONDS are ceilings)."""


def test_the_set_is_large_and_mixed():
    cases = scoring.cases()
    assert len(cases) >= 200
    assert len({case.id for case in cases}) == len({case.text for case in cases}) == len(cases)
    assert {case.lang for case in cases} == set(scoring.LANGUAGES)
    assert {case.kind for case in cases} == set(scoring.KINDS)


def test_both_halves_are_equal_for_every_kind_and_language():
    count = Counter((case.lang, case.kind, case.split) for case in scoring.cases())
    assert all(count[lang, kind, "dev"] == count[lang, kind, "held"] for lang, kind, _ in count)


def test_unwanted_mail_stands_there_with_and_without_telling_headers():
    for kind in ("bulk", "automatic"):
        for split in ("dev", "held"):
            told = Counter(bool(case.headers) for case in scoring.cases() if (case.kind, case.split) == (kind, split))
            assert min(told[True], told[False]) >= 3


@pytest.mark.parametrize("case", scoring.cases(), ids=lambda case: case.id)
def test_a_label_stands_in_its_message(case):
    written = f"{case.from_name}\n{case.text}".lower()
    assert all(case.fields.get(name, "").lower() in written for name in ("name", "company"))
    assert re.sub(r"\D", "", case.fields.get("phone", ""))[3:] in re.sub(r"\D", "", written)
    assert set(case.fields) <= set(scoring.FIELDS)
    assert set(case.criteria.values()) <= {"met", "not_met", "unknown"}
    assert case.kind == "enquiry" or not case.criteria


@pytest.mark.parametrize("case", scoring.cases()[::9], ids=lambda case: case.id)
def test_a_message_is_read_from_real_bytes(case):
    mail = scoring.read_mail.call({}, scoring.raw(case))
    assert (mail["subject"], mail["text"].strip()) == (case.subject, case.text.strip())
    assert mail["sender"] == {"name": case.from_name, "address": case.from_address}


def test_no_criterion_is_called_met_without_words():
    assert scoring.score(scoring.results()).without_words == 0


def test_reading_reaches_its_figures():
    found = scoring.score(scoring.results())
    print(found)
    assert found.lead_recall >= LEAD_RECALL
    assert found.field_f1 >= FIELD_F1
    assert found.unwanted_cards <= UNWANTED_CARDS
    assert found.kind_accuracy >= KINDS_RIGHT
    assert found.milliseconds < MILLISECONDS
