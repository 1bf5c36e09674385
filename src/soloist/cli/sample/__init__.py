"""The invented sample company Studio Linde as files for a home folder; it starts nothing and sends nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

HERE = Path(__file__).parent
"""Folder of the sample files: soloist.toml, model.toml, house-book.md, mail/*.eml."""

_TOKEN = re.compile(r"\{\{(date|day):([+-]\d+)([mhdw])\}\}")
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def mails() -> Iterator[Path]:
    """The sample mails with their date tokens, in the order in which they arrive."""
    return iter(sorted((HERE / "mail").glob("*.eml")))


def render(text: str, now: datetime) -> str:
    """Fill ``{{date:-2h}}`` (a Date header) and ``{{day:+3w}}`` (25 December 2026) from an aware instant."""

    def fill(token: re.Match[str]) -> str:
        at = now + timedelta(**{_UNITS[token[3]]: int(token[2])})
        return format_datetime(at) if token[1] == "date" else f"{at.day} {at:%B %Y}"

    return _TOKEN.sub(fill, text)


def speak(home: Path) -> None:
    """Let the sample company have a model: the hand-written answers of ``model.toml``, added to its soloist.toml."""
    path, more = home / "soloist.toml", (HERE / "model.toml").read_text(encoding="utf-8")
    path.write_text(f"{path.read_text(encoding='utf-8')}\n{more}", encoding="utf-8")


def write_into(home: Path, now: datetime) -> list[Path]:
    """Write the sample company into a home folder and return what was written.

    ``now`` is an aware instant; the mails date from the days before it. An existing file is kept as it is, and a mail
    that has already been taken in is not put there again.
    """
    if now.tzinfo is None:
        raise ValueError("now: give an instant with its time zone")
    inbox = home / "mail" / "in"
    for part in ("new", "cur", "tmp"):
        (inbox / part).mkdir(parents=True, exist_ok=True)
    plan = {home / name: (HERE / name).read_bytes() for name in ("soloist.toml", "house-book.md")}
    for number, path in enumerate(mails(), 1):
        name = f"sample.{number:02d}.studio-linde"
        if not any((inbox / "cur").glob(f"{name}*")):
            plan[inbox / "new" / name] = render(path.read_text(encoding="utf-8"), now).encode()
    written = [path for path in plan if not path.exists()]
    for path in written:
        path.write_bytes(plan[path])
    return written
