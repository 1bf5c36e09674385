"""Who wrote: a known person from a new address is asked about, a strong key merges, another name is questioned."""

from __future__ import annotations

from typing import Any

from soloist.engine.store import matching, merges, records
from soloist.flows.merging import Merging
from soloist.stages.records import drifting
from tests.flows.conftest import ASKS, House, Open, mail

SIGNED = ASKS + "Phone: {phone}\n"
PHONE = "+49 40 5550 1234"


def people(home: House) -> list[dict[str, Any]]:
    return home.rows("records", kind="person")


async def test_a_known_name_from_a_new_address_is_a_question_not_a_merge(house: Open):
    home = await house()
    await home.take_in(mail())
    await home.take_in(mail(sender="Emily Carter <emily@somewhere.example>", ident="two", subject="A logo"))
    assert len(people(home)) == 2
    card = home.card(type="merge")
    assert [option["name"] for option in card["options"]] == ["merge", "apart", "defer"]
    done = await home.choose(card, "merge")
    assert done["state"] == "merged"
    first, second = people(home)
    assert second["merged_into"] == first["id"]
    await Merging(home.desk).unmerge(done["merge"], who="operator")
    assert [row["merged_into"] for row in people(home)] == ["", ""]


async def test_the_same_phone_and_name_from_a_new_address_is_the_same_person(house: Open):
    home = await house()
    await home.take_in(mail(SIGNED.format(phone=PHONE)))
    again = mail(SIGNED.format(phone=PHONE), sender="Emily Carter <emily@home.example>", ident="two", subject="A logo")
    await home.take_in(again)
    (person,) = people(home)
    assert person["body"]["emails"] == ["emily@carter-bakery.example", "emily@home.example"]
    assert home.app.store.read_now(lambda c: records.identified(c, "email", "emily@home.example")) == person["id"]


async def test_the_phone_of_somebody_else_does_not_make_them_one(house: Open):
    home = await house()
    await home.take_in(mail(SIGNED.format(phone=PHONE)))
    text = SIGNED.format(phone=PHONE).replace("Emily Carter", "Oliver Stone")
    await home.take_in(mail(text, sender="Oliver Stone <oliver@stone.example>", ident="two", subject="A logo"))
    assert len(people(home)) == 2
    assert home.rows("merges", state="merged") == []


async def test_a_known_address_that_signs_as_somebody_else_is_questioned_once(house: Open):
    home = await house()
    await home.take_in(mail())
    text = ASKS.replace("Emily Carter", "Oliver Stone")
    other = {"sender": "Oliver Stone <emily@carter-bakery.example>", "subject": "A logo"}
    await home.take_in(mail(text, ident="two", **other))
    await home.take_in(mail(text, ident="three", **other))
    card = home.card(type="merge")
    assert card["subject_kind"] == "drift"
    made = (await home.choose(card, "other"))["record"]
    assert home.app.store.read_now(lambda c: records.identified(c, "email", "emily@carter-bakery.example")) == made
    new = home.app.store.read_now(lambda c: records.get(c, made))
    assert set(new["owners"].values()) == {"outside"}  # that it is another is your word, what they say of them is not


async def test_the_nightly_look_proposes_each_pair_once_and_merges_nothing(rig: Any):
    store, look = rig().app.store, Merging(rig().app.desk)
    for name in ("Jonas Brandt", "Brandt, Jonas", "Nadia Petrov"):
        body = {"name": name, "phones": ["+49 40 1234567"] if "Jonas" in name else []}
        store.write_now(lambda tx, body=body: records.create(tx, "person", body["name"], body, why="test"))
    assert await look.look() == {"looked": 3, "proposed": 1, "cards": 1}
    assert (await look.look())["looked"] == 0
    assert (await look.look(everything=True))["proposed"] == 0
    (row,) = store.read_now(lambda c: merges.listed(c, ""))
    assert (row["state"], row["score"]) == ("proposed", 1000)


async def test_keys_of_records_from_before_are_made(rig: Any):
    store, own = rig().app.store, Merging(rig().app.desk)
    ident = store.write_now(lambda tx: records.create(tx, "person", "Ada", {"name": "Ada Okafor"}, why="test"))
    store.write_now(lambda tx: matching.forget(tx, ident))
    assert await own.fill() == 1
    assert store.read_now(lambda c: matching.holders(c, ["person:m:a:okafor"])) == {"person:m:a:okafor": [ident]}
    assert await own.fill() == 0


async def test_a_phone_that_somebody_else_gives_is_asked_about(house: Open):
    home = await house()
    await home.take_in(mail(SIGNED.format(phone=PHONE)))
    text = SIGNED.format(phone=PHONE).replace("Emily Carter", "Oliver Stone")
    await home.take_in(mail(text, sender="Oliver Stone <oliver@stone.example>", ident="two", subject="A logo"))
    card = home.card(type="merge")
    assert card["title"] == "Whose is +494055501234? Oliver Stone gives it too"
    made = (await home.choose(card, "other"))["record"]
    assert home.app.store.read_now(lambda c: records.identified(c, "phone", "+494055501234")) == made


async def test_a_domain_that_changed_hands_is_asked_about(rig: Any):
    store = rig().app.store
    told = {"name": "Kessler Immobilien GmbH", "domain": "brandt-physio.example"}

    def work(tx: Any) -> list[str]:
        body = {"name": "Brandt Physiotherapie", "domain": "brandt-physio.example"}
        company = records.create(tx, "company", body["name"], body, why="test")
        again = [drifting.watch(tx, company, told, message="") for _ in "ab"]
        return [*again, drifting.watch(tx, company, {**told, "name": "Physio Brandt"}, message="")]

    first, second, same = store.write_now(work)
    assert first == second != ""
    assert same == ""


async def test_a_change_for_a_record_that_was_merged_comes_back_for_the_kept_one(house: Open):
    home = await house()
    await home.take_in(mail(SIGNED.format(phone="+49 40 5550 1234")))
    await home.take_in(mail(SIGNED.format(phone="+49 40 5550 9999"), subject="A logo", ident="two"))
    (change,), (person,) = home.rows("proposals", noun="change"), people(home)
    body = {"name": "Emily Carter"}
    kept = home.app.store.write_now(lambda tx: records.create(tx, "person", "Emily Carter", body, why="test"))
    await Merging(home.desk).merge(kept, person["id"], who="operator")
    await home.say(change, "approve")
    fresh = await home.until(lambda: home.rows("proposals", noun="change", state="waiting"))
    assert fresh[0]["payload"]["record"] == kept
