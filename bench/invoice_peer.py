"""The child of bench.invoices: reads invoices with factur-x and invoice2data in an environment of theirs; no judge.

Arguments: the folder of invoices. Output: one JSON object with flat fields by library and file, and CPU seconds.
"""

from __future__ import annotations

import json
import logging
import sys
import time
from datetime import datetime
from pathlib import Path
from typing import Any

logging.disable(logging.CRITICAL)
PLACES = {"number": "BT-1", "issued": "BT-2", "due": "BT-9", "currency": "BT-5", "order": "BT-13", "reference": "BT-83",
          "iban": "BT-84", "bic": "BT-86", "type": "BT-3"}  # fmt: skip
SUMS = {"net": "BT-109", "tax": "BT-110", "gross": "BT-112", "payable": "BT-115"}
PARTY = {"": "name", "_vat": "vat_identifier", "_tax": "tax_identifier", "_street": "addr_l1"}


def electronic(path: Path) -> dict[str, Any]:
    """What factur-x reads, by our names; amounts stay decimals as text."""
    import facturx

    data = path.read_bytes()
    if path.suffix == ".pdf":
        _, data = facturx.get_xml_from_pdf(data, check_xsd=False)
        if not data:
            return {}
    raw = facturx.parse_ubl_cii_xml(data, check_xsd=False)
    found = {ours: raw.get(theirs) for ours, theirs in (PLACES | SUMS).items()}
    for who, group in (("seller", "BG-4"), ("buyer", "BG-7")):
        party = raw.get(group, {})
        names = PARTY | {"_postcode": "postcode", "_city": "city"}
        found |= {who + end: party.get(name) for end, name in names.items()}
    found["lines"] = [line["BT-131"] for line in raw.get("BG-25", []) if "BT-131" in line] or None
    return {key: value for key, value in found.items() if value not in (None, "")}


def supplied(path: Path, templates: list[Any]) -> dict[str, Any]:
    """What invoice2data reads with its templates."""
    from invoice2data import extract_data

    found = extract_data(str(path), templates=templates) or {}
    return {key: value.isoformat() if isinstance(value, datetime) else value for key, value in found.items()}


def main(folder: Path) -> None:
    """Every file with the library that claims to read it; a file a library fails on has no fields."""
    from invoice2data.extract.loader import read_templates

    templates = read_templates()
    out: dict[str, Any] = {"factur-x": {}, "invoice2data": {}, "invoice2data, unknown supplier": {}, "seconds": {}}
    files = sorted(path for path in folder.rglob("*.*") if path.suffix in (".pdf", ".xml", ".txt"))
    jobs = [
        ("factur-x", [path for path in files if path.suffix != ".txt"], electronic),
        ("invoice2data", [path for path in files if path.suffix != ".xml"], lambda path: supplied(path, templates)),
    ]
    for name, chosen, job in jobs:
        begun = time.process_time()
        for path in chosen:
            try:
                out[name][path.name] = job(path)
            except Exception:  # a peer may raise anything; the file then counts as not read
                out[name][path.name] = {}
        out["seconds"][name] = time.process_time() - begun
    for name, fields in out["invoice2data"].items():
        others = [one for one in templates if one.get("template_name") != fields.get("template_name")]
        path = next(one for one in files if one.name == name)
        out["invoice2data, unknown supplier"][name] = supplied(path, others)
    print(json.dumps(out, default=str))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
