"""A day of 30 messages of a one-person company through the whole product, with a metered provider beside it.

The messages are drawn by a fixed chance from the invented set of tests/story: enquiries (a third, more than a day has),
clients, bills, appointments, support, thanks, mailings, automatic ones and spam, of strangers and known people, in four
languages. The provider answers with letters made of the lines it was given, in the form of address it was asked for, as
long as a model's, and bills by a real tokeniser. Nothing is learned from a day that is measured.
"""

from __future__ import annotations

import asyncio
import importlib.util
import json
import random
import re
import time
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from bench import world
from bench.figures import Figure, cpu_seconds
from soloist.app import App
from soloist.engine.local.embedder import DATA
from soloist.engine.local.wordpiece import WordPieces
from soloist.engine.store import costs, records
from soloist.engine.store.tables import runs
from soloist.engine.store.tables_spend import model_calls
from soloist.kernel.work import Worked
from tests.story import scoring

MESSAGES, DAYS, WORKDAYS = 30, 4, 22
"""Messages a day; days, the first half of which only teaches lengths; working days of a month."""
MODEL, PROVIDER, URL = "gpt-5-mini", "openai", "https://api.openai.com/v1"
NEAR = 0.2
PATIENCE = 400.0
_PROSE = {
    "en": (
        "Thank you for your message and for telling us so much about what you have in mind.",
        "It reads like a piece of work that we would be glad to take a closer look at together.",
        "So that you can plan, here is what we can already say.",
        "If anything of this raises a question, simply answer this message.",
        "As soon as we know a little more we will come back with a concrete suggestion.",
    ),
    "de": (
        "Vielen Dank für Ihre Nachricht und dafür, dass Sie Ihr Vorhaben so genau beschrieben haben.",
        "Das klingt nach einer Arbeit, die wir uns gern gemeinsam näher ansehen.",
        "Damit Sie planen können, hier schon einmal das, was feststeht.",
        "Wenn dazu etwas offen bleibt, antworten Sie einfach auf diese Nachricht.",
    ),
    "fr": (
        "Merci pour votre message et pour la description précise de votre projet.",
        "C'est un travail que nous serions heureux de regarder de plus près avec vous.",
        "Pour que vous puissiez vous organiser, voici ce que nous pouvons déjà dire.",
    ),
    "es": (
        "Gracias por su mensaje y por describir su proyecto con tanto detalle.",
        "Parece un trabajo que nos gustaría ver con más calma junto con usted.",
        "Para que pueda planificar, esto es lo que ya podemos decir.",
    ),
}
_FAMILIAR = {
    "de": (
        "Vielen Dank für deine Nachricht und dafür, dass du dein Vorhaben so genau beschrieben hast.",
        "Das klingt nach einer Arbeit, die wir uns gern gemeinsam näher ansehen.",
        "Damit du planen kannst, hier schon einmal das, was feststeht.",
        "Wenn dazu etwas offen bleibt, antworte einfach auf diese Nachricht.",
    ),
    "fr": (
        "Merci pour ton message et pour la description précise de ton projet.",
        "C'est un travail que nous serions heureux de regarder de plus près avec toi.",
        "Pour que tu puisses t'organiser, voici ce que nous pouvons déjà dire.",
    ),
    "es": (
        "Gracias por tu mensaje y por describir tu proyecto con tanto detalle.",
        "Parece un trabajo que nos gustaría ver con más calma contigo.",
        "Para que puedas planificar, esto es lo que ya podemos decir.",
    ),
}


def run() -> list[Figure]:
    """The figures of a day."""
    return asyncio.run(_run())


