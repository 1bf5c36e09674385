"""Pure decisions of memory: which records and messages go into a context, and the hash that names it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from soloist.kernel.hashing import json_hash

MESSAGES = 12
"""Messages of a thread that a context holds, the newest."""


def context_row(
    record_rows: Sequence[Mapping[str, Any]], thread: Sequence[Mapping[str, Any]], house_book: str, seq: int
) -> dict[str, Any]:
    """The stored context: pointers and versions, never texts; ``hash`` names exactly this selection."""
    row = {
        "records": [
            {"id": r["id"], "kind": r["kind"], "version": r["version"], "title": r["title"]} for r in record_rows
        ],
        "messages": [{"id": m["id"], "direction": m["direction"], "at": m["at"]} for m in thread],
        "house_book": house_book,
        "parameters": {"messages": MESSAGES, "as_of_seq": seq, "method": "thread and identity"},
    }
    return {**row, "hash": json_hash(row)}
