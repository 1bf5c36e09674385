"""A person who left traces everywhere in a home, beside somebody whose data must stay."""

from __future__ import annotations

import base64
from typing import Any

from soloist.app import App
from soloist.engine.store import assets, conversations, memories, records, tasks
from soloist.engine.store.tables import contexts, runs, thread_ids
from soloist.engine.store.tables import run_steps as steps
from soloist.engine.store.tables_memory import facts, retrievals
from soloist.flows.indexing import Indexing
from soloist.kernel.memory import NewMemory

NAME, ADDRESS, PHONE = "Zebulon Quartzmire", "zeb@quartzmire.example", "+49 40 7734158"
TEXTS = (NAME, ADDRESS, "7734158", "quartzmire", "Zebulon", "040 77 34 158")
MAIL = (
    f"From: {NAME} <{ADDRESS}>\r\nTo: mara@studio-linde.example\r\nSubject: offer for {NAME}\r\n"
    "Content-Transfer-Encoding: base64\r\n\r\n"
).encode() + base64.encodebytes(f"Please call {PHONE}.\n{NAME}\n".encode() * 4)


def plant(app: App) -> dict[str, str]:
    """Zebulon in every kind of row and file, and Ada Okafor, who names him once; ids by name."""
    path = assets.write_file(app.home.assets, MAIL * 300)

    def work(tx: Any) -> dict[str, str]:
        person = records.create(
            tx, "person", NAME, {"name": NAME, "emails": [ADDRESS], "phones": [PHONE]}, why=f"mail of {NAME}"
        )
        ada = records.create(
            tx, "person", "Ada Okafor", {"name": "Ada Okafor", "emails": ["ada@okafor.example"]}, why="mail"
        )
        lead = records.create(tx, "lead", f"Website for {NAME}", {"person": person}, why="mail")
        bill = records.create(
            tx,
            "invoice",
            f"2026-014 {NAME}",
            {"client": person, "number": "2026-014", "amount": {"minor": 11900, "currency": "EUR"}},
            why="sent",
        )
        records.link(tx, "email", ADDRESS, person, rule="email", evidence={"from": ADDRESS})
        thread = conversations.open_new(tx, "mail", f"offer for {NAME}")
        tx.run(conversations.conversations.update().values(record=person))
        event = tx.append(
            "mail.received",
            payload={"from": ADDRESS, "text": f"Hello,\n{NAME}"},
            external_id=f"{ADDRESS} {tx.new_id()}",
        )
        raw, large = assets.keep(tx, MAIL, "message/rfc822", ""), assets.keep(tx, MAIL * 300, "text/plain", path)
        said = {"sender": ADDRESS, "sender_name": NAME, "subject": f"offer for {NAME}", "text": f"Call {PHONE}\n{NAME}"}
        message = conversations.add(
            tx,
            {"conversation": thread, "event": event.id, "direction": "in", "at": tx.now, **said, "asset": raw}
            | {"attachments": [{"asset": large, "name": "cv.txt"}], "message_id": f"<1@{ADDRESS}>"},
        )
        tx.append("message.received", subject=message, payload={"from": NAME})
        tx.run(thread_ids.insert(), {"ref": f"<1@{ADDRESS}>", "conversation": thread})
        other = conversations.open_new(tx, "mail", "lunch")
        theirs = conversations.add(
            tx,
            {"conversation": other, "event": "", "direction": "in", "at": tx.now, "sender": "ada@okafor.example"}
            | {"text": f"I met\n{NAME} yesterday. Lunch on Friday?", "subject": "lunch"},
        )
        tx.append("message.received", subject=theirs, payload={"from": "Ada"})
        items = [
            NewMemory(f"{NAME} likes slate", record=person),
            NewMemory(f"Ada knows {ADDRESS}", record=ada),
            NewMemory("Ada likes tea", record=ada),
        ]
        kept = memories.add(tx, items, actor="soloist")
        fact = {"id": tx.new_id(), "record": person, "attribute": "phone", "value": PHONE, "quote": f"call {PHONE}"}
        tx.run(facts.insert(), {**fact, "event": event.id})
        asked = {"id": tx.new_id(), "query": f"what does {NAME} want", "hits": [], "seq": 1, "created": tx.now}
        tx.run(retrievals.insert(), asked)
        tx.run(runs.insert(), {"id": f"intake:{event.id}", "flow": "intake", "input": event.id, "state": "done"})
        tx.run(
            steps.insert(),
            {"run": f"intake:{event.id}", "step": "read", "n": 0, "output": {"from": f"{NAME} <{ADDRESS}>"}},
        )
        tx.run(
            contexts.insert(),
            {"id": tx.new_id(), "run": f"intake:{event.id}", "records": [{"id": person, "title": NAME}]},
        )
        tasks.open_card(tx, f"card-{event.id}", "question", f"What does {NAME} want?", record=person, subject=message)
        tasks.annotate(tx, message, "note", f"{NAME} called from {PHONE}")
        named = {"person": person, "ada": ada, "lead": lead, "bill": bill, "message": message, "theirs": theirs}
        return {**named, "event": event.id, "tea": kept[2], "other": kept[1], "large": large}

    made = app.store.write_now(work)
    _files(app)
    return made


def _files(app: App) -> None:
    (app.home.logs / "soloist.log").write_text(f'{{"event": "read", "from": "{ADDRESS}"}}\n{{"event": "other"}}\n')
    for folder, name in (("mail/in/cur", "1.mail"), ("drop/done", "2.eml")):
        (app.home.root / folder).mkdir(parents=True, exist_ok=True)
        (app.home.root / folder / name).write_bytes(MAIL)
    (app.home.root / "mail/in/cur/other.mail").write_bytes(b"From: ada@okafor.example\r\n\r\nHello")


async def indexed(app: App) -> None:
    """Everything is in the index of words."""
    await Indexing(app.store).catch_up(5)


def left(app: App) -> list[str]:
    """Files of the home in which something of the person can be read, by a search of its own."""
    found = []
    for path in sorted(app.home.root.rglob("*")):
        if path.is_file() and app.home.keys not in path.parents:
            data = path.read_bytes().lower()
            forms = [form for text in TEXTS for form in (text.lower().encode(), text.lower().encode("utf-16-le"))]
            found += [f"{path.name}: {form!r}" for form in forms if form in data]
            found += [f"{path.name}: base64" for piece in _packed() if piece.lower() in data]
    return found


def _packed() -> list[bytes]:
    return [base64.b64encode(NAME.encode())[2:-4], base64.b64encode(b"12" + NAME.encode())[4:-4]]
