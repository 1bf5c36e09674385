"""Records under a schema, on both stores: checked at every write, brought forward on reading, with their relations."""

from __future__ import annotations

from dataclasses import replace

import pytest

from soloist.engine.store import kinds, records, relations, tabling
from soloist.engine.store.store import Store
from soloist.engine.store.tables import records as table
from soloist.kernel.errors import BadInput, NotFound
from soloist.kernel.kind import Field, Kind, Migration

PERSON = Kind("person", fields={name: Field(name) for name in ("name", "city")})
INVOICE = Kind(
    "invoice",
    title=("{number}",),
    fields={
        "number": Field("number", required=True, mutability="once"),
        "amount": Field("amount", "money"),
        "client": Field("client", "record", to=("person",)),
        "fee": Field("fee", "text"),
    },
    states=("draft", "sent"),
    moves={"sent": ()},
)
MONEY = {"minor": 120000, "currency": "EUR"}


@pytest.fixture
def house(store: Store) -> Store:
    store.write_now(lambda tx: [tx.append("test.thing") for _ in range(2)])
    store.write_now(lambda tx: kinds.declare(tx, [PERSON, INVOICE]))
    return store


def make(store: Store, kind: str, body: dict, **more) -> str:
    return store.write_now(lambda tx: records.create(tx, kind, "", body, why="test", **more))


def change(store: Store, ident: str, version: int, body: dict, **more) -> dict:
    return store.write_now(lambda tx: records.write(tx, ident, version, body, why="test", **more))


def get(store: Store, ident: str) -> dict:
    return store.read_now(lambda conn: records.get(conn, ident))


WRONG = [
    ("invoce", {}, "kind"),
    ("invoice", {}, "number"),
    ("invoice", {"number": 3}, "number"),
    ("invoice", {"number": "R1", "amount": 12.5}, "amount"),
    ("invoice", {"number": "R1", "amout": MONEY}, "amout"),
    ("invoice", {"number": "R1", "client": "nobody"}, "client"),
]


@pytest.mark.parametrize(("noun", "body", "field"), WRONG)
def test_what_does_not_fit_is_refused_by_name(house: Store, noun: str, body: dict, field: str) -> None:
    with pytest.raises(BadInput) as error:
        make(house, noun, body)
    assert error.value.field == field
    assert house.read_now(records.kinds) == []


def test_a_write_that_does_not_fit_changes_nothing(house: Store) -> None:
    ident = make(house, "invoice", {"number": "R1", "amount": MONEY})
    with pytest.raises(BadInput, match="amount: needs an amount like"):
        change(house, ident, 1, {"amount": "1200 EUR"})
    with pytest.raises(BadInput, match="is set once"):
        change(house, ident, 1, {"number": "R2"})
    assert (get(house, ident)["version"], get(house, ident)["title"]) == (1, "R1")


def test_states_follow_the_moves_that_are_declared(house: Store) -> None:
    ident = make(house, "invoice", {"number": "R1"}, state="draft")
    with pytest.raises(BadInput, match="one of draft, sent, not 'lost'"):
        change(house, ident, 1, {}, state="lost")
    change(house, ident, 1, {}, state="sent")
    with pytest.raises(BadInput, match="can become nothing else"):
        change(house, ident, 2, {}, state="draft")


def test_versions_keep_title_state_schema_and_owners(house: Store) -> None:
    ident = make(house, "invoice", {"number": "R1"}, state="draft", by="outside")
    change(house, ident, 1, {"amount": MONEY}, state="sent", actor="operator")
    newest, first = house.read_now(lambda conn: records.history(conn, ident))
    assert (first["title"], first["state"], first["schema"], first["owners"]) == (
        "R1",
        "draft",
        1,
        {"number": "outside"},
    )
    assert (newest["state"], newest["owners"]) == ("sent", {"number": "outside", "amount": "operator"})


def test_a_record_as_of_an_event(house: Store) -> None:
    ident = make(house, "person", {"name": "Ada"})
    before = house.read_now(lambda conn: records.history(conn, ident))[0]["event"]
    change(house, ident, 1, {"name": "Ada Okafor"}, title="Ada Okafor")
    with pytest.raises(NotFound, match="not there yet at event 2"):
        house.read_now(lambda conn: records.as_of(conn, ident, 2))
    then = house.read_now(lambda conn: records.as_of(conn, ident, 3))
    assert (then["title"], then["version"], then["event"]) == ("Ada", 1, before)
    assert house.read_now(lambda conn: records.as_of(conn, ident, 4))["body"] == {"name": "Ada Okafor"}


def test_relations_mirror_references_also_as_of(house: Store) -> None:
    ada, jonas = make(house, "person", {"name": "Ada"}), make(house, "person", {"name": "Jonas"})
    ident = make(house, "invoice", {"number": "R1", "client": ada})
    change(house, ident, 1, {"client": jonas})

    def of(person: str, as_of: str = "") -> list[str]:
        return house.read_now(lambda conn: [r["id"] for r in relations.about(conn, person, as_of=as_of)])

    assert (of(ada), of(jonas)) == ([], [ident])
    assert (of(ada, "5"), of(jonas, "5"), of(ada, "4")) == ([ident], [], [])


