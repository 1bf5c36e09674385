"""The kill storm on both stores, and the same storm with faults planted on purpose, which it must see.

Processes of the product are killed at random moments while the providers, which count outside of it, spoil a quarter
of the calls. What was answered 2xx is not lost, nothing happens twice without a person's word, and what is claimed is
what happened.
"""

from __future__ import annotations

import time
from collections import Counter
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.driving import until
from tests.acceptance.nursery import Nursery
from tests.engine.store import databases
from tests.storm.claims import Story, faults
from tests.storm.plants import PLANTS
from tests.storm.size import scale
from tests.storm.storming import Storm

pytestmark = pytest.mark.storm
SEED = 20261121
KILLS, SECONDS = scale(1000, 1000), scale(3600.0, 15.0)
FEWEST = scale(1000, 4)
"""Kills below which a run says too little; in continuous integration the time decides how many there are."""
SOON = scale(60.0, 900.0)
"""Seconds within which an uncertain attempt is on the operator's list; a busy machine of the build takes longer."""


def whole_storm(store: str, folder: Path, nursery: Nursery, url: str) -> Storm:
    """A storm to its end, with everything stopped."""
    storm = Storm(folder, nursery, SEED + (store == "postgres"), url=url)
    try:
        began = time.monotonic()
        storm.begin(workers=2 if url else 0)
        storm.run(SECONDS, KILLS, fewest=FEWEST)
        storm.took.append(time.monotonic() - began)
        storm.settle()
        storm.resolve()
        storm.settle()
        until(storm.mended, 600, 0.3, what="every run that failed tried again with success")
        storm.took.append(time.monotonic() - began)
        storm.stop_gently()
        return storm
    except BaseException as error:
        storm.end()
        error.add_note(f"{store}: {storm.kills} kills, {storm.troubles[:5]}")
        raise


@pytest.fixture(scope="module")
def storms(tmp_path_factory: pytest.TempPathFactory, nursery: Nursery) -> Any:
    """Both at the same time: much of a storm is waiting."""
    with ThreadPoolExecutor(2) as pool:
        begun: dict[str, Future[Storm]] = {}
        for store in databases.KINDS:
            folder = tmp_path_factory.mktemp(store)
            url = databases.empty(store, folder) if store == "postgres" else ""
            begun[store] = pool.submit(whole_storm, store, folder, nursery, url)
        yield begun
        for future in begun.values():
            if future.exception() is None:
                future.result().end()


@pytest.fixture(params=databases.KINDS)
def storm(request: pytest.FixtureRequest, storms: dict[str, Future[Storm]]) -> Storm:
    return storms[request.param].result()


def name(storm: Storm) -> str:
    return "Postgres, a server and two workers" if storm.url else "SQLite"


def test_nothing_that_was_answered_is_lost(storm: Storm) -> None:
    lost = [*storm.lost(), *storm.troubles]
    print(f"P1 {name(storm)}: {storm.kills} kills -9 (seed {SEED}), {len(storm.made)} proposals and", end=" ")
    print(f"{len(storm.events)} events, {storm.answered} answers 2xx, {len(lost)} lost;", end=" ")
    print(f"{storm.set_aside} cards of work that was cut short five times;", end=" ")
    print("{:.0f} s, at rest after {:.0f} s".format(*storm.took))
    assert lost == []
    assert storm.kills >= FEWEST
    failed = storm.ask("SELECT flow, error FROM runs WHERE state='failed'")
    print(f"P11 {name(storm)}: {len(failed)} runs failed and worked when they were tried again: {failed[:3]}")
    assert storm.given_up() == []
    report = storm.verified()
    assert (report["ok"], report["faults"]) == (True, [])


def test_nothing_happens_twice_and_claims_are_true(storm: Storm) -> None:
    story, found = storm.story(), faults(storm.story())
    twice = Counter(row["class"] for row in story.effects if beyond(story, row["source_ref"]))
    effects, tries = Counter(), Counter()
    for row in story.effects:
        effects[row["class"]] += 1
        tries[row["class"]] += row["attempts"]
    for class_, promise in (("A", "P2"), ("B", "P2"), ("C", "P3")):
        said = f"{effects[class_]} effects of class {class_}, {tries[class_]} attempts, {twice[class_]} done twice"
        print(f"{promise} {name(storm)}: {said}" + (" without a person's word" if class_ == "C" else ""))
    print(f"P5 {name(storm)}: {len(story.effects)} claims, {len(found)} not true;", end=" ")
    print(", ".join(f"{count} {state}" for state, count in Counter(r["state"] for r in story.effects).most_common()))
    assert found == []
    assert not twice


