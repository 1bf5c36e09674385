"""Every card offers two to four answers, each with its consequence: read from every place that opens one."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

SRC = Path(__file__).parents[2] / "src" / "soloist"
SAYS = ('"label"', "option(", "open_card")
"""What stands in a file that answers are read from."""
SHARED = {"LATER", "AGAIN", "ANSWERS"}
"""Names of answers that several cards share; they are read where they are written."""


@cache
def trees() -> dict[Path, ast.Module]:
    """Every file that may hold answers; they are parsed when the first test asks, not when tests are collected."""
    texts = {path: path.read_text(encoding="utf-8") for path in sorted(SRC.rglob("*.py"))}
    return {path: ast.parse(text) for path, text in texts.items() if any(word in text for word in SAYS)}


def answer(node: ast.AST) -> tuple[str, bool] | None:
    """Name of one answer and whether its consequence is said; None for anything else."""
    if isinstance(node, ast.Dict):
        keys = {
            key.value: value for key, value in zip(node.keys, node.values, strict=True) if isinstance(key, ast.Constant)
        }
        if {"name", "label"} <= set(keys) and "tone" not in keys:
            said = keys.get("consequence")
            return ast.unparse(keys["name"]), said is not None and ast.unparse(said) not in ("''", '""')
    called = isinstance(node, ast.Call) and ast.unparse(node.func) in ("option", "cards.option")
    if called and isinstance(node, ast.Call):
        return ast.unparse(node.args[0]), len(node.args) == 3 and ast.unparse(node.args[2]) not in ("''", '""')
    return None


def lists() -> Iterator[tuple[str, list[Any], bool]]:
    """Every list of answers in the code: where, its answers, and whether it is handed to a card as it is."""
    for path, tree in trees().items():
        whole = {
            id(k.value) for n in ast.walk(tree) if isinstance(n, ast.Call) for k in n.keywords if k.arg == "options"
        }
        whole |= {
            id(v) for n in ast.walk(tree) if isinstance(n, ast.Dict) for k, v in zip(n.keys, n.values, strict=True)
            if isinstance(k, ast.Constant) and k.value == "options"
        }  # fmt: skip
        for node in ast.walk(tree):
            if isinstance(node, ast.List) and any(answer(item) for item in node.elts):
                yield f"{path.relative_to(SRC)}:{node.lineno}", node.elts, id(node) in whole


def test_each_answer_says_what_follows_from_it() -> None:
    silent = [
        (where, found[0]) for where, items, _ in lists() for item in items if (found := answer(item)) and not found[1]
    ]
    assert silent == []


def test_a_list_that_is_handed_to_a_card_has_two_to_four_answers() -> None:
    wrong = [(where, len(items)) for where, items, whole in lists() if whole and not 2 <= len(items) <= 4]
    assert wrong == []


def test_every_place_that_opens_a_card_gives_it_answers() -> None:
    without = []
    for path, tree in trees().items():
        for node in ast.walk(tree):
            called = node.func if isinstance(node, ast.Call) else None
            if (
                isinstance(called, ast.Attribute)
                and called.attr == "open_card"
                and ast.unparse(called.value) == "tasks"
            ):
                given = {keyword.arg for keyword in node.keywords}
                if "options" not in given and None not in given:  # None: its values are made by a function
                    without.append(f"{path.relative_to(SRC)}:{node.lineno}")
    assert without == []


@pytest.mark.parametrize(
    "code",
    ['[{"name": "a", "label": "A"}]', '[{"name": "a", "label": "A", "consequence": ""}]', 'cards.option("a", "A", "")'],
)
def test_a_silent_answer_is_found(code: str) -> None:
    node = ast.parse(code, mode="eval").body
    found = answer(node.elts[0] if isinstance(node, ast.List) else node)
    assert found is not None
    assert not found[1]
