"""121 pairs as contacts really are, in four languages: which are one, which are asked about, which are two."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from soloist.kernel.likeness import keys, read
from soloist.kernel.merging import combined, digest
from soloist.stages.records.matching import Match, checked, decide, score

PAIRS = Path(__file__).parents[1] / "data" / "identity" / "pairs.jsonl"
ROWS = [json.loads(line) for line in PAIRS.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("row", ROWS, ids=[row["why"] for row in ROWS])
def test_a_pair_is_judged_right_whichever_was_there_first(row: dict[str, Any]) -> None:
    one, two = read(row["kind"], row["a"]), read(row["kind"], row["b"])
    for match in (score(one, two), score(two, one)):
        found = decide([("x", match)])
        assert found.zone == row["zone"], (found.score, found.strong, found.vetoes)
        assert found.rule


def test_what_is_to_be_merged_or_asked_about_is_also_found() -> None:
    blind = []
    for row in ROWS:
        one, two = (set(keys(read(row["kind"], row[side]))) for side in "ab")
        blind += [row["why"]] if row["zone"] != "new" and not one & two else []
    assert blind == []


def test_of_two_that_fit_equally_well_none_is_chosen() -> None:
    strong = Match(20.0, ("address",), unique=True)
    assert decide([("a", strong), ("b", strong)]).zone == "review"
    assert decide([("a", strong), ("b", Match(14.9, ("address",)))]).zone == "merge"
    assert decide([]).zone == "new"


def test_what_many_have_in_common_is_no_strong_key() -> None:
    one, two = (read("person", {"name": name, "phones": ["+49405550099"]}) for name in ("Eva Blum", "Eva Blum"))
    assert score(one, two).strong == ("phone and name",)
    assert score(one, two, {"5550099"}).strong == ()


@pytest.mark.parametrize("number", ["DE136695976", "FR83404833048", "BE0428759497", "IT00743110157"])
def test_a_tax_number_shows_that_it_was_not_mistyped(number: str) -> None:
    assert checked(number)
    assert not checked(number[:-1] + str((int(number[-1]) + 1) % 10))


def test_both_read_as_one_by_the_declared_choices() -> None:
    kept, other = (
        {"name": "Ada", "emails": ["a@x"], "city": ""},
        {"name": "A. Okafor", "emails": ["b@x"], "city": "Kiel"},
    )
    assert combined(kept, other, {}) == {"name": "Ada", "emails": ["a@x", "b@x"], "city": "Kiel"}
    assert combined(kept, other, {"name": "other", "emails": "kept"})["name"] == "A. Okafor"
    assert combined(kept, other, {"name": "both"})["name"] == ["Ada", "A. Okafor"]


def test_evidence_is_the_same_from_either_side() -> None:
    one, two = read("person", {"name": "Eva Blum", "born": "1"}), read("person", {"name": "Eva Blüm"})
    sides = [[vars_of(e) for e in score(a, b).evidence] for a, b in ((one, two), (two, one))]
    assert digest(sides[0]) == digest(sides[1])


def vars_of(evidence: Any) -> dict[str, Any]:
    return {name: getattr(evidence, name) for name in ("field", "here", "there", "verdict")}