def beyond(story: Story, ref: str) -> bool:
    """Whether something was done more often than a person said."""
    return story.deeds[ref] > 1 + story.sent_again[ref]


def test_what_is_uncertain_is_on_the_list(storm: Storm) -> None:
    really, listed = storm.providers.uncertain(), storm.listed()
    missing = set(really) - set(listed)
    late = [0.0] + [datetime.fromisoformat(listed[ref]).timestamp() - at for ref, at in really.items() if ref in listed]
    print(
        f"P4 {name(storm)}: {len(really)} really uncertain, {len(missing)} of them not listed, {len(listed)}", end=" "
    )
    print(f"listed in all ({len(listed) / max(1, len(really)):.2f} x), the latest {max(late):.1f} s after the call")
    assert missing == set()
    needless = set(listed) - set(really) - storm.cut_short()
    assert len(needless) <= len(really) + scale(0, 3)  # a short storm has few
    assert max(late) < SOON


# ----- the same storm with a planted fault


def broken(plant: str, folder: Path, nursery: Nursery) -> list[str]:
    """What the checker says of a storm in which one rule is broken on purpose; ended as soon as it says enough."""
    by_kills = plant in ("no intent row", "answer before commit")
    storm = Storm(folder, nursery, SEED, plant=plant, share=0.0 if by_kills else 0.35)
    try:
        storm.begin()
        storm.run(20.0, 6 if by_kills else 10)
        end = time.monotonic() + 240
        while True:
            found = [*storm.lost(), *faults(storm.story())]
            if time.monotonic() > end or any(CAUGHT_BY[plant] in fault for fault in found):
                return found
            time.sleep(0.3)
    finally:
        storm.end()


@pytest.fixture(scope="module")
def plants(tmp_path_factory: pytest.TempPathFactory, nursery: Nursery) -> Any:
    with ThreadPoolExecutor(2) as pool:
        yield {plant: pool.submit(broken, plant, tmp_path_factory.mktemp("plant"), nursery) for plant in PLANTS}


CAUGHT_BY = {
    "no intent row": "was done 2 times",
    "blind retry": "was done 2 times",
    "fresh key per attempt": "was done 2 times",
    "answer before commit": "lost",
}


@pytest.mark.night
@pytest.mark.parametrize("plant", PLANTS)
def test_the_storm_sees_a_planted_fault(plant: str, plants: dict[str, Future[list[str]]]) -> None:
    found = plants[plant].result()
    caught = [fault for fault in found if CAUGHT_BY[plant] in fault]
    print(f"P1-P5 planted fault, {plant}: {len(caught)} violations seen, like: {caught[:1]}")
    assert caught, found


# ----- the checker itself

GOOD = {"id": "e1", "source_ref": "A-1", "class": "A", "state": "succeeded"}


@pytest.mark.parametrize(
    ("deeds", "row", "fault"),
    [
        ({"A-1": 1}, {}, ""),
        ({"A-1": 2}, {}, "A-1 was done 2 times"),
        ({}, {"state": "needs_human", "class": "C"}, "A-1 is needs_human and nobody was told"),
        ({}, {"class": "C"}, "A-1 is called succeeded, and it did not happen"),
        ({"A-1": 1}, {"state": "failed"}, "A-1 is called failed, and it happened"),
        ({"A-1": 1, "A-2": 1}, {}, "A-2 was done without approval"),
        ({"A-1": 1}, {"state": "intended"}, "A-1 never came to rest: intended"),
        ({"A-1": 2}, {"class": "C"}, "A-1 was done 2 times"),
    ],
)
def test_the_checker_sees_what_is_planted(deeds: dict[str, int], row: dict[str, Any], fault: str) -> None:
    story = Story(Counter(deeds), [{**GOOD, **row}], {"A-1"})
    assert faults(story) == ([fault] if fault else [])


def test_the_checker_sees_an_approval_that_led_to_nothing() -> None:
    assert faults(Story(Counter(), [], {"A-1"})) == ["A-1 was approved and has no effect"]
