"""The invented development messages: how many are read right, and what must never happen."""

from __future__ import annotations

import json
import time
from collections import Counter
from functools import cache
from pathlib import Path

from soloist.plugins.skills.understand import understand

FILE = Path(__file__).parent / "messages_dev.jsonl"
AT = {"now": "2026-11-21T10:00:00+00:00", "timezone": "Europe/Berlin", "currency": "EUR", "phone_region": "DE"}
UNWANTED = {"bulk", "automatic", "spam"}


@cache
def read():
    pairs = []
    for line in FILE.read_text(encoding="utf-8").splitlines():
        message = json.loads(line)
        expect = message.pop("expect")
        pairs.append((expect, understand.call({**message, **AT})))
    return pairs


def test_accuracy_by_kind():
    total, right = Counter(), Counter()
    for expect, got in read():
        total[expect["kind"]] += 1
        right[expect["kind"]] += expect["kind"] == got["kind"]
    print("\n" + "  ".join(f"{kind} {right[kind]}/{total[kind]}" for kind in total))
    assert total.total() >= 80
    assert right.total() / total.total() >= 0.95


def test_lead_recall():
    leads = [got["kind"] == "enquiry" for expect, got in read() if expect["kind"] == "enquiry"]
    print(f"\nlead recall {sum(leads)}/{len(leads)}")
    assert sum(leads) / len(leads) >= 0.95


def test_unwanted_mail_is_hardly_ever_called_an_enquiry():
    wrong = [got["kind"] == "enquiry" for expect, got in read() if expect["kind"] in UNWANTED]
    print(f"\nunwanted called enquiry {sum(wrong)}/{len(wrong)}")
    assert sum(wrong) / len(wrong) <= 0.02


def test_fields():
    faults = [fault for expect, got in read() for fault in field_faults(expect, got)]
    assert faults == []


def field_faults(expect, got):
    budgets = [[b["low"]["minor"], b["high"]["minor"], b["low"]["currency"]] for b in got["budgets"]]
    if ([expect["budget"]] if "budget" in expect else []) != budgets:
        yield got["own_text"], budgets
    if "day" in expect and expect["day"] not in [item["day"] for item in got["dates"]]:
        yield got["own_text"], got["dates"]
    if "phone" in expect and expect["phone"] not in [item["e164"] for item in got["contact"]["phones"]]:
        yield got["own_text"], got["contact"]
    if "company" in expect and expect["company"] != got["contact"]["company"]:
        yield got["own_text"], got["contact"]
    if "language" in expect and expect["language"] != got["language"]:
        yield got["own_text"], got["language"]


def test_every_decided_kind_names_its_rule():
    assert all(got["kind_rule"] for _, got in read())


def test_time_per_message():
    read()
    messages = [json.loads(line) for line in FILE.read_text(encoding="utf-8").splitlines()]
    started = time.process_time()
    for message in messages:
        message.pop("expect")
        understand.call({**message, **AT})
    spent = (time.process_time() - started) * 1000 / len(messages)
    print(f"\n{spent:.1f} CPU ms a message")
    assert spent < 40
