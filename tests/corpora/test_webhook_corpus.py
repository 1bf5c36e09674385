"""Every line of the webhook signature corpus: good ones pass, forged, old and altered ones do not."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from soloist.web.signatures import verified

pytestmark = pytest.mark.corpora
SCHEMES = {"standard-webhooks": "standard", "stripe": "stripe", "github": "github"}


def test_every_signature_is_judged_right(corpora: Path) -> None:
    lines = (corpora / "security" / "webhook_signatures.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines if line.strip()]
    wrong = [row for row in rows if _accepted(row) != row["accept"]]
    print(f"\nsignatures {len(rows)}, judged wrong {len(wrong)}")
    assert not wrong


def _accepted(row: dict[str, object]) -> bool:
    """Whether our check lets a row in."""
    secrets = row["secret"] if isinstance(row["secret"], list) else [row["secret"]]
    headers = {str(k).lower(): str(v) for k, v in dict(row["headers"]).items()}  # type: ignore[call-overload]  # JSON
    body = base64.b64decode(str(row["body_b64"]))
    return bool(verified(SCHEMES[str(row["scheme"])], secrets, headers, body, now=float(str(row["now"]))))
