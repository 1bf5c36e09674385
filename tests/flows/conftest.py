"""The whole of Studio Linde in this process: real flows, real store, real reading process; mail as files."""

from __future__ import annotations

import asyncio
import email
import email.policy
import re
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from soloist.app import App
from soloist.cli import sample
from soloist.engine.store import grants, tables
from soloist.engine.store.clock import iso
from soloist.engine.worker import Worker
from soloist.plugins.connectors import dropfolder, maildir
from soloist.stages.approvals import Decision
from tests.engine.store import databases
from tests.flows.by_step import Shop
from tests.flows.policy_rig import Rig

ASKS = (
    "Hello Mara,\n\nwe need a new website with about six pages. Our budget is 3,000 to 4,000 EUR and we would like to "
    "start in spring, ideally in March. How long does a website take?\n\nKind regards\nEmily Carter\n"
)
EMILY = "Emily Carter <emily@carter-bakery.example>"


def mail(
    text: str = ASKS,
    *,
    sender: str = EMILY,
    subject: str = "New website for our bakery",
    ident: str = "one@carter-bakery.example",
    answers: str = "",
    **headers: str,
) -> EmailMessage:
    """A mail to Mara; ``answers`` is the Message-ID it replies to, ``headers`` have _ for -."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, "mara@studio-linde.example", subject
    message["Message-ID"] = f"<{ident}>"
    if answers:
        message["In-Reply-To"] = message["References"] = f"<{answers.strip('<>')}>"
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content(text)
    return message


class House:
    """One home with a running engine."""

    def __init__(self, root: Path) -> None:
        self.root, self.app = root, App(databases.born(root))
        self.desk, self.delivered = self.app.desk, 0

    def rows(self, table: str, **wanted: Any) -> list[dict[str, Any]]:
        """Rows of a table in the order they were made, with these column values."""
        named = tables.metadata.tables[{"notes": "annotations", "streams": "intake_streams"}.get(table, table)]
        query = named.select().where(*(named.c[key] == value for key, value in wanted.items()))

        def read(conn: sa.Connection) -> list[dict[str, Any]]:
            made = sa.literal_column("rowid" if conn.dialect.name == "sqlite" else "ctid")
            return [dict(row) for row in conn.execute(query.order_by(made)).mappings()]

        return self.app.store.read_now(read)

    def card(self, **wanted: Any) -> dict[str, Any] | None:
        """The one open card with these column values, None when there is none."""
        found = self.rows("tasks", state="open", **wanted)
        assert len(found) < 2, [row["title"] for row in found]
        return found[0] if found else None

    async def until(self, true: Callable[[], Any], seconds: float = 90.0) -> Any:
        """The first true answer."""
        for _ in range(int(seconds / 0.02)):
            if found := true():
                return found
            await asyncio.sleep(0.02)
        raise AssertionError(
            f"not within {seconds} s; runs: {[(r['id'], r['state'], r['error'][:200]) for r in self.rows('runs')]}"
        )

    async def take_in(self, message: EmailMessage) -> dict[str, Any]:
        """Deliver a mail and wait until its intake has ended; answers the run."""
        folder, self.delivered = self.root / "mail/in", self.delivered + 1
        name = f"{self.delivered}.eml"
        (folder / "tmp" / name).write_bytes(message.as_bytes())
        (folder / "tmp" / name).rename(folder / "new" / name)
        known = {row["id"] for row in self.rows("runs", flow="intake")}

        def ended() -> Any:
            fresh = [row for row in self.rows("runs", flow="intake") if row["id"] not in known]
            return fresh and fresh[0]["state"] in ("done", "failed") and fresh[0]

        return dict(await self.until(ended))

    async def proposed(self, message: EmailMessage | None = None) -> dict[str, Any]:
        """The one waiting proposal, after an enquiry was taken in."""
        await self.take_in(message or mail())
        return self.waiting()

    def waiting(self) -> dict[str, Any]:
        """The one proposal that waits."""
        (found,) = self.rows("proposals", state="waiting")
        return found

    async def say(self, proposal: dict[str, Any], decision: str, **more: Any) -> dict[str, Any]:
        """Decide on what a proposal says now."""
        said = Decision(decision, proposal["payload_hash"], "operator", "test", **more)
        return await self.desk.approvals.decide(proposal["id"], said)

    async def choose(self, card: dict[str, Any], option: str) -> dict[str, Any]:
        """Choose an option of a card that is not about bytes."""
        return await self.desk.decide_card(card["id"], option, digest="", who="operator", via="test")

    def grant(self, *gates: str, **more: Any) -> str:
        """A grant of the operator's for mail, by itself for a month; answers its id."""
        end = iso(self.app.store.clock() + timedelta(days=30))
        given = {"title": "mail", "operation": "mail.send", "gates": gates, "until": end, "who": "operator", **more}
        return self.app.store.write_now(lambda tx: grants.insert(tx, given))

    def sent(self) -> list[EmailMessage]:
        """The mails that left."""
        found = sorted((self.root / "mail/out/new").glob("*"), key=lambda path: path.stat().st_mtime_ns)
        return [email.message_from_bytes(path.read_bytes(), policy=email.policy.default) for path in found]

    async def has_sent(self, count: int = 1) -> list[EmailMessage]:
        """The mails that left, once there are so many and each is on its thread."""
        await self.until(lambda: len(self.rows("messages", direction="out")) == count)
        assert len(self.sent()) == count
        return self.sent()


