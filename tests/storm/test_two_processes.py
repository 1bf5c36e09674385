"""The whole job on Postgres with a server and workers that are killed: each enquiry is answered once, whoever dies."""

from __future__ import annotations

import random
import subprocess
import time
from collections.abc import Iterator

import pytest

from soloist.engine.store.runs import AGAIN
from tests.acceptance.driving import told, until
from tests.acceptance.nursery import Born, Nursery
from tests.acceptance.town import Town
from tests.engine.store import databases
from tests.storm.size import scale

pytestmark = pytest.mark.storm
DIED = 137
MANY, KILLS, SEED = scale(40, 10), scale(4, 2), 20261121


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory, nursery: Nursery) -> Iterator[Town]:
    """One home for all tests of this file: what one of them lost or doubled shows in the last."""
    folder = tmp_path_factory.mktemp("town")
    url = databases.empty("postgres", folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOLOIST_DATABASE", url)
        made = Town(folder, url, nursery)
        yield made
        made.end()


def until_it_dies(town: Town, worker: subprocess.Popen[bytes] | Born, name: str, *, approving: bool) -> list[str]:
    """Enquiries, each batch when the one before is dealt with, until the worker took one and died of it; whose."""
    addresses: list[str] = []

    def dealt_with() -> bool:
        if worker.poll() is None and approving:
            town.approve()
            return set(addresses) <= set(town.left())
        return worker.poll() is not None or len(town.ask("SELECT 1 FROM proposals")) >= len(town.sent)

    end = time.monotonic() + 1800
    while worker.poll() is None and time.monotonic() < end:
        addresses += town.deliver(f"{name}-{len(addresses)}", 4)
        until(dealt_with, 900, what="a batch dealt with, or a death")
    assert worker.poll() == DIED
    return addresses


def test_worker_dies_in_the_middle_of_a_step(town: Town) -> None:
    worker = town.worker(SOLOIST_FAILPOINT="after:understand")
    addresses = until_it_dies(town, worker, "mid-step", approving=False)
    town.answered(addresses)
    assert {town.left()[address] for address in addresses} == {1}


def test_worker_dies_while_it_calls(town: Town) -> None:
    worker = town.worker(SOLOIST_FAILPOINT="attempting")
    addresses = until_it_dies(town, worker, "calling", approving=True)
    town.answered(addresses)
    assert {town.left()[address] for address in addresses} == {1}
    notes = town.ask("SELECT outcome, evidence FROM effect_attempts WHERE outcome='unknown'")
    assert notes == [("unknown", "the process died while calling")]


def test_server_dies_and_the_worker_goes_on(town: Town) -> None:
    town.worker()
    proposals = town.approve()
    addresses = town.deliver("no-server", 4)
    until(lambda: len(town.ask("SELECT 1 FROM events WHERE kind='mail.received'")) >= len(town.sent), what="taken in")
    town.served.kill()
    until(lambda: town.approve() >= proposals + 4, what="cards although there is no server")
    town.served.start(ready=False)
    town.answered(addresses)
    assert {town.left()[address] for address in addresses} == {1}


def test_stop_holds_every_process(town: Town) -> None:
    until(lambda: not town.ask("SELECT 1 FROM effects WHERE state<>'succeeded'"), what="everything before at rest")
    addresses: list[str] = []
    while len(town.owners()) < 2:  # who holds proposals that wait
        addresses += town.deliver(f"stopped-{len(addresses)}", 4)
        until(lambda: len(town.ask("SELECT 1 FROM proposals")) >= len(town.sent), what="cards")
    assert town.served.ask("PUT", "/stop", town.key).status_code == 200

    def all_held() -> bool:
        town.approve()
        return len(town.ask("SELECT 1 FROM effects WHERE state='intended'")) == len(addresses)

    until(all_held, what="effects")
    time.sleep(1.5)
    assert not set(addresses) & set(town.left())
    assert town.served.ask("DELETE", "/stop", town.key).status_code == 200
    town.answered(addresses)


def test_both_die_and_come_back(town: Town) -> None:
    addresses = town.deliver("both", 4)
    time.sleep(0.4)
    town.workers[-1].kill()
    town.served.kill()
    town.worker(seen=False)
    town.served.start(ready=False)
    town.answered(addresses)
    assert {town.left()[address] for address in addresses} == {1}


def test_many_enquiries_while_processes_die(town: Town) -> None:
    chance, began = random.Random(SEED), time.monotonic()
    town.worker(seen=False)
    addresses = town.deliver("many", MANY)
    for number in range(KILLS):
        until_then = time.monotonic() + chance.uniform(0.3, 1.8)
        while time.monotonic() < until_then:
            town.approve()
        if number % 3 == 2:
            town.served.kill()
            town.served.start(ready=False)
        else:
            alive = [process for process in town.workers if process.poll() is None]
            for process in alive[chance.randrange(len(alive) or 1) :][:1]:
                process.kill()
            town.worker(seen=False)
    town.answered(addresses)
    died = len(town.ask("SELECT 1 FROM events WHERE kind='process.died'"))
    print(
        f"P1 two processes: {MANY} enquiries, {KILLS} kills: {time.monotonic() - began:.1f} s, {died} taken over in all"
    )
    assert [town.left()[address] for address in addresses] == [1] * MANY


def given_up(town: Town) -> list[tuple[str, str]]:
    """Runs that failed and have no later try that goes on or is done: (run, error)."""
    rows = [
        (run.partition(AGAIN)[0], state, error) for run, state, error in town.ask("SELECT id, state, error FROM runs")
    ]
    well = {first for first, state, _error in rows if state != "failed"}
    return [(first, error) for first, _state, error in rows if first not in well]


def test_nothing_was_lost_doubled_or_changed(town: Town) -> None:
    until(lambda: not town.ask("SELECT 1 FROM effects WHERE state<>'succeeded'"), what="everything at rest")
    assert town.left() == dict.fromkeys(town.sent, 1)
    until(lambda: not given_up(town), 900, what="each run that failed tried again by itself")
    assert len(town.ask("SELECT 1 FROM records WHERE kind='lead'")) == len(town.sent)
    report = told(town.home, "verify")
    assert (report["ok"], report["faults"]) == (True, [])
    assert {row["state"] for row in told(town.home, "status")["processes"]} == {"running", "ended"}