def _provider() -> Any:
    at = Path(__file__).parents[1] / "tests/stages/models/provider.py"
    spec = importlib.util.spec_from_file_location("model_provider", at)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Writer:
    """Answers a question for a letter with one, and any other with the shortest value that fits."""

    def __init__(self) -> None:
        self._count = WordPieces(DATA / "vocab.txt.gz")
        self.asked = 0

    def __call__(self, _provider: Any, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        texts = [str(message["content"]) for message in body["messages"]]
        whole = "\n".join(texts)
        said = json.dumps(self._letter(whole), ensure_ascii=False)
        self.asked += 1
        usage = {
            "prompt_tokens": self._tokens(json.dumps(body, ensure_ascii=False)),
            "completion_tokens": self._tokens(said),
        }
        choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": said}}
        told = {"id": "x", "object": "chat.completion", "created": 1, "model": body["model"], "choices": [choice]}
        return 200, {**told, "usage": {**usage, "total_tokens": sum(usage.values())}}

    def _tokens(self, text: str) -> int:
        return len(self._count(text, 1_000_000))

    def _letter(self, whole: str) -> dict[str, Any]:
        lines = {int(n): text for n, text in re.findall(r"(?m)^(\d+): (.+)$", whole)}
        must = re.search(r"These lines must be in it: ([\d, ]+)\.", whole)
        named = [int(n) for n in must[1].split(",")] if must else [*lines][:1]
        language = next((code for code, name in _NAMES.items() if f"reply in {name}" in whole), "en")
        luck = random.Random(len(whole))
        familiar = "the informal form of address" in whole
        prose = list((_FAMILIAR if familiar and language in _FAMILIAR else _PROSE)[language])
        luck.shuffle(prose)
        many = min(len(prose), 2 + len(named) // 2)
        return {"text": " ".join([*prose[:many], *(lines[n] for n in named if n in lines)]), "lines": named}


_NAMES = {"en": "English", "de": "German", "fr": "French", "es": "Spanish"}


def _price() -> tuple[float, float]:
    from genai_prices import Usage, calc_price

    found = [
        calc_price(Usage(input_tokens=a, output_tokens=b), MODEL, provider_id=PROVIDER).total_price * 1000
        for a, b in ((1000, 0), (0, 1000))
    ]
    return float(found[0]), float(found[1])


async def _run() -> list[Figure]:
    price, module, writer = _price(), _provider(), Writer()
    with module.serving(module.Provider(writer)) as provider, world.folder() as root:
        _home(root, provider.url, price)
        app = App(root)
        works: list[Worked] = []
        _watch(app, works)
        await app.start()
        try:
            luck = random.Random(11)
            chosen = luck.sample(list(scoring.cases()), MESSAGES * DAYS)
            half, begun, empty = MESSAGES * DAYS // 2, _cpu(app), app.home.database.stat().st_size
            for n in range(DAYS):
                if n == DAYS // 2:
                    works.clear()
                await _day(app, root, chosen[n * MESSAGES : (n + 1) * MESSAGES])
            cpu = (_cpu(app) - begun) / len(chosen)
            return [*_figures(app, works, half, price), *_weight(app, cpu, len(chosen), empty)]
        finally:
            await app.stop()
            app.close()


def _cpu(app: App) -> float:
    """Seconds of this process, its threads and the one that reads."""
    child = app.worker.pid
    return time.process_time() + (cpu_seconds(child) if child else 0.0)


def _weight(app: App, cpu: float, arrived: int, empty: int) -> list[Figure]:
    """What a message costs the machine, and how much of what is kept is whose; ``empty`` is the database before."""
    kept: dict[str, list[int]] = {}
    for row in app.store.read_now(costs.of_runs):
        kept.setdefault(row.agent.partition("@")[0] or row.flow, []).append(int(row.kept))
    each = sorted(((sum(sizes), name, len(sizes)) for name, sizes in kept.items()), reverse=True)
    said = ", ".join(f"{name} {whole / arrived / 1024:.1f} kB in {many} runs" for whole, name, many in each[:6])
    size = (app.home.database.stat().st_size - empty) / arrived / 1024
    return [
        Figure("a day: processor time of a message", cpu * 1000, "ms", "", "reading included; the provider's part too"),
        Figure("a day: kept for a message", size, "kB", "", f"what the database grew by; runs of {said}"),
    ]


def _home(root: Path, url: str, price: tuple[float, float]) -> None:
    from soloist.cli import starter

    starter.write_into(root, business="Studio Linde", timezone="Europe/Berlin", language="en")
    with (root / "soloist.toml").open("a", encoding="utf-8") as toml:
        toml.write(
            f'\n[models.small]\nbase_url = "{url}"\nmodel = "{MODEL}"\nallow_private_network = true\nwindow = 200000\n'
            f'price = {{ input = "{price[0]:g}", output = "{price[1]:g}", currency = "USD" }}\n'
            '[budgets]\nrun = "5"\nday = "50"\nmonth = "500"\n'
        )


def _watch(app: App, works: list[Worked]) -> None:
    """Every piece of work with its estimate and what it came to."""
    working: Any = app.desk.runtime._working
    plain = working.work

    async def work(*args: Any, **more: Any) -> Worked:
        found: Worked = await plain(*args, **more)
        works.append(found)
        return found

    working.work = work


async def _day(app: App, root: Path, cases: list[scoring.Case]) -> None:
    """Thirty messages arrive; over when no run is under way any more."""
    known = [case for case in cases if case.known]
    app.store.write_now(lambda tx: [_person(tx, case) for case in known])
    for name in ("new", "cur", "tmp"):
        (root / app.settings.mail.maildir_in / name).mkdir(parents=True, exist_ok=True)
    for case in cases:
        (root / app.settings.mail.maildir_in / "new" / case.id).write_bytes(scoring.raw(case))
    before = await app.store.read(_intakes)
    for _ in range(int(PATIENCE / 0.25)):
        await asyncio.sleep(0.25)
        if await app.store.read(_intakes) >= before + len(cases):
            return


def _person(tx: Any, case: scoring.Case) -> None:
    ident = records.create(tx, "person", case.from_name, {"emails": [case.from_address]}, why="bench")
    records.link(tx, "email", case.from_address, ident, rule="email", evidence={})


def _intakes(conn: Any) -> int:
    ended = (runs.c.flow == "intake") & runs.c.state.not_in(("pending", "running"))
    return int(conn.execute(sa.select(sa.func.count()).where(ended)).scalar() or 0)


def _figures(app: App, works: list[Worked], learning: int, price: tuple[float, float]) -> list[Figure]:
    calls = model_calls.c

    def look(conn: Any) -> tuple[int, int, int]:
        asked = sa.select(calls.run, sa.func.sum(calls.cost_micro)).where(calls.state != "refused").group_by(calls.run)
        rows = conn.execute(asked).all()
        return len(rows), sum(int(row[1]) for row in rows), _intakes(conn)

    asked, micro, arrived = app.store.read_now(look)
    known = [work for work in works if work.cost.get("micro")]
    near = [work for work in known if abs(work.estimate["micro"] - work.cost["micro"]) <= NEAR * work.cost["micro"]]
    without = 100 * (1 - asked / max(arrived, 1))
    month = micro / 1_000_000 / max(arrived, 1) * MESSAGES * WORKDAYS
    listed = f"{MODEL} of {PROVIDER}, {price[0]:g} in and {price[1]:g} out for a million tokens"
    came = {name: sum(work.came == name for work in known) for name in ("done", "fallback", "operator")}
    return [
        Figure("a day: messages that never reach a model", without, "%", ">= 60", f"{arrived} messages"),
        Figure("a day: a month at list price", month, "USD", "< 5.0001", f"{listed}; {WORKDAYS} days of {MESSAGES}"),
        Figure("a day: estimates within 20 %", 100 * len(near) / max(len(known), 1), "%", ">= 90",
               f"of {len(known)} pieces of work that asked, {came}; lengths of {learning} messages known before"),
    ]  # fmt: skip