def test_relations_rebuilt_from_versions_are_the_same(house: Store) -> None:
    ada, jonas = make(house, "person", {"name": "Ada"}), make(house, "person", {"name": "Jonas"})
    ident = make(house, "invoice", {"number": "R1", "client": ada})
    change(house, ident, 1, {"client": jonas})

    def rows() -> list[tuple]:
        found = house.read_now(lambda conn: relations.of(conn, ident) + relations.of(conn, ident, as_of="5"))
        return [(row["role"], row["other"], row["event"], row["ended"]) for row in found]

    kept = rows()
    assert house.write_now(lambda tx: relations.rebuild(tx, ident, "invoice")) == 2
    assert rows() == kept


def test_a_newer_schema_reads_old_bodies_and_leaves_old_versions(house: Store) -> None:
    ident = make(house, "invoice", {"number": "R1", "fee": "120.50 EUR"})
    fields = {**{k: v for k, v in INVOICE.fields.items() if k != "fee"}, "charge": Field("charge", "money")}
    step = Migration(2, rename={"fee": "charge"}, convert={"charge": "money"})
    house.write_now(
        lambda tx: kinds.declare(tx, [PERSON, replace(INVOICE, revision=2, fields=fields, migrations=(step,))])
    )
    assert get(house, ident)["body"] == {"number": "R1", "charge": {"minor": 12050, "currency": "EUR"}}
    assert house.read_now(lambda conn: records.raw(conn, ident))["body"]["fee"] == "120.50 EUR"
    written = change(house, ident, 1, {"amount": MONEY})
    assert (written["schema"], sorted(written["body"])) == (2, ["amount", "charge", "number"])
    assert house.read_now(lambda conn: records.version(conn, ident, 1))["body"]["fee"] == "120.50 EUR"
    assert [row["version"] for row in house.read_now(lambda conn: kinds.schemas(conn, "invoice"))] == [2, 1]


def test_a_field_that_is_no_longer_declared_loses_nothing(house: Store) -> None:
    shoes = replace(PERSON, fields={**PERSON.fields, "shoe_size": Field("shoe_size", "number", custom=True)})
    house.write_now(lambda tx: kinds.declare(tx, [shoes, INVOICE]))
    ident = make(house, "person", {"name": "Ada", "shoe_size": 38})
    house.write_now(lambda tx: kinds.declare(tx, [PERSON, INVOICE]))
    assert change(house, ident, 1, {"name": "Ada O."}, replace=True)["body"] == {"name": "Ada O.", "shoe_size": 38}
    with pytest.raises(BadInput, match="no such field"):
        change(house, ident, 2, {"shoe_size": 40})


def test_a_kind_of_ones_own_that_is_gone_keeps_its_records(house: Store) -> None:
    own = Kind("property", fields={"name": Field("name")}, custom=True)
    house.write_now(lambda tx: kinds.declare(tx, [PERSON, INVOICE, own]))
    ident = make(house, "property", {"name": "Elbe"})
    assert house.write_now(lambda tx: kinds.declare(tx, [PERSON, INVOICE])) == ["property"]
    assert change(house, ident, 1, {"name": "Elbchaussee"})["version"] == 2
    with pytest.raises(BadInput, match="no kind of record 'property'"):
        make(house, "property", {"name": "Alster"})
    house.write_now(lambda tx: kinds.declare(tx, [PERSON, INVOICE, own]))
    make(house, "property", {"name": "Alster"})


def test_owners_of_a_record_from_before_they_were_kept(house: Store) -> None:
    ident = make(house, "person", {"name": "Ada"})
    change(house, ident, 1, {"city": "Hamburg"}, actor="operator")
    house.write_now(lambda tx: tx.run(table.update().values(owners=None, schema=0)))
    assert house.read_now(lambda conn: [row["id"] for row in records.behind(conn, 9)]) == [ident]
    row = get(house, ident)
    assert house.read_now(lambda conn: records.inferred(conn, row)) == {"name": "system", "city": "operator"}


def test_a_list_of_a_kind_by_words_and_state(house: Store) -> None:
    wanted = make(house, "invoice", {"number": "R1", "fee": "50 %_off"}, state="sent")
    make(house, "invoice", {"number": "R2"}, state="draft")

    def found(**asked) -> list[str]:
        rows = house.read_now(lambda conn: records.listed(conn, "invoice", before=None, limit=9, **asked))
        return [row["id"] for row in rows]

    assert found(text="50 %_OFF") == found(state="sent") == found(text="r1") == [wanted]
    assert found(text="nothing") == []


def test_amounts_sort_as_numbers(house: Store) -> None:
    for number, minor in (("a", 90_000), ("b", 120_000), ("c", -500), ("d", None)):
        body = {"number": number, "amount": {"minor": minor, "currency": "EUR"} if minor is not None else ""}
        make(house, "invoice", body)

    def page(after: tuple[str, str] | None = None) -> list[dict]:
        asked = tabling.Asked("invoice", sort="amount", down=False, columns=("amount",))
        return house.read_now(lambda conn: tabling.rows(conn, asked, after=after, limit=2))

    first = page()
    rest = page((first[-1]["key"], first[-1]["id"]))
    assert [row["title"] for row in (*first, *rest)] == ["d", "c", "a", "b"]
