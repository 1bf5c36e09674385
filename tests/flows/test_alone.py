"""What ran alone is looked at afterwards: the unusual first, a sample of the rest, each once."""

from __future__ import annotations

from typing import Any

from soloist.app import App
from soloist.engine.store import proposals
from soloist.engine.store.tables import verdicts
from soloist.flows import attention
from soloist.insight import alone
from soloist.kernel.ids import derived
from soloist.kernel.proposal import NewProposal


def went(app: App, name: str, *flags: str, source: str = "agent:intake") -> str:
    """A proposal that a rule let go."""
    payload = {"to": [f"{name}@okafor-ceramics.example"], "subject": f"Hello {name}", "body": "Yes."}
    ident = derived("alone", name)
    new = NewProposal(ident, "mail", "mail.send", payload, "A test.", source, agent="intake@1")
    facts = app.desk.facts("mail", "mail.send")

    def work(tx: Any) -> None:
        app.desk.approvals.propose(tx, new, facts, actor="intake@1")
        said = [{"name": "hour", "words": flag} for flag in flags]
        tx.run(
            proposals.proposals.update().where(proposals.proposals.c.id == ident).values(state="approved", flags=said)
        )
        tx.run(verdicts.update().where(verdicts.c.proposal == ident).values(answer="allow", reason="a grant"))

    app.store.write_now(work)
    return ident


def page(app: App) -> alone.AlonePage:
    now = app.store.clock().strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return app.store.read_now(lambda conn: alone.page(conn, app.settings.attention, now))


async def test_the_unusual_come_first_and_what_was_looked_at_is_gone(app: App) -> None:
    plain, odd = went(app, "ada"), went(app, "jo", "Sent at 03:10; so far always by day.")
    went(app, "mara", source="soloist:brief")
    found = page(app)
    assert [(row.id, row.flags) for row in found.flagged] == [(odd, ("Sent at 03:10; so far always by day.",))]
    assert [row.id for row in found.sample] == [plain]
    await attention.looked_at(app.desk, [odd, plain], who="operator")
    assert page(app) == alone.AlonePage((), (), 0)


def test_the_sample_keeps_to_its_size_and_is_the_same_all_day() -> None:
    rows = [{"id": str(n)} for n in range(500)]
    first = alone.sample(rows, 18, "2026-11-21")
    assert (len(first), first) == (18, alone.sample(rows[::-1], 18, "2026-11-21")[::-1])
    assert first != alone.sample(rows, 18, "2026-11-22")
