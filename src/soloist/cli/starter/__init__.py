"""The files a new home gets at set-up: a commented soloist.toml and a house book to fill in; it overwrites nothing."""

from __future__ import annotations

import json
from pathlib import Path

HERE = Path(__file__).parent
"""Folder of the starter files, with @BUSINESS@, @TIMEZONE@ and @LANGUAGE@ where answers go."""

FILES = ("soloist.toml", "house-book.md")


def write_into(home: Path, *, business: str, timezone: str, language: str) -> list[Path]:
    """Write the starter files that are not there yet and return them; existing files are never touched.

    ``timezone`` is an IANA name ("Europe/Berlin"), ``language`` a two-letter code ("de").
    """
    home.mkdir(parents=True, exist_ok=True)
    title = " ".join(business.split()) or "My company"
    written = []
    for name in FILES:
        text = (HERE / name).read_text(encoding="utf-8")
        for mark, answer in (("@BUSINESS@", title), ("@TIMEZONE@", timezone), ("@LANGUAGE@", language)):
            text = text.replace(mark, _quoted(answer) if name.endswith(".toml") else answer)
        try:
            with (home / name).open("x", encoding="utf-8", newline="\n") as file:
                file.write(text)
        except FileExistsError:
            continue
        written.append(home / name)
    return written


def _quoted(text: str) -> str:
    """A TOML basic string; JSON's escapes are a subset of TOML's, save for DEL."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
