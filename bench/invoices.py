"""Invoices: exact fields and coverage by set of the corpora, beside factur-x and invoice2data on the same files.

The peers are no dependencies: SOLOIST_INVOICE_PYTHON names the Python of an environment that has them. The folder comes
from SOLOIST_CORPORA.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from pathlib import Path
from typing import Any

from bench.figures import Figure
from soloist.plugins.skills import _invoice_text, _pdf
from soloist.plugins.skills._invoice import KINDS, minor
from soloist.plugins.skills.read_invoice import read_invoice
from tests.corpora import invoicing

INSTALL = (
    "factur-x and invoice2data are not here: python -m venv V && V/bin/pip install factur-x invoice2data pypdfium2,"
    " then SOLOIST_INVOICE_PYTHON=V/bin/python"
)
AIMS = {"papers with XML beside": ">= 0.85", "invoice2data": ">= 0.85"}


def run() -> list[Figure]:
    """Ours always, the peers where they are; nothing without the corpora."""
    corpora = Path(os.environ.get("SOLOIST_CORPORA", "../shared/data"))
    if not (corpora / "corpora/invoices").is_dir():
        print(f"There are no invoices in {corpora}; SOLOIST_CORPORA names the folder.")
        return []
    begun = time.process_time()
    ours = invoicing.measured(corpora, _whole, _paper)
    seconds = time.process_time() - begun
    files = len([path for path in (corpora / "corpora/invoices").rglob("*.*") if path.suffix in (".pdf", ".xml")])
    figures = [
        figure for name, counts in ours.items() for figure in _figures(name, "ours", counts, AIMS.get(name, ">= 1.0"))
    ]
    figures.append(Figure("invoices: CPU, ours", 1000 * seconds / files, "ms/file", "< 60"))
    python = os.environ.get("SOLOIST_INVOICE_PYTHON", "")
    if not python:
        print(INSTALL)
        return figures
    return figures + _beside(corpora, python)


def _figures(name: str, who: str, counts: invoicing.Counts, aim: str = "") -> list[Figure]:
    note = f"{counts.labels} fields, coverage {counts.coverage:.1%}, answers right {counts.accuracy:.1%}"
    return [Figure(f"invoices, {name}: exact fields, {who}", counts.exact, "", aim, note)]


def _whole(path: Path) -> dict[str, Any]:
    return invoicing.flat(read_invoice.call({}, path.read_bytes())["invoice"])


def _paper(path: Path) -> dict[str, Any]:
    """The words alone, as if no XML were there."""
    if path.suffix == ".txt":
        return invoicing.flat(read_invoice.call({"text": path.read_text(encoding="utf-8")}, b"")["invoice"])
    pages = _pdf.read(path.read_bytes(), layout=True).pages
    return invoicing.flat(_invoice_text.read("\n\n".join(pages)).model_dump(mode="json"))


def _beside(corpora: Path, python: str) -> list[Figure]:
    """The peers' figures on the same files and labels."""
    command = [python, str(Path(__file__).with_name("invoice_peer.py")), str(corpora / "corpora/invoices")]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, timeout=150)
    peers = json.loads(done.stdout.splitlines()[-1])
    figures: list[Figure] = []
    xml = invoicing.measured(corpora, lambda path: _theirs(peers["factur-x"].get(path.name, {})), lambda _: {})
    for name in invoicing.SETS:
        figures += _figures(name, "factur-x", xml[name])
    for peer in ("invoice2data", "invoice2data, unknown supplier"):
        found = {name: invoicing.supplied(fields) for name, fields in peers[peer].items()}
        counts = invoicing.measured(corpora, lambda _: {}, lambda path, found=found: found.get(path.name, {}))
        for name in AIMS:
            figures += _figures(name, peer, counts[name])
    seconds = peers["seconds"]
    return figures + [
        Figure(f"invoices: CPU, {name}", 1000 * spent / max(1, len(peers[name])), "ms/file")
        for name, spent in seconds.items()
    ]


def _theirs(raw: dict[str, Any]) -> dict[str, Any]:
    """factur-x's fields as they are labelled."""
    currency = raw.get("currency", "")
    found = {key: value for key, value in raw.items() if key != "type"}
    found |= {key: minor(str(raw[key]), currency) for key in ("net", "tax", "gross", "payable") if key in raw}
    kind = KINDS.get(str(raw.get("type", "")))
    found |= {"kind": kind} if kind else {}
    if "lines" in raw:
        found["lines"] = [minor(str(one), currency) for one in raw["lines"]]
    return found
