"""Recovery: the sheet that carries a home's keys on paper, written and read again; it stores nothing and logs nothing.

A line is a label, 26 characters of key and 4 of checksum in Crockford's base32, which has no I, L, O or U: a person can
read it aloud and type it, and a slip is told with its line.
"""

from __future__ import annotations

import hashlib
import html
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from soloist.engine.vault import KEYS, Vault
from soloist.kernel.errors import BadInput

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_READ_AS = str.maketrans("OIL", "011")
_HALF = 16
_KEY_CHARS = 26
_CHECK_CHARS = 4
LABELS = {"M": "master.key", "N": "install.key", "J": "journal.key", "B": "backup.key"}
"""First character of a line's label; the second is 1 or 2, the half of the key."""
_LINE = re.compile(r"^\s*([A-Z])\s*([12])\b[\s:.]*(.*)$", re.IGNORECASE)
_ROW = re.compile(r"<tr><th>(\w\d)</th><td>([^<]*)</td></tr>")


@dataclass(frozen=True)
class Sheet:
    """The keys of one home."""

    keys: Mapping[str, bytes]

    @property
    def home(self) -> str:
        """The name of the home, made from its keys; a backup carries the same, so that the two can be matched."""
        return home_id(self.keys["install.key"])


def home_id(install_key: bytes) -> str:
    """Eight characters that tell two homes apart and say nothing about the key."""
    return _letters(hashlib.sha256(b"soloist home " + install_key).digest()[:5], 8)


def of(vault: Vault) -> Sheet:
    """The sheet of a home; keys that are missing are made."""
    return Sheet(vault.every())


def lines(sheet: Sheet) -> list[tuple[str, str]]:
    """(label, six groups of five characters) for each half of each key."""
    found = []
    for letter, name in LABELS.items():
        for half in (0, 1):
            label, part = f"{letter}{half + 1}", sheet.keys[name][half * _HALF : (half + 1) * _HALF]
            whole = _letters(part, _KEY_CHARS) + _check(label, part)
            found.append((label, "-".join(whole[n : n + 5] for n in range(0, len(whole), 5))))
    return found


def text(sheet: Sheet, *, business: str, made: str) -> str:
    """The sheet as plain text."""
    rows = "\n".join(f"  {label}  {groups}" for label, groups in lines(sheet))
    told = "\n".join(f"{n}. {sentence}" for n, sentence in enumerate(_HOW, 1))
    return f"RECOVERY SHEET\n{business}, home {sheet.home}, made {made}\n\n{_WHAT}\n\n{rows}\n\n{told}\n"


def page(sheet: Sheet, *, business: str, made: str) -> str:
    """The sheet as a page to print; it loads nothing."""
    rows = "\n".join(f"<tr><th>{label}</th><td>{groups}</td></tr>" for label, groups in lines(sheet))
    told = "".join(f"<li>{html.escape(sentence)}</li>" for sentence in _HOW)
    name = html.escape(business)
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Recovery sheet</title><style>
body {{ font: 12pt/1.5 serif; max-width: 44rem; margin: 2rem auto; padding: 0 1rem; color: #000; background: #fff }}
table {{ border-collapse: collapse; margin: 1.5rem 0 }} th {{ text-align: left; padding-right: 1.5rem }}
th, td {{ font: 13pt/1.9 monospace; letter-spacing: .04em }}
</style></head><body>
<h1>Recovery sheet</h1>
<p>{name}, home <b>{sheet.home}</b>, made {html.escape(made)}</p>
<p>{html.escape(_WHAT)}</p>
<table>
{rows}
</table>
<ol>{told}</ol>
</body></html>
"""


_WHAT = (
    "With this sheet and a backup everything comes back on a new machine: data, secrets and open approvals. "
    "Whoever has both can read everything, so keep them apart, and never keep this sheet on the same machine."
)
_HOW = (
    "Print it, put it where you keep your passport, and delete the file.",
    "On the new machine install Soloist, and type the eight lines into a text file, or read them in from a scan.",
    "Run: soloist restore BACKUP --home NEW-FOLDER --sheet FILE   (--sheet - reads the lines from the keyboard)",
    "A slip is told with its line. Case, spaces and hyphens do not matter; O is read as 0, I and L as 1.",
    "The restored home starts in safe mode: nothing leaves until you have seen what happened after the backup.",
)


def read(given: str) -> Sheet:
    """The sheet from typed, pasted or saved text (BadInput names each line at fault)."""
    parts: dict[str, bytes] = {}
    faults = []
    for place, label, groups in _lines_of(given):
        try:
            part = _line(label, groups)
        except ValueError as error:
            faults.append(f"line {place} ({label}): {error}")
            continue
        if parts.get(label, part) != part:
            faults.append(f"line {place} ({label}): it stands here twice, and differs")
        parts[label] = part
    wanted = [f"{letter}{half}" for letter in LABELS for half in (1, 2)]
    told = " ".join(faults)
    missing = [label for label in wanted if label not in parts and f"({label})" not in told]
    if missing:
        faults.append(f"missing: {', '.join(missing)}")
    if faults:
        raise BadInput(f"The recovery sheet cannot be used: {'; '.join(faults)}. Nothing was changed.", field="sheet")
    return Sheet({name: parts[f"{letter}1"] + parts[f"{letter}2"] for letter, name in LABELS.items()})


def _lines_of(given: str) -> Iterator[tuple[int, str, str]]:
    """(number, label, characters) of every line that can be one of a sheet; a saved page is read as well."""
    for place, line in enumerate(given.splitlines(), 1):
        if row := _ROW.search(line):
            yield place, row[1].upper(), row[2]
        elif (found := _LINE.match(line)) and found[1].upper() in LABELS:
            yield place, found[1].upper() + found[2], found[3]


def _line(label: str, groups: str) -> bytes:
    """Half a key; ValueError says what is wrong with the line."""
    typed = re.sub(r"[\s\-_.]", "", groups).upper().translate(_READ_AS)
    if strange := sorted(set(typed) - set(_ALPHABET)):
        raise ValueError(f"{' '.join(strange)} is not used on a sheet")
    if len(typed) != _KEY_CHARS + _CHECK_CHARS:
        raise ValueError(f"it has {len(typed)} characters instead of {_KEY_CHARS + _CHECK_CHARS}")
    number = 0
    for letter in typed[:_KEY_CHARS]:
        number = number * 32 + _ALPHABET.index(letter)
    spare = _KEY_CHARS * 5 - _HALF * 8
    part = (number >> spare).to_bytes(_HALF, "big")
    if number & ((1 << spare) - 1) or _check(label, part) != typed[_KEY_CHARS:]:
        raise ValueError("a character is wrong, or it is another line's")
    return part


def _check(label: str, part: bytes) -> str:
    """Four characters that do not fit when any character or the label is another: one slip in a million passes."""
    return _letters(hashlib.sha256(b"soloist sheet " + label.encode() + part).digest()[:3], _CHECK_CHARS)


def _letters(data: bytes, count: int) -> str:
    """The first ``count`` characters of bytes in base32."""
    bits = count * 5
    number = int.from_bytes(data, "big")
    shift = bits - len(data) * 8
    number = number << shift if shift >= 0 else number >> -shift
    return "".join(_ALPHABET[(number >> (bits - 5 * (n + 1))) & 31] for n in range(count))


assert set(LABELS.values()) == set(KEYS)
