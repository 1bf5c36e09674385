"""Work that is given for the morning: the night takes it up, its runs end, and nothing of it is late unsaid."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from soloist.engine.store import night_jobs
from soloist.flows import roles
from soloist.flows.giving import Asked
from soloist.flows.night import Night
from soloist.insight import given as shown
from soloist.stages.runtime.models import wire
from tests.flows.conftest import House, Open

_SPEC = importlib.util.spec_from_file_location("by_morning", Path(__file__).parents[1] / "stages/models/provider.py")
assert _SPEC is not None
assert _SPEC.loader is not None
scripted: Any = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(scripted)

TRANSLATE = {"agent": "publisher", "skill": "translate", "input": {"text": "Good morning, Ada.", "to": "de"}}


@pytest.fixture
def provider() -> Iterator[Any]:
    german = json.dumps({"text": "Guten Morgen, Ada."})
    with scripted.serving(scripted.Provider(german)) as served:
        yield served


@pytest.fixture
def evening(house: Open, provider: Any) -> Callable[..., Any]:
    """Opens a house whose cheap hours begin in two hours, last one, and whose morning comes an hour after them."""

    async def open_house(more: str = "", **night: str) -> House:
        at = datetime.now(ZoneInfo("Europe/Berlin"))
        begin, end, ready = ((at + timedelta(hours=hours)).strftime("%H:%M") for hours in (2, 3, 4))
        lines = "".join(f'{key} = "{value}"\n' for key, value in night.items())
        part = f'base_url = "{provider.url}"\nmodel = "tiny"\nallow_private_network = true\ntier = 3\n'
        part += 'timeout = "60s"\nprice = { input = "1", output = "4", currency = "EUR" }\n'
        told = f'[night]\nbegin = "{begin}"\nend = "{end}"\nready = "{ready}"\n{lines}[models.small]\n{part}{more}'
        wire.load()
        home = await house(told)
        home.until = partial(home.until, seconds=60.0)  # type: ignore[method-assign]  # a model is slower than rules
        return home

    return open_house


def pass_hours(home: House, hours: float) -> None:
    """Let the clock of the house show a later hour."""
    home.app.store.clock = lambda: datetime.now(UTC) + timedelta(hours=hours)


async def give(home: House, **more: Any) -> str:
    made = await roles.giving(home.desk).give(Asked(**{**TRANSLATE, "lane": "morning", **more}), who="operator")
    return str(made["id"])


async def stopped_and_begun(home: House) -> House:
    """The process ends and another opens the same home."""
    await home.app.stop()
    home.app.close()
    again = House(home.root)
    again.until = partial(again.until, seconds=60.0)  # type: ignore[method-assign]  # a model is slower than rules
    await again.app.start()
    return again


def jobs(home: House) -> list[dict[str, Any]]:
    return home.app.store.read_now(night_jobs.open_)


async def ended(home: House, run: str) -> dict[str, Any]:
    await home.until(lambda: home.rows("runs", id=run)[0]["state"] == "done")
    (step,) = home.rows("run_steps", run=run, step="work")
    return dict(step["output"])


async def test_it_waits_for_its_hours_and_ends_in_them(evening: Any, provider: Any) -> None:
    home = await evening()
    run = await give(home)
    (job,) = await home.until(lambda: jobs(home))
    assert (job["run"], job["state"], provider.asked) == (run, "waiting", [])
    listed = home.app.store.read_now(lambda conn: shown.lines_of(conn, "publisher"))
    assert [(one.id, one.said) for one in listed] == [(run, "under way")]
    await Night(home.desk).look()
    assert [one["state"] for one in jobs(home)] == ["waiting"]
    pass_hours(home, 2.5)
    await Night(home.desk).look()
    found = await ended(home, run)
    assert (found["came"], found["value"]["text"], found["author"]) == ("done", "Guten Morgen, Ada.", "openai/tiny")
    assert (len(provider.asked), jobs(home)) == (1, [])


async def test_a_night_that_was_slept_through_is_said_and_the_work_is_done(evening: Any, provider: Any) -> None:
    home = await evening()
    run = await give(home)
    await home.until(lambda: jobs(home))
    pass_hours(home, 5)
    await Night(home.desk).look()
    assert (await ended(home, run))["came"] == "done"
    card = home.card(type="night")
    assert card is not None
    assert card["title"].startswith("Late: 1 piece of work for the morning of ")


async def test_the_same_waits_through_a_stop_of_the_server(evening: Any, provider: Any) -> None:
    home = await evening()
    run = await give(home)
    await home.until(lambda: jobs(home))
    again = await stopped_and_begun(home)
    assert [one["run"] for one in jobs(again)] == [run]
    pass_hours(again, 2.5)
    await Night(again.desk).look()
    assert (await ended(again, run))["value"]["text"] == "Guten Morgen, Ada."
    assert len(provider.asked) == 1
    await again.app.stop()
    again.app.close()


async def test_a_model_that_is_away_at_night_leaves_it_to_the_operator_with_the_reason(
    evening: Any, provider: Any
) -> None:
    provider.reply = 401
    home = await evening()
    run = await give(home)
    await home.until(lambda: jobs(home))
    pass_hours(home, 2.5)
    await Night(home.desk).look()
    found = await ended(home, run)
    assert found["came"] == "operator"
    assert "did not accept the key" in found["said"]
    assert home.rows("model_calls", state="reserved") == []