Open = Callable[..., Awaitable[House]]


class _Shared(Worker):
    """The reading process of all tests of a session."""

    def close(self) -> None:
        """It is ended at the end of the session."""


@pytest.fixture(scope="session")
def worker() -> Iterator[Worker]:
    made = _Shared(idle=600.0)
    yield made
    Worker.close(made)


@pytest.fixture
async def house(tmp_path: Path, worker: Worker, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Open]:
    """Opens Studio Linde without its sample mails; keyword arguments replace values of its soloist.toml."""
    monkeypatch.setattr("soloist.app.Worker", lambda: worker)
    for plugin in (maildir, dropfolder):
        monkeypatch.setattr(plugin, "LOOK_EVERY", 0.04)
    opened: list[House] = []

    async def open_house(more: str = "", **values: str) -> House:
        prepare(tmp_path / "home", more, {"hold": "0s", **values})
        made = House(tmp_path / "home")
        opened.append(made)
        await made.app.start()
        return made

    yield open_house
    for made in opened:
        await made.app.stop()
        made.app.close()


def prepare(home: Path, more: str, values: dict[str, str]) -> None:
    """The files of a home."""
    for part in ("new", "cur", "tmp"):
        (home / "mail/in" / part).mkdir(parents=True)
    shutil.copy(sample.HERE / "house-book.md", home)
    text = (sample.HERE / "soloist.toml").read_text(encoding="utf-8")
    for key, value in values.items():
        text, changed = re.subn(rf'^{key} = "\w+"', f'{key} = "{value}"', text, flags=re.MULTILINE)
        assert changed == 1, key
    (home / "soloist.toml").write_text(f"{text}\n{more}", encoding="utf-8")


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Callable[..., Rig]]:
    """Opens a home without an engine, once or again; the text is added to its soloist.toml."""
    opened: list[Rig] = []

    def make(more: str = "") -> Rig:
        opened.append(Rig(tmp_path / "home", more))
        return opened[-1]

    yield make
    for one in opened:
        one.app.close()


@pytest.fixture
def shop(tmp_path: Path, worker: Worker, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    """Studio Linde without an engine, where a message takes its way step by step."""
    monkeypatch.setattr("soloist.app.Worker", lambda: worker)
    prepare(tmp_path / "home", "", {"hold": "0s"})
    made = Shop(tmp_path / "home")
    yield made
    made.app.close()
