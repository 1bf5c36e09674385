"""The pages of corrections and trials over a real home: what was kept, what is offered, a trial side by side."""

from __future__ import annotations

from typing import Any

from starlette.testclient import TestClient

from soloist.app import App
from soloist.engine.calls import Call
from soloist.engine.store import calls, corrections, tables
from soloist.engine.store.corrections import NewCorrection

BODY = "Hi Emily,\n\nThank you for your enquiry.\n\nKind regards\nMara"


def corrected(app: App, n: int) -> None:
    """A draft that the operator changed, with the call that made it."""
    given = {"body": BODY}
    row = {"id": f"intake:{n}", "flow": "intake", "input": "e", "subject": "e", "state": "done", "agent": "intake@1"}
    made = [Call("money", "1", {"text": "our budget is 3k"}, "", {"body": BODY, "subject": "Hi"})]
    about: dict[str, Any] = {"skill": "draft_reply", "sort": "enquiry", "language": "en", "agent": "intake@1"}
    new = {"body": BODY.replace("Kind", "Warm")}

    def work(tx: Any) -> None:
        tx.run(tables.runs.insert(), {**row, "started": tx.now, "ended": tx.now})
        calls.keep(tx, row["id"], "answer", made)
        more = {"run": row["id"], "about": {"names": {"{name}": "Emily"}}}
        corrections.note(tx, NewCorrection("edit", f"p{n}", given, new, 40, "operator", **about, **more))

    app.store.write_now(work)


def test_an_offer_is_taken_and_ended(real_console: TestClient, app: App) -> None:
    for n in range(3):
        corrected(app, n)
    page = real_console.get("/corrections").text
    assert "Warm regards" in page and "You did so in 3 drafts" in page
    given = {"skill": "draft_reply", "language": "en", "old": "Kind regards", "new": "Warm regards"}
    assert real_console.post("/corrections/wordings", data={**given, "say": "yes"}).status_code == 303
    page = real_console.get("/corrections").text
    assert "Your wording" in page and "again and again" not in page
    ident = page.partition("/corrections/wordings/")[2].partition("/")[0]
    assert real_console.post(f"/corrections/wordings/{ident}/end").status_code == 303
    assert "Your wording" not in real_console.get("/corrections").text
    assert real_console.post("/corrections/wordings", data={**given, "new": "Yo"}).status_code == 404


def test_a_slip_is_dropped(real_console: TestClient, app: App) -> None:
    corrected(app, 1)
    (row,) = app.store.read_now(corrections.listed)
    assert real_console.post(f"/corrections/{row['id']}/drop").status_code == 303
    assert "Nothing yet." in real_console.get("/corrections").text


def test_one_run_is_replayed_and_shows_what_differs(real_console: TestClient, app: App) -> None:
    corrected(app, 1)
    begun = real_console.post("/replay", data={"kind": "run", "name": "intake:1"}, follow_redirects=False)
    assert begun.status_code == 303
    page = real_console.get(begun.headers["location"]).text
    assert "otherwise" in page and "money" in page
    assert "/replay/" in real_console.get("/replay").text


def test_a_wrong_trial_is_said_on_the_page(real_console: TestClient) -> None:
    wrong = real_console.post("/replay", data={"what": "skill:no_such"})
    assert wrong.status_code == 404 and "There is no skill called" in wrong.text
    broken = real_console.post("/replay", data={"kind": "policy", "text": "[[policy.rules]]\nwhat = 1"})
    assert broken.status_code == 422 and "policy.toml" in broken.text
    assert real_console.get("/replay/none").status_code == 404
