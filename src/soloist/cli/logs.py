"""Where the server writes its log: JSON lines in the home, rotated, words to the terminal; it logs nothing itself."""

from __future__ import annotations

import logging
from logging.handlers import RotatingFileHandler
from pathlib import Path

import structlog

MOST_BYTES = 5 * 1024 * 1024
KEPT = 5


def begin(folder: Path, name: str = "soloist.log") -> None:
    """Send records of ``soloist.*`` to ``folder/name`` (at most 30 MB in all) and warnings to the terminal."""
    steps: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    file = RotatingFileHandler(folder / name, maxBytes=MOST_BYTES, backupCount=KEPT, encoding="utf-8")
    file.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*steps, structlog.processors.format_exc_info],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(ensure_ascii=False),
            ],
        )
    )
    terminal = logging.StreamHandler()
    terminal.setLevel(logging.WARNING)
    terminal.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))
    root = logging.getLogger("soloist")
    root.handlers = [file, terminal]
    root.setLevel(logging.INFO)
    root.propagate = False
