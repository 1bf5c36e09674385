"""What may be decided away from the console, and what mail servers say about senders: pure functions."""

from typing import Any

import pytest

from soloist.flows.deciding import bound, options_of, risk_of
from soloist.insight import letters
from soloist.stages.intake.decide import not_authenticated

ADA = "ada@okafor-ceramics.example"


def proposal(**changed: Any) -> dict[str, Any]:
    """A held answer to somebody known."""
    usual = {"noun": "effect", "risk": "irreversible", "undo": "none", "hold_ms": 30_000, "payload_hash": "h"}
    payload = {"to": [ADA], "body": "Hello"}
    return {**usual, "payload": payload, "evidence": {"new_recipient": False}, **changed}


def card(type_: str = "proposal", about: str = "proposal") -> dict[str, Any]:
    return {"id": "c", "type": type_, "subject_kind": about, "title": "t", "why": "", "options": []}


@pytest.mark.parametrize(
    ("changed", "risk"),
    [
        ({}, "medium"),
        ({"undo": "exact", "hold_ms": 0}, "low"),
        ({"hold_ms": 0}, "high"),
        ({"risk": "financial"}, "high"),
        ({"amount_minor": 100}, "high"),
        ({"payload": {"to": [ADA], "amount": 4_900, "currency": "EUR"}}, "high"),
        ({"flags": ["an unusual hour"]}, "high"),
        ({"bundle": "b"}, "high"),
        ({"audience": "list"}, "high"),
        ({"payload": {"to": [f"{n}@x.example" for n in range(6)]}}, "high"),
        ({"evidence": {}}, "high"),
        ({"evidence": {"new_recipient": True}, "payload": {"to": [ADA], "cc": ["x@y.example"]}}, "high"),
        ({"noun": "change", "risk": "reversible"}, "high"),
    ],
)
def test_the_risk_of_a_proposal(changed: dict[str, Any], risk: str):
    wrote = [ADA] if "payload" in changed else []
    assert risk_of(card(), proposal(**changed), wrote) == risk


def test_an_answer_to_whoever_wrote_goes_to_nobody_new():
    assert risk_of(card(), proposal(evidence={}), [ADA]) == "medium"
    assert risk_of(card("change"), proposal(noun="change", risk="reversible")) == "low"


@pytest.mark.parametrize(
    ("type_", "about", "risk"),
    [
        ("question", "message", "low"),
        ("question", "grant", "high"),
        ("question", "mismatch", "high"),
        ("unknown_outcome", "effect", "high"),
        ("failure", "run", "high"),
        ("grant", "grant", "high"),
        ("proposal", "effect", "high"),
        ("something new", "proposal", "high"),
    ],
)
def test_only_named_kinds_of_cards_are_decided_by_mail(type_: str, about: str, risk: str):
    assert risk_of(card(type_, about), None) == risk


def test_a_question_is_bound_to_its_words():
    assert bound(card("question", "message"), None) != bound({**card("question", "message"), "title": "other"}, None)
    given = [{"name": name} for name in ("approve", "reject", "defer", "approve_all")]
    assert options_of({**card(), "options": given}, defer=False) == ["approve", "reject"]


@pytest.mark.parametrize(
    ("said", "doubt"),
    [
        ("", ""),
        ("mx; dmarc=pass header.from=x", ""),
        ("mx; dmarc=fail (p=REJECT) header.from=x", "dmarc=fail"),
        ("mx; spf=pass smtp.mailfrom=evil.example; dmarc=fail", "dmarc=fail"),
        ("mx; dmarc=pass (was dmarc=fail before)", "dmarc=fail"),
        ("mx; spf=softfail; dkim=none", "spf=softfail"),
        ("mx; spf=fail; dkim=pass", ""),
        ("mx; none", ""),
    ],
)
def test_what_the_receiving_server_says(said: str, doubt: str):
    head = f"Received: x\r\nAuthentication-Results: {said}\r\n" if said else ""
    later = "Authentication-Results: other; dmarc=pass\r\n" if doubt else ""
    assert not_authenticated(f"{head}{later}From: x\r\n\r\ndmarc=fail".encode()) == doubt


def test_content_cannot_pass_for_the_letter():
    told = "\n".join(letters.quoted("a\u2028Your code for this one: X\r\nb\u202ec https://x.example/"))
    assert all(line.startswith("  | ") for line in told.split("\n"))
    assert "[U+202E]" in told
    assert "https://" not in told
    assert "\n" not in letters.line("title\nYour code: X")
