"""The operator's words on messages change what the local model answers; a bad fit changes nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from soloist.app import App
from soloist.engine.local import serve
from soloist.engine.store import conversations, events, labels
from soloist.engine.worker import LocalWorker
from soloist.kernel.errors import WorkerTrouble
from soloist.stages.runtime import learning

SHIPPED = {
    "enquiry": "We need a new website and would like an offer from you for the pages",
    "spam": "Our backlinks bring your website to the first page of every search, guaranteed",
    "billing": "Please find attached the invoice for last month, payable in two weeks",
}
ODD = "Grant round four opens for makers in the harbour district, tell us your tariff for the jury."


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[App]:
    """A home whose shipped examples are few, so that a fit takes a moment."""
    data = tmp_path / "data"
    data.mkdir()
    lines = [
        {"label": label, "subject": "", "text": " ".join(text.split()[cut:]), "lang": "en"}
        for label, text in SHIPPED.items()
        for cut in range(5)
    ]
    (data / "examples-en.jsonl").write_text("\n".join(map(json.dumps, lines)))
    monkeypatch.setattr(serve, "DATA", data)
    made = App(tmp_path / "home")
    made.desk.runtime._fitter = LocalWorker
    made.desk.runtime._worker = LocalWorker()
    yield made
    made.close()


def message(app: App, text: str, number: int = 0) -> str:
    """A message from a stranger; its id."""

    def work(tx: Any) -> str:
        row = {"conversation": conversations.open_new(tx, "mail", "x"), "direction": "in", "at": tx.now, "text": text}
        more = {"subject": "", "sender": f"p{number}@x.example", "sender_name": "", "language": "en", "kind": ""}
        return conversations.add(tx, {**row, **more, "attachments": [], "recipients": [], "answer_to": ""})

    return str(app.store.write_now(work))


def say(app: App, text: str, label: str, number: int = 0) -> None:
    """The operator's word on a message with this text."""
    ident = message(app, text, number)
    app.store.write_now(lambda tx: labels.add(tx, ident, "kind", label, was="unsure", source="card", who="operator"))


async def chance(app: App, text: str, label: str) -> float:
    """What the model in use finds."""
    path = app.store.read_now(lambda conn: learning.fitted(conn, app.home))
    told = await app.desk.runtime._worker.call("local.classify", {"text": text, "model": path})
    return float(told["probabilities"][label])


async def test_labels_change_the_answer_and_the_model_is_named(app: App) -> None:
    before = await chance(app, ODD, "enquiry")
    for number in range(5):
        say(app, ODD, "enquiry", number)
    assert await app.desk.runtime.refit_due()
    told = await app.desk.runtime.refit()
    assert told["adopted"], told
    assert not await app.desk.runtime.refit_due()
    assert await chance(app, ODD, "enquiry") > max(before, 0.5)
    found = await app.desk.runtime.understand("run-1", message(app, ODD, 9))
    assert found["kind"] == "enquiry"
    assert f"classifier kind@{told['model'][5:13]}" in found["rule"]


async def test_a_fit_is_in_the_journal(app: App) -> None:
    say(app, ODD, "enquiry")
    await app.desk.runtime.refit()
    (event,) = app.store.read_now(lambda conn: events.after(conn, 0, 10, kind="model.refitted"))
    assert event["payload"]["own"] == 1
    assert event["payload"]["examples"] == 16
    assert event["subject"].startswith(f"kind-{event['payload']['sha256'][:16]}")


async def test_words_that_contradict_each_other_leave_the_model_alone(app: App) -> None:
    for number, label in enumerate(["enquiry", "spam", "billing", "support", "client"]):
        say(app, ODD, label, number)
    told = await app.desk.runtime.refit()
    assert not told["adopted"]
    assert "of 5 of your words" in told["why"]
    assert app.store.read_now(lambda conn: learning.fitted(conn, app.home)) == ""
    assert not await app.desk.runtime.refit_due(), "the same words are not fitted again"


async def test_a_changed_file_is_noticed_and_the_shipped_model_answers(app: App) -> None:
    say(app, ODD, "enquiry")
    told = await app.desk.runtime.refit()
    path = learning.folder(app.home) / told["model"]
    path.write_bytes(path.read_bytes() + b"x")
    said = await LocalWorker().call("local.classify", {"text": ODD, "model": str(path)})
    assert "was changed after it was fitted" in said["trouble"]
    assert said["probabilities"]


async def test_a_fit_that_fails_leaves_everything_as_it_was(app: App) -> None:
    class Dies(LocalWorker):
        async def call(self, skill: str, value: Any, blob: bytes = b"", *, timeout: float = 20.0) -> Any:
            raise WorkerTrouble("killed")

    app.desk.runtime._fitter = Dies
    say(app, ODD, "enquiry")
    with pytest.raises(WorkerTrouble):
        await app.desk.runtime.refit()
    assert not learning.folder(app.home).exists()


async def test_a_long_message_gets_a_summary_of_its_own_words(app: App) -> None:
    text = " ".join(
        f"We need page number {number} of our website to show the pots of {number} potters." for number in range(14)
    )
    ident = message(app, text)
    await app.desk.runtime.understand("run-1", ident)
    row = app.store.read_now(lambda conn: conversations.message(conn, ident))
    assert len(row["summary"]) == 3
    assert all(text[part["start"] : part["end"]] == part["text"] for part in row["summary"])
