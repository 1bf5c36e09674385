"""Commands about the work itself: inbox, approve, reject, why, runs, records, search."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from soloist.cli.common import FAULT, USAGE, DatabaseOption, HomeOption, JsonOption, interactive, opened, show

CardArgument = Annotated[str, typer.Argument(metavar="ID", help="Id of the card or proposal, or how it begins.")]
CardsArgument = Annotated[list[str], typer.Argument(metavar="ID...", help="Ids of cards or proposals.")]
YesOption = Annotated[bool, typer.Option("--yes", help="Do not ask again after the content was shown.")]


def inbox(
    ident: Annotated[str, typer.Argument(metavar="[ID]", help="One card in full.")] = "",
    home: HomeOption = None,
    database: DatabaseOption = "",
    as_json: JsonOption = False,
) -> None:
    """Cards that wait for you; with an id, one card in full."""
    from soloist.insight import brief

    with opened(home, database) as app:
        if ident:
            card = app.store.read_now(lambda conn: brief.card(conn, ident))
            show(card, as_json, _card_text(card))
            return
        cards = app.store.read_now(brief.open_cards)
    lines = [f"{card['id'][:13]}  {card['type']:<16} {card['title']}" for card in cards]
    show(cards, as_json, "\n".join(lines) or "Nothing needs you.")


def approve(
    idents: CardsArgument,
    *,
    home: HomeOption = None,
    database: DatabaseOption = "",
    yes: YesOption = False,
    option: Annotated[str, typer.Option(help="Another option of the card than approve.")] = "approve",
    body: Annotated[str, typer.Option(help="File with the text that replaces the body of the mail.")] = "",
) -> None:
    """Show a card in full, then approve it (or take another of its options); several one after the other."""
    edits: dict[str, Any] = {}
    if body and len(idents) > 1:
        typer.echo("soloist: --body changes one card; name one.", err=True)
        raise typer.Exit(USAGE)
    if body:
        from pathlib import Path

        edits = {"body": Path(body).read_text(encoding="utf-8")}
    failed = 0
    for ident in idents:
        try:
            _decide(ident, option, home, database, yes=yes, edits=edits, reason="")
        except typer.Exit as ended:  # one that changed or is decided is said; the others are shown all the same
            failed = failed or ended.exit_code
    if failed:
        raise typer.Exit(failed)


def reject(
    ident: CardArgument,
    home: HomeOption = None,
    database: DatabaseOption = "",
    yes: YesOption = False,
    reason: Annotated[str, typer.Option(help="Why; kept with the proposal.")] = "",
) -> None:
    """Show a card in full, then reject it; nothing is sent."""
    _decide(ident, "reject", home, database, yes=yes, edits={}, reason=reason)


def _decide(
    ident: str, option: str, home: Any, database: str, *, yes: bool, edits: dict[str, Any], reason: str
) -> None:
    """Decide on exactly the content that was printed."""
    import asyncio

    from soloist.insight import brief

    with opened(home, database) as app:
        card = app.store.read_now(lambda conn: brief.card(conn, ident))
        typer.echo(_card_text({**card, "content": {**card["content"], **edits}}))
        if not yes and not (interactive() and typer.confirm(f"{option}?")):
            typer.echo(
                "Nothing was decided." if interactive() else "soloist: add --yes to decide without a terminal.",
                err=True,
            )
            raise typer.Exit(FAULT)
        result = asyncio.run(
            app.desk.decide_card(
                card["id"],
                option,
                digest=card["payload_hash"],
                who="operator",
                via="terminal",
                edits=edits or None,
                reason=reason,
            )
        )
    typer.echo(f"{option}: done ({result.get('state', 'done')}).")


def _card_text(card: dict[str, Any]) -> str:
    """A card as a person reads it: nothing of the content is left out."""
    content = card["content"]
    lines = [f"{card['title']}  [{card['type']}, {card['state']}]", card["why"], ""]
    for name, value in content.items():
        lines.append(f"{name}: {value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}")
    lines += ["", *(f"{o['name']}: {o['consequence']}" for o in card["options"] or [])]
    if card["deadline"]:
        lines.append(f"Until {card['deadline'][:16]}: {card['at_expiry']}")
    return "\n".join(lines)


def undo(
    ident: CardArgument,
    *,
    home: HomeOption = None,
    database: DatabaseOption = "",
    bundle: Annotated[bool, typer.Option("--bundle", help="Everything that was proposed together with it.")] = False,
    yes: YesOption = False,
) -> None:
    """Take back what was done: by its way back, by a counter-entry, or by a letter; what it is, is said first."""
    import asyncio

    from soloist.insight import explanation

    with opened(home, database) as app:
        found = app.store.read_now(lambda conn: explanation.page(conn, ident, app.settings.business.timezone))
        typer.echo(f"{found.title}\n{found.happened}\nWay back: {found.way_back}")
        if not yes and not (interactive() and typer.confirm("Take the whole bundle back?" if bundle else "Go on?")):
            typer.echo("Nothing was done.", err=True)
            raise typer.Exit(FAULT)
        proposal = app.store.read_now(lambda conn: explanation.proposal_of(conn, found.id))
        done = asyncio.run(app.desk.undo_proposal(proposal, who="operator", bundle=bundle))
    waits = " A card waits for your word." if done.get("proposal") and done.get("kind", "") != "exact" else ""
    typer.echo(f"{done.get('state', 'taken back')}.{waits}")


def why(
    ident: CardArgument, home: HomeOption = None, database: DatabaseOption = "", as_json: JsonOption = False
) -> None:
    """Explain a proposal, effect, card or run from stored data only."""
    from dataclasses import asdict

    from soloist.insight import explanation

    with opened(home, database) as app:
        zone = app.settings.business.timezone
        found = asdict(app.store.read_now(lambda conn: explanation.page(conn, ident, zone)))
    show(found, as_json, "\n".join(_why_lines(found)))


def _why_lines(page: dict[str, Any]) -> list[str]:
    """The explanation as lines: headings and what stands below them; empty parts are left out."""
    lines = [page["title"], page["happened"], ""]
    for name in ("who", "knew", "rules", "reasons", "citations", "approvals", "sent", "attempts"):
        rows = [
            "  " + "  ".join(str(value) for key, value in row.items() if value and key != "href") for row in page[name]
        ]
        lines += [f"{name}:", *rows] if rows else []
    return [*lines, f"verdict: {page['verdict']}", f"way back: {page['way_back']}"]


def runs(
    ident: Annotated[str, typer.Argument(metavar="[ID]", help="One run with its steps.")] = "",
    home: HomeOption = None,
    database: DatabaseOption = "",
    as_json: JsonOption = False,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 30,
) -> None:
    """Runs, newest first; with an id, one run with the inputs and outputs of its steps."""
    from soloist.insight import brief

    with opened(home, database) as app:
        if ident:
            found: Any = app.store.read_now(lambda conn: brief.run(conn, ident))
            show(found, as_json, json.dumps(found, ensure_ascii=False, indent=2))
            return
        found = app.store.read_now(lambda conn: brief.newest_runs(conn, limit))
    show(found, as_json, "\n".join(f"{r['started'][:19]}  {r['state']:<8} {r['id']}  {r['note']}" for r in found))


def search(
    query: Annotated[str, typer.Argument(metavar="QUERY", help='Words, or a "phrase in quotes".')],
    home: HomeOption = None,
    database: DatabaseOption = "",
    as_json: JsonOption = False,
) -> None:
    """Look through people, enquiries, messages and cards."""
    import asyncio
    from dataclasses import asdict

    from soloist.flows.indexing import Indexing
    from soloist.insight import search as found_in

    with opened(home, database) as app:
        asyncio.run(Indexing(app.store).catch_up(within=60.0))
        page = app.store.read_now(lambda conn: found_in.page(conn, query))
    lines = []
    for group in page.groups:
        lines += ["", f"{group.title} ({group.total})"]
        for hit in group.hits:
            title, text = ("".join(piece.text for piece in part) for part in (hit.title, hit.text))
            ident = hit.href.rpartition("/")[2]
            lines += [f"  {hit.at[:10]}  {title}  [{hit.note}]  {ident}", *([f"              {text}"] if text else [])]
    show(asdict(page), as_json, "\n".join(lines[1:]) or "Nothing fits.")
