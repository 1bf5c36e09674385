"""The recovery sheet: what is written can be typed again, and a slip is told with its line."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from soloist.engine import recovery
from soloist.engine.vault import Vault
from soloist.kernel.errors import BadConfig, BadInput


@pytest.fixture
def sheet(tmp_path: Path) -> recovery.Sheet:
    return recovery.of(Vault(tmp_path / "keys"))


def written(sheet: recovery.Sheet) -> str:
    return recovery.text(sheet, business="Studio Linde", made="2026-11-21")


def test_text_and_page_are_read_back(sheet: recovery.Sheet) -> None:
    for form in (recovery.text, recovery.page):
        assert recovery.read(form(sheet, business="Studio Linde", made="2026-11-21")) == sheet


def test_case_spaces_and_alike_letters_do_not_matter(sheet: recovery.Sheet) -> None:
    typed = "\n".join(
        f"{label.lower()}: {groups.lower().replace('-', '  ')}" for label, groups in recovery.lines(sheet)
    )
    assert recovery.read(typed.replace("0", "o").replace("1 ", "1 ")) == sheet


def test_every_slip_of_one_character_is_told_with_its_line(sheet: recovery.Sheet) -> None:
    lines = recovery.lines(sheet)
    dice = random.Random(7)
    for _ in range(300):
        place, at = dice.randrange(len(lines)), dice.randrange(35)
        label, groups = lines[place]
        other = dice.choice("0123456789ABCDEFGHJKMNPQRSTVWXYZ")
        if groups[at] in ("-", other):
            continue
        typed = [f"{name} {text}" for name, text in lines]
        typed[place] = f"{label} {groups[:at]}{other}{groups[at + 1 :]}"
        with pytest.raises(BadInput, match=rf"line {place + 1} \({label}\)"):
            recovery.read("\n".join(typed))


def test_swapped_neighbours_and_swapped_lines_are_told(sheet: recovery.Sheet) -> None:
    lines = recovery.lines(sheet)
    typed = [f"{label} {groups}" for label, groups in lines]
    typed[0], typed[1] = f"M1 {lines[1][1]}", f"M2 {lines[0][1]}"
    with pytest.raises(BadInput, match=r"line 1 \(M1\).*line 2 \(M2\)"):
        recovery.read("\n".join(typed))


def test_missing_and_short_lines_are_told(sheet: recovery.Sheet) -> None:
    typed = [f"{label} {groups}" for label, groups in recovery.lines(sheet)]
    typed[2] = typed[2][:-1]
    with pytest.raises(BadInput, match=r"line 3 \(N1\): it has 29 characters.*missing: B2"):
        recovery.read("\n".join(typed[:-1]))


def test_nothing_at_all_is_told() -> None:
    with pytest.raises(BadInput, match="missing: M1"):
        recovery.read("hello")


def test_keys_are_put_back_once(sheet: recovery.Sheet, tmp_path: Path) -> None:
    vault = Vault(tmp_path / "other")
    vault.put_back(sheet.keys)
    assert recovery.of(vault) == sheet
    assert {p.stat().st_mode & 0o777 for p in (tmp_path / "other").iterdir()} == {0o600}
    with pytest.raises(BadConfig, match="already"):
        vault.put_back(sheet.keys)
