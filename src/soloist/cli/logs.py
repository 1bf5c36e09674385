"""The server's log: JSON lines in the home that are rotated and redacted, words to the terminal, and how to read them.

It logs nothing itself. All files together stay under ``SOLOIST_LOG_BYTES`` times ``SOLOIST_LOG_FILES`` (10 MB x 5).
"""

from __future__ import annotations

import contextlib
import io
import json
import logging
import os
import re
import time
from collections import deque
from collections.abc import Iterator, MutableMapping
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Annotated, Any

import typer

from soloist.cli.common import FAULT, HomeOption, JsonOption, home_of

MOST_BYTES, KEPT = 10 * 1024 * 1024, 5
"""Size of one file, and how many there are, the newest included."""
LONGEST = 32 * 1024
"""Characters of one line; the rest of a longer one is cut."""
SERVICE_LOG = "launchd.log"
"""What a service manager without a journal of its own writes; nobody else rotates it."""
EVERY = 0.3
"""Seconds between two looks of ``--follow``."""

LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40, "critical": 50}
HIDDEN = "[hidden]"
_NAMES = r"[a-z0-9_-]*(?:password|passwd|secret|token|authorization|api[_-]?key|cookie|csrf)[a-z0-9_-]*"
_SECRETS = [
    (re.compile(rf'("{_NAMES}"\s*:\s*)"(?:[^"\\]|\\.)*"', re.IGNORECASE), rf'\1"{HIDDEN}"'),
    (re.compile(rf'(\\"{_NAMES}\\"\s*:\s*)\\"(?:(?!\\").)*\\"', re.IGNORECASE), rf'\1\\"{HIDDEN}\\"'),
    (re.compile(r"\b(bearer|basic|xoauth2)\s+[a-z0-9+/._~=-]{8,}", re.IGNORECASE), rf"\1 {HIDDEN}"),
    (re.compile(rf"\b({_NAMES})=[^\s&;,'\"\\]+", re.IGNORECASE), rf"\1={HIDDEN}"),
    (re.compile(r"(://[^/\s:@\"]*:)[^/\s@\"]+@"), rf"\1{HIDDEN}@"),
    (re.compile(r"\b(solo_|whsec_|sk-|sk_live_|sk_test_|ghp_|xox[bp]-)[A-Za-z0-9_+/=-]{8,}"), rf"\1{HIDDEN}"),
    (re.compile(r"(/welcome/)[A-Za-z0-9_-]{8,}"), rf"\1{HIDDEN}"),
]


def redact(text: str) -> str:
    """The text without what looks like a password, a token, a key or a one-time link."""
    for pattern, instead in _SECRETS:
        text = pattern.sub(instead, text)
    return text


class Redacting(logging.Formatter):
    """Another formatter's text without its secrets, cut to one line of bounded length."""

    def __init__(self, inner: logging.Formatter) -> None:
        """``inner`` makes the text."""
        super().__init__()
        self._inner = inner

    def format(self, record: logging.LogRecord) -> str:
        """The line to write; what this process has opened is looked for before a cut could leave half of it."""
        from soloist.engine.vault import kept_out, opened

        return redact(str(kept_out(self._inner.format(record), opened()))[:LONGEST])


class Bounded(RotatingFileHandler):
    """A rotated file that survives a full disk: lines are lost then, and how many is said when there is room again."""

    lost = 0

    def emit(self, record: logging.LogRecord) -> None:
        """Write the line, or count it as lost."""
        try:
            line = self.format(record)
            if self._opened().tell() + len(line.encode("utf-8", "replace")) >= self.maxBytes:
                self.doRollover()
            if self.lost:
                self._put(json.dumps({"event": f"{self.lost} lines were lost here: the disk was full"}))
                self.lost = 0
            self._put(line)
        except (OSError, ValueError):
            self.lost += 1
            self._let_go()

    def _opened(self) -> io.TextIOWrapper:
        if self.stream is None:
            self.stream = self._open()
        return self.stream

    def _put(self, line: str) -> None:
        stream = self._opened()
        stream.write(line + self.terminator)
        stream.flush()

    def _let_go(self) -> None:
        """Close without writing what is still buffered: it is what did not fit."""
        stream, self.stream = self.stream, None
        if stream is not None:
            with contextlib.suppress(OSError, ValueError, io.UnsupportedOperation):
                os.close(stream.fileno())
            with contextlib.suppress(OSError, ValueError):
                stream.close()


def _limit(name: str, default: int, least: int) -> int:
    """A limit from the environment; nonsense counts as not said."""
    try:
        return max(least, int(os.environ[name]))
    except (KeyError, ValueError):
        return default


