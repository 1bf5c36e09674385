"""The review of a mailbox as a page: three lists with boxes, taken over once; before that, how far it was read."""

import json

from soloist.engine.store import assets
from soloist.insight.takeover import FOUND

ADA = {"address": "ada@okafor-ceramics.example", "name": "Ada <Okafor>", "company": "okafor-ceramics.example"}
CLIENT = {**ADA, "count": 4, "first": "2026-10-01", "last": "2026-11-01", "mailbox": "box", "ticked": True}


def found(app) -> None:
    data = json.dumps({"clients": [CLIENT], "threads": [], "promises": []}).encode()

    def keep(tx) -> None:
        digest = assets.keep(tx, data, "application/json", "")
        tx.append(FOUND, subject="box", payload={"asset": digest, "clients": 1, "threads": 0, "promises": 0})

    app.store.write_now(keep)


def test_before_the_mail_was_read_the_page_says_so(real_console):
    assert "No mail of this mailbox was read yet" in real_console.get("/takeover/box").text


def test_the_lists_are_ticked_and_what_came_from_outside_is_escaped(app, real_console):
    found(app)
    text = real_console.get("/takeover/box").text
    assert "Ada &lt;Okafor&gt;" in text
    assert 'name="clients" value="ada@okafor-ceramics.example" checked' in text


def test_what_is_ticked_is_taken_once(app, real_console):
    found(app)
    assert real_console.post("/takeover/box", data={"clients": [ADA["address"]]}).status_code == 303
    text = real_console.get("/takeover/box").text
    assert "Taken over: 1 clients" in text or "Taken over: 1 client" in text
    assert real_console.post("/takeover/box", data={"clients": [ADA["address"]]}).status_code == 409
    assert "Okafor" in real_console.get("/records/person").text
