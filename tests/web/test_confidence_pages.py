"""The pages of confidence and intents over a real home, and the same over the API."""

from __future__ import annotations

from typing import Any

from soloist.engine.store import conversations, samples


def drawn(app: Any) -> str:
    """A message that was set aside and drawn; the id of its sample."""

    def work(tx: Any) -> str:
        row = {"conversation": conversations.open_new(tx, "mail", "x"), "direction": "in", "at": tx.now}
        ident = conversations.add(tx, {**row, "text": "Buy links", "subject": "Links <b>", "sender": "v@x.example"})
        told = {"language": "en", "grouping": "aside", "confidence": 9000, "label": "spam", "alone": 1}
        found = samples.tell(tx, ident, "kind", **told)
        samples.draw(tx, [found])
        return found

    return str(app.store.write_now(work))


def test_a_sample_is_shown_and_judged(real_console: Any, app: Any) -> None:
    ident = drawn(app)
    page = real_console.get("/confidence").text
    assert "Links &lt;b&gt;" in page
    assert real_console.post(f"/confidence/samples/{ident}", data={"said": "right"}).status_code == 303
    page = real_console.get("/confidence").text
    assert "Links" not in page
    assert "1 of 1 were right so far. 51 more decisions" in page


def test_an_intent_is_kept_shown_and_taken_out(real_console: Any) -> None:
    given = {
        "name": "move",
        "title": "Another day",
        "leads": "way:scheduling",
        "examples": "Can we move it?\n\nMove it",
    }
    assert real_console.post("/intents", data=given).status_code == 303
    page = real_console.get("/intents").text
    assert "2 examples written by you" in page
    assert "the usual way of: scheduling" in page
    assert real_console.post("/intents/move/end").status_code == 303
    assert "There are none" in real_console.get("/intents").text


def test_what_does_not_fit_comes_back_with_what_was_written(real_console: Any) -> None:
    page = real_console.post("/intents", data={"name": "Move!", "leads": "way:scheduling", "examples": "x"})
    assert page.status_code == 422
    assert "small letters" in page.text
    assert 'value="Move!"' in page.text