def begin(folder: Path, name: str = "soloist.log") -> None:
    """Send records of ``soloist.*`` to ``folder/name`` and warnings to the terminal."""
    import structlog

    steps: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    rendered = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[*steps, structlog.processors.format_exc_info],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            _shorter,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
    )
    most, kept = _limit("SOLOIST_LOG_BYTES", MOST_BYTES, LONGEST), _limit("SOLOIST_LOG_FILES", KEPT, 2)
    file = Bounded(folder / name, maxBytes=most, backupCount=kept - 1, encoding="utf-8", delay=True, errors="replace")
    file.setFormatter(Redacting(rendered))
    terminal = logging.StreamHandler()
    terminal.setLevel(logging.WARNING)
    terminal.setFormatter(Redacting(logging.Formatter("%(levelname)s %(name)s: %(message)s")))
    root = logging.getLogger("soloist")
    root.handlers = [file, terminal]
    root.setLevel(logging.INFO)
    root.propagate = False
    _cut(folder / SERVICE_LOG, most)


def _shorter(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Long texts are cut before they become JSON, so that each line stays JSON."""
    for key, value in event.items():
        if isinstance(value, str) and len(value) > LONGEST // 4:
            event[key] = value[: LONGEST // 8] + " ... " + value[-LONGEST // 8 :]
    return event


def _cut(path: Path, most: int) -> None:
    """Begin a file anew that only ever grows."""
    with contextlib.suppress(OSError):
        if path.stat().st_size > most:
            os.truncate(path, 0)


# ----- reading


def logs(
    home: HomeOption = None,
    *,
    level: Annotated[str, typer.Option(help="debug, info, warning, error or critical, and above.")] = "info",
    lines: Annotated[int, typer.Option(min=0, max=100_000, help="How many of the newest lines.")] = 100,
    follow: Annotated[bool, typer.Option("--follow", help="Go on with what is written from now on.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Show what the server and its workers logged."""
    folder = home_of(home) / "logs"
    least = LEVELS.get(level.lower())
    if least is None:
        typer.echo(f"soloist: --level {level}: one of {', '.join(LEVELS)}.", err=True)
        raise typer.Exit(FAULT)
    if not folder.is_dir():
        typer.echo(f"soloist: there are no logs in {folder} yet. Start with: soloist up", err=True)
        raise typer.Exit(FAULT)
    places = {path: path.stat().st_size for path in _current(folder)}
    newest = deque((row for row in _written(folder) if _weight(row) >= least), maxlen=lines)
    for row in sorted(newest, key=lambda row: str(row.get("timestamp", ""))):
        typer.echo(_line(row, as_json))
    with contextlib.suppress(KeyboardInterrupt):
        while follow:
            time.sleep(EVERY)
            for row in _added(folder, places):
                if _weight(row) >= least:
                    typer.echo(_line(row, as_json))


def _current(folder: Path) -> list[Path]:
    """The files that are written now."""
    return sorted(path for path in folder.glob("*.log") if path.name != SERVICE_LOG)


def _written(folder: Path) -> Iterator[dict[str, Any]]:
    """Every line there is; of each process oldest first."""
    for path in _current(folder):
        older = [beside for beside in folder.glob(f"{path.name}.*") if beside.suffix[1:].isdigit()]
        for file in (*sorted(older, key=lambda one: -int(one.suffix[1:])), path):
            with contextlib.suppress(OSError), file.open(encoding="utf-8", errors="replace") as opened:
                yield from map(_row, opened)


def _added(folder: Path, places: dict[Path, int]) -> Iterator[dict[str, Any]]:
    """What was written since the last look; a file that became shorter was begun anew."""
    for path in _current(folder):
        with contextlib.suppress(OSError), path.open("rb") as opened:
            if places.get(path, 0) > path.stat().st_size:
                places[path] = 0
            opened.seek(places.get(path, 0))
            whole, newline, _ = opened.read().rpartition(b"\n")
            places[path] = places.get(path, 0) + len(whole) + len(newline)
            yield from (_row(line.decode("utf-8", "replace")) for line in whole.splitlines())


def _row(text: str) -> dict[str, Any]:
    """A line as a table; one that was cut in the middle as its text."""
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    return found if isinstance(found, dict) else {"event": text.strip()}


def _weight(row: dict[str, Any]) -> int:
    return LEVELS.get(str(row.get("level", "")), LEVELS["critical"])


def _line(row: dict[str, Any], as_json: bool) -> str:
    """A row for a program or for a person; nothing in it can steer the terminal."""
    if as_json:
        return json.dumps(row, ensure_ascii=False)
    rest = {k: v for k, v in row.items() if k not in ("timestamp", "level", "logger", "event", "exception")}
    more = "".join(f" {key}={value}" for key, value in rest.items())
    head = f"{str(row.get('timestamp', ''))[:19]:19} {row.get('level', ''):8} {row.get('event', '')}{more}"
    text = head + (f"\n{row['exception']}" if row.get("exception") else "")
    return "".join(sign if sign.isprintable() or sign == "\n" else "?" for sign in text)
