"""Changes that repeat themselves become wordings; what is about one case never does."""

from __future__ import annotations

from soloist.stages.runtime import again, wording

GIVEN = "Hi Emily,\n\nThank you for your enquiry.\n\nKind regards\nMara Linde"
NAMES = wording.names_of("Emily Carter")


def row(n: int, name: str, old: str = "Kind regards", new: str = "Warm regards") -> dict[str, object]:
    """A draft to somebody in which one phrase was changed."""
    given = GIVEN.replace("Emily", name)
    about = {"skill": "draft_reply", "sort": "enquiry", "language": "en", "names": wording.names_of(f"{name} Carter")}
    return {"id": f"c{n}", "object": f"p{n}", "given": given, "wanted": given.replace(old, new), **about}


def test_a_change_is_offered_from_the_third_like_case_on() -> None:
    rows = [row(n, name) for n, name in enumerate(("Emily", "Tom", "Ruth"))]
    assert wording.offers(rows[:2], []) == []
    (offer,) = wording.offers(rows, [])
    assert offer.change == wording.Change("Kind regards", "Warm regards") and len(offer.cases) == 3
    assert wording.offers(rows, [("en", "Kind regards", "Warm regards")]) == []


def test_a_greeting_fits_the_next_name() -> None:
    rows = [row(n, name, f"Hi {name},", f"Hello {name},") for n, name in enumerate(("Emily", "Tom", "Ruth"))]
    (offer,) = wording.offers(rows, [])
    line = {"id": "w", "old": offer.change.old, "new": offer.change.new}
    body, used = wording.applied(GIVEN.replace("Emily", "Ada"), [line], wording.names_of("Ada Okafor"))
    assert body.startswith("Hello Ada,") and used == ["w"]
    assert wording.applied(GIVEN, [line], {})[1] == []


def test_amounts_dates_and_addresses_stay_with_their_case() -> None:
    for new in ("It costs 2,800 EUR.", "Write to ada@okafor.example.", "See https://x.example."):
        assert wording.changes(GIVEN, GIVEN.replace("Thank you for your enquiry.", new), NAMES) == []


def test_what_a_person_changed_in_the_minority_is_no_habit() -> None:
    rows = [row(n, name) for n, name in enumerate(("Emily", "Tom", "Ruth"))]
    rows += [row(n, "Ben", "Thank", "Thanks") for n in range(10, 15)]
    assert [offer.change.old for offer in wording.offers(rows, [])] == ["Thank you for your enquiry."]


def test_a_new_answer_takes_the_place_of_the_old_one_wherever_it_stood() -> None:
    old, new = {"kind": "client", "own_text": "a" * 30, "language": "en"}, {"kind": "enquiry", "own_text": "b" * 30}
    new["language"] = "en"
    given = {"understanding": {**old, "kind": "support"}, "text": "a" * 30, "now": "2026", "language": "fr"}
    found = again.carried(given, [(old, new)])
    assert found["understanding"] == {"kind": "support", "own_text": "b" * 30, "language": "en"}
    assert (found["text"], found["now"], found["language"]) == ("b" * 30, "2026", "fr")


def test_better_and_worse_go_by_what_was_wanted() -> None:
    given, wanted = {"body": "Hi there"}, {"body": "Hello there"}
    told = [again.compared(given, after, wanted)["outcome"] for after in (wanted, given, {"body": "Yo"})]
    assert told == ["better", "same", "worse"]
    assert again.compared(given, wanted, {})["outcome"] == "differs"
