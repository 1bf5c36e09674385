"""Bounces of sixty kinds of mail servers: who was not reached and why, against labels that a person checked.

bounces.json holds for every file its recipients with the status of the reason ("" where no words tell one).
"""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from soloist.plugins.skills.bounce import bounce

pytestmark = pytest.mark.corpora

LABELS = json.loads((Path(__file__).parent / "bounces.json").read_text("utf-8"))


def wrong(name: str, raw: bytes) -> str:
    told = bounce.call({}, raw)["recipients"]
    found = sorted((one["address"].lower(), one["status"]) for one in told)
    expected = sorted((address.lower(), status) for address, status in LABELS[name])
    mute = [one["address"] for one in told if len(one["reason"]) < 5]
    return "" if found == expected and not mute else f"{name}: {found} instead of {expected} {mute}"


def test_recipient_and_reason_of_bounces(corpora: Path):
    files = [file for file in sorted((corpora / "corpora/email/bounces").glob("*.eml")) if file.stem in LABELS]
    started = time.process_time()
    faults = [line for line in (wrong(file.stem, file.read_bytes()) for file in files) if line]
    spent = (time.process_time() - started) * 1000 / len(files)
    rate = 1 - len(faults) / len(files)
    print(
        f"\nbounces: {len(files)} mails, {rate:.1%} with recipient and reason right, {spent:.1f} ms",
        *faults,
        sep="\n  ",
    )
    assert len(files) >= 200
    assert rate >= 0.98


def test_the_mail_a_bounce_is_about_is_found(corpora: Path):
    folder = corpora / "corpora/email/bounces"
    raws = [file.read_bytes() for file in sorted(folder.glob("*.eml")) if LABELS.get(file.stem)]
    telling = [raw for raw in raws if raw.lower().count(b"\nmessage-id:") > 1]
    found = sum(bool(bounce.call({}, raw)["original_message_id"]) for raw in telling)
    print(f"\nbounces: {found} of {len(telling)} that hold the id of the original name it")
    assert found / len(telling) >= 0.98


def test_mail_that_is_no_bounce_names_nobody(corpora: Path):
    raw = (corpora / "corpora/email/bounces_err/not__is-not-bounce-01.eml").read_bytes()
    assert bounce.call({}, raw)["recipients"] == []
