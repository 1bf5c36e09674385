"""Records as tables: what is filtered and sorted on the page is what the CSV holds; cells cannot calculate."""

from __future__ import annotations

import csv
import io
import re
from urllib.parse import parse_qs, urlsplit

import pytest

from soloist.engine.store import records as rows
from soloist.insight import records


def read(app, query):
    return app.store.read_now(query)


@pytest.fixture
async def people(app):
    def many(tx):
        for n in range(130):
            body = {"name": f"Person {n}", "emails": [f"p{n}@example.org"], "company_name": f"Company {n % 7}"}
            rows.create(tx, "person", f"Person {n}", {**body, "phones": ["+4940555"]}, why="test")

    await app.store.write(many)
    return app


def all_pages(app, **asked):
    """Every row of every page, and how many pages there were."""
    found, after, pages = [], "", 0
    while pages < 20:
        page = read(app, lambda c, at=after: records.page(c, kind="person", after=at, **asked))
        found += page.rows
        pages += 1
        if not page.next:
            break
        after = parse_qs(urlsplit(page.next).query)["after"][0]
    return found, pages


ASKED = [
    {},
    {"sort": "title"},
    {"sort": "company_name", "direction": "down"},
    {"sort": "emails", "query": "company 3"},
    {"sort": "nonsense", "query": "person 1"},
]


@pytest.mark.parametrize("asked", ASKED)
async def test_the_csv_equals_the_table(people, asked):
    shown, _ = all_pages(people, **asked)
    text = read(people, lambda c: "".join(records.csv_pieces(c, "person", **asked)))
    parsed = list(csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline="")))
    assert parsed[0] == ["Name", "Email", "Company", "Phone", "Changed"]
    assert parsed[1:] == [[*(re.sub(r"^\+", "'+", cell) for cell in row.cells), row.at] for row in shown]
    assert text.count("\r\n") == len(parsed)
    assert len({row.href for row in shown}) == len(shown)


async def test_pages_hold_every_row_once_in_order(people):
    shown, pages = all_pages(people, sort="title")
    assert (len(shown), pages) == (130, 3)
    assert [row.cells[0] for row in shown] == sorted(f"Person {n}" for n in range(130))


async def test_totals_and_heads(people):
    page = read(people, lambda c: records.page(c, kind="person", query="Company 3", sort="title"))
    assert page.totals == "19 people"
    name = page.heads[0]
    assert (name.sorted, name.href) == ("ascending", "/records/person?q=Company+3&sort=title&dir=down")
    assert page.csv == "/records/person.csv?q=Company+3&sort=title"


async def test_states_are_counted_and_chosen(app):
    for n, state in enumerate(["qualified", "qualified", "unclear"]):
        await app.store.write(
            lambda tx, n=n, s=state: rows.create(tx, "lead", f"Lead {n}", {"language": "de"}, state=s, why="test")
        )
    every = read(app, lambda c: records.page(c, kind="lead"))
    assert (every.totals, every.states) == ("3 leads: 2 qualified, 1 unclear", ("qualified", "unclear"))
    some = read(app, lambda c: records.page(c, kind="lead", state="unclear"))
    assert (some.totals, [row.cells[0] for row in some.rows]) == ("1 lead", ["Lead 2"])


@pytest.mark.parametrize(
    ("cell", "written"),
    [
        ("=1+1", "'=1+1"),
        ("+49 40", "'+49 40"),
        ("-2", "'-2"),
        ("@sum", "'@sum"),
        ("\tx", "'\tx"),
        ("  =x", "'  =x"),
        ("a=b", "a=b"),
        ('say "x", y', '"say ""x"", y"'),
        ("a\nb", '"a\nb"'),
        ("Grüße", "Grüße"),
        ("", ""),
    ],
)
def test_no_cell_calculates(cell, written):
    assert records.csv_line([cell, "z"]) == f"{written},z\r\n"
