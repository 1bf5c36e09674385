"""Commands about what is remembered: ask it, show it, ask the same again, and how far the vectors are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from soloist.cli.common import FAULT, DatabaseOption, HomeOption, JsonOption, opened, show

if TYPE_CHECKING:
    from soloist.app import App

memory = typer.Typer(help="What is remembered: ask it, show it, ask the same again.", no_args_is_help=True)
IdArgument = Annotated[str, typer.Argument(metavar="ID", help="Id of an item.")]


@memory.command()
def search(
    query: Annotated[str, typer.Argument(metavar="QUERY", help="A question, or words.")],
    *,
    k: Annotated[int, typer.Option("--k", min=1, max=1000, help="How many answers.")] = 10,
    scope: Annotated[list[str] | None, typer.Option("--scope", help="Only what belongs to it; several times.")] = None,
    tier: Annotated[list[str] | None, typer.Option("--tier", help="Only this tier; several times.")] = None,
    about: Annotated[str, typer.Option("--about", help="Only about this person or company: name or id.")] = "",
    as_of: Annotated[str, typer.Option("--as-of", help="As it was: an instant, or the number of an event.")] = "",
    words_only: Annotated[bool, typer.Option("--words-only", help="Without meaning.")] = False,
    home: HomeOption = None,
    database: DatabaseOption = "",
    as_json: JsonOption = False,
) -> None:
    """Ask memory; every question is kept and can be asked again exactly."""
    import asyncio
    from dataclasses import asdict

    from soloist.insight import memory as pages
    from soloist.stages.memory import Search

    with opened(home, database) as app:
        record = _whom(app, about) if about else ""
        asked = Search(
            query=query,
            k=k,
            scopes=tuple(scope or ()),
            tiers=tuple(tier or ()),
            records=tuple(app.store.read_now(lambda conn: pages.family(conn, record))) if record else (),
            as_of=as_of,
            meaning=not words_only,
            actor="operator",
        )
        found = asdict(asyncio.run(app.desk.memory.search(asked)))
    lines = [line for place, hit in enumerate(found["items"], 1) for line in _hit(place, hit)]
    lines = lines or ["Nothing of it is remembered. Try other words, or leave the filters out."]
    told = [*found["notes"], f"{found['mode']}, {found['rows']} looked through, as of event {found['seq']}"]
    answer = {"retrieval": found.pop("id"), **found}
    show(answer, as_json, "\n".join([*lines, "", *told, f"again: soloist memory replay {answer['retrieval']}"]))


def _hit(place: int, hit: dict[str, Any]) -> list[str]:
    """One answer as two lines: what it says, and where it is from with the parts of its score."""
    text = " ".join(str(hit["text"]).split())
    parts = " ".join(f"{name} {value / 1_000_000:+.2f}" for name, value in hit["parts"].items())
    source = ", ".join(part for part in (str(hit["at"])[:10], hit["actor"], hit["tier"], hit["trust"]) if part)
    return [
        f"{place:>3}  {hit['score'] / 1_000_000:.3f}  {text[:200]}{' …' if len(text) > 200 else ''}",
        f"            {source}  {hit['id']}  [{parts}]",
    ]


def _whom(app: App, name: str) -> str:
    """The one record that is meant by an id or a name; several or none are said, with 1."""
    from soloist.insight import memory as pages

    found = app.store.read_now(lambda conn: pages.meant(conn, name))
    if len(found) == 1:
        return found[0][0]
    if found:
        listed = "\n".join(f"  {ident}  {title}" for ident, title in found)
        typer.echo(f"soloist: {name!r} is the name of several; name one by its id:\n{listed}", err=True)
    else:
        typer.echo(f"soloist: nothing is remembered about anybody called {name!r}.", err=True)
    raise typer.Exit(FAULT)


@memory.command()
def about(
    person: Annotated[str, typer.Argument(metavar="PERSON", help="Name or id of a person, company or other record.")],
    home: HomeOption = None,
    database: DatabaseOption = "",
    as_json: JsonOption = False,
) -> None:
    """What is remembered about somebody: facts, contradictions, items."""
    from dataclasses import asdict

    from soloist.insight import remembered

    with opened(home, database) as app:
        ident = _whom(app, person)
        found = asdict(app.store.read_now(lambda conn: remembered.about(conn, ident)))
    lines = [found["title"]]
    for name, title in (("current", "Facts"), ("disputed", "Contradictions"), ("past", "Earlier")):
        lines += ["", f"{title}:"] if found[name] else []
        lines += [
            f"  {one['attribute']}: {one['value']}  ({one['whose']}{', ' + one['ended'] if one['ended'] else ''})"
            + (f'  "{one["quote"]}"' if one["quote"] else "")
            for one in found[name]
        ]
    for tier, items in found["memories"].items():
        lines += ["", f"{tier}:"] if items else []
        lines += [f"  {one['at'][:10]}  {' '.join(one['text'].split())[:140]}  {one['id']}" for one in items]
    show(found, as_json, "\n".join(lines))


@memory.command()
def tiers(home: HomeOption = None, database: DatabaseOption = "", as_json: JsonOption = False) -> None:
    """The tiers: how much each holds, how long it is kept, who may write it."""
    from dataclasses import asdict

    from soloist.insight import memory as pages

    with opened(home, database) as app:
        now = app.store.clock().isoformat()
        found = [asdict(line) for line in app.store.read_now(lambda conn: pages.tiers(conn, now))]
    lines = [
        f"{one['title']:<10} {one['items']:>8} items  {one['size']:>10}  kept {one['kept']:<8}  "
        f"not confirmed {one['unverified']:<6} written by {one['writers']}"
        for one in found
    ]
    show(found, as_json, "\n".join(lines))


@memory.command("show")
def show_item(
    ident: IdArgument, home: HomeOption = None, database: DatabaseOption = "", as_json: JsonOption = False
) -> None:
    """One item: what it says, where it is from, what was made of it, where it was used."""
    from dataclasses import asdict

    from soloist.insight import memory as pages

    with opened(home, database) as app:
        found = asdict(app.store.read_now(lambda conn: pages.item(conn, ident)))
    line = found["line"]
    lines = [found["text"], "", f"{line['tier']}, {line['trust']}, {line['kind']}, {line['at']}"]
    lines += [f"over: {line['ended']}"] if line["ended"] else []
    lines += [f"{fact['label']}: {fact['value']}" for fact in found["facts"]]
    for name, title in (("came_from", "From"), ("led_to", "Led to"), ("used", "Used in")):
        lines += [f"{title}: {step['label']}: {step['text']} {step['note']}".rstrip() for step in found[name]]
    show(found, as_json, "\n".join(lines))


@memory.command()
def replay(
    ident: Annotated[str, typer.Argument(metavar="ID", help="Id of a question, as search prints it.")],
    home: HomeOption = None,
    database: DatabaseOption = "",
    as_json: JsonOption = False,
) -> None:
    """Ask a former question again and say whether the answer is identical; ends with 1 when it is not."""
    import asyncio

    from soloist.insight import ranked

    with opened(home, database) as app:
        done = asyncio.run(app.desk.memory.replay(ident))
        told = app.store.read_now(lambda conn: ranked.replay(conn, done))
    show(done, as_json, "\n".join([told.said, *told.differs]))
    if not done["identical"]:
        raise typer.Exit(FAULT)


@memory.command()
def watermark(home: HomeOption = None, database: DatabaseOption = "", as_json: JsonOption = False) -> None:
    """How many items wait for their vector; until then they are found by words."""
    import asyncio

    with opened(home, database) as app:
        mark = asyncio.run(app.desk.memory.watermark())
    model = f"model {mark['model']}" if mark["model"] else "no model yet: words only"
    building = f"; {mark['building']} is being built, {mark['left']} to go" if mark["building"] else ""
    show(mark, as_json, f"{mark['behind']} of {mark['newest']} items wait for their vector ({model}){building}")


@memory.command()
def reembed(
    wait: Annotated[
        float, typer.Option("--wait", min=0, help="Seconds to help building; 0 leaves it to the server.")
    ] = 600.0,
    home: HomeOption = None,
    database: DatabaseOption = "",
    as_json: JsonOption = False,
) -> None:
    """Build all vectors anew beside the ones in use; the new ones take over when they are whole."""
    import asyncio

    from soloist.flows.embedding import Embedding

    async def work(app: App) -> dict[str, Any]:
        embedding = Embedding(app.store, app.desk.memory)
        begun = await embedding.begin(actor="operator")
        await embedding.catch_up(wait)
        return {"generation": begun["id"], **await app.desk.memory.watermark()}

    with opened(home, database) as app:
        done = asyncio.run(work(app))
    rest = f"{done['left']} to go; the server goes on with them" if done["building"] else "it is in use"
    show(done, as_json, f"generation {done['generation']}: {rest}")
