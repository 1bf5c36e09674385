"""The server dies at each point on the way of one mail; after a restart there is one card and one mail, never more.

``SOLOIST_STORM=full`` goes over every commit of the writer as well.
"""

from __future__ import annotations

import shutil
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import httpx
import pytest

from soloist.app import App
from soloist.cli import starter
from soloist.engine.store import tables
from tests.acceptance.driving import Served, token, until
from tests.storm.size import FULL

pytestmark = pytest.mark.storm
DIED = 137
POINTS = (
    "accepted",
    "after:receive",
    "after:understand",
    "after:identify",
    "after:answer",
    "after:wait",
    "decided",
    "intended",
    "before attempting",
    "attempting",
    "called",
    "answered",
    "after:record sent",
    "after:how long",
)
"""In the order of the way."""
COMMITS = tuple(f"{when}:{n}" for n in range(1, 25) for when in ("before commit", "committed"))
"""The writer joins commits as it can, so that the last of these may never be reached."""
EVERY = POINTS + (COMMITS if FULL else ())
ASKS = "Hello,\n\nwe need a new website with about five pages. Our budget is 3,500 EUR.\n\nNora Feld\n"


def enquiry() -> bytes:
    """A mail from somebody new."""
    message = EmailMessage()
    message["From"], message["To"] = "Nora Feld <nora@feld-yoga.example>", "me@localhost"
    message["Subject"], message["Message-ID"] = "A new website", "<first@feld-yoga.example>"
    message.set_content(ASKS)
    return message.as_bytes()


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A home with the starter files, no hold, a token and a mail that waits; nothing has run on it."""
    home = tmp_path_factory.mktemp("points") / "home"
    toml = starter.write_into(home, business="Feld", timezone="UTC", language="en")[0]
    toml.write_text(toml.read_text().replace('hold = "30s"', 'hold = "0s"'))
    assert 'hold = "0s"' in toml.read_text()
    key = token(home)
    (home / "mail/in/new").mkdir(parents=True)
    (home / "mail/in/new/first.eml").write_bytes(enquiry())
    return home, key


def life(point: str, prepared: tuple[Path, str], folder: Path) -> dict[str, Any]:
    """Die at the point, start again, approve; what the home holds in the end."""
    home, key = folder / "home", prepared[1]
    shutil.copytree(prepared[0], home)
    served = Served(home)
    try:
        served.start(ready=False, SOLOIST_FAILPOINT=point)
        until(lambda: served.dead() or approved(served, key), what=f"the card or the end at {point}")
        past = time.monotonic() + (3.0 if point in COMMITS else 20.0)
        until(lambda: served.dead() or time.monotonic() > past, what=f"the end at {point}")
        code = served.process.poll() if served.process else None
        served.kill()
        served.start()
        until(lambda: approved(served, key), what="an approved proposal")
        until(lambda: waits_for_an_answer(served, key), what="the follow-up")
    finally:
        served.kill()
    return {"code": code, **held(home)}


def approved(served: Served, key: str) -> bool:
    """Whether the one proposal is approved; a waiting one is approved now. Any trouble means not yet."""
    headers, base = {"Authorization": f"Bearer {key}"}, f"http://127.0.0.1:{served.port}/api/v1"
    try:
        found = served.client.get(f"{base}/proposals", headers=headers).json()["items"]
        if found and found[0]["state"] == "waiting":
            said = {"decision": "approve", "payload_hash": found[0]["payload_hash"]}
            served.client.post(f"{base}/proposals/{found[0]['id']}/approval", headers=headers, json=said)
            return False
        return bool(found) and found[0]["state"] == "approved"
    except (httpx.TransportError, ValueError, KeyError):
        return False


def waits_for_an_answer(served: Served, key: str) -> bool:
    """Whether everything is done but the waiting for an answer to our mail."""
    runs = Counter((row["flow"], row["state"]) for row in served.every("/runs", key))
    return runs == {("intake", "done"): 1, ("proposal", "done"): 1, ("effect", "done"): 1, ("followup", "running"): 1}


def held(home: Path) -> dict[str, Any]:
    """What is in a home: files that left, rows of each noun, faults of the journal."""
    app = App(home)
    try:
        read = app.store.read_now
        count = {name: read(lambda conn, t=name: rows(conn, t)) for name in ("tasks", "proposals", "effects", "runs")}
        kinds = read(lambda conn: Counter(row["kind"] for row in rows(conn, "records")))
        ways = read(lambda conn: Counter(row["direction"] for row in rows(conn, "messages")))
        faults = app.verify_journal().faults
    finally:
        app.close()
    return {
        "mails": len(list((home / "mail/out/new").iterdir())),
        **{name: len(found) for name, found in count.items()},
        "kinds": dict(kinds),
        "ways": dict(ways),
        "states": [row["state"] for row in count["effects"]],
        "faults": faults,
    }


def rows(conn: Any, table: str) -> list[dict[str, Any]]:
    """Every row of a table."""
    return [dict(row) for row in conn.execute(getattr(tables, table).select()).mappings()]


@pytest.fixture(scope="session")
def lives(
    request: pytest.FixtureRequest, prepared: tuple[Path, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Future[dict[str, Any]]]]:
    """The selected points, two at a time."""
    chosen = [item.callspec.params["point"] for item in request.session.items if "point" in _params(item)]
    with ThreadPoolExecutor(2) as pool:
        yield {point: pool.submit(life, point, prepared, tmp_path_factory.mktemp("life")) for point in chosen}


def _params(item: pytest.Item) -> dict[str, Any]:
    return item.callspec.params if item.path == Path(__file__) and hasattr(item, "callspec") else {}


@pytest.mark.parametrize("point", EVERY)
def test_death_here_loses_and_doubles_nothing(point: str, lives: dict[str, Future[dict[str, Any]]]):
    end = lives[point].result()
    assert end.pop("code") == DIED or point in COMMITS[30:]
    assert end == {
        "mails": 1,
        "tasks": 1,
        "proposals": 1,
        "effects": 1,
        "runs": 4,
        "kinds": {"person": 1, "company": 1, "lead": 1},
        "ways": {"in": 1, "out": 1},
        "states": ["succeeded"],
        "faults": [],
    }
