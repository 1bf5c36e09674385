"""Mailboxes as the console shows them: how far, in what state, with what trouble."""

from __future__ import annotations

from pathlib import Path

from soloist.app import App
from soloist.engine.store import streams
from soloist.insight import mailboxes
from soloist.insight.mailboxes import Known

BOX = Known("mailbox", "mara@studio-linde.example", "imap.linde.example", True, past=("past",))


def line(app: App, box: Known = BOX) -> mailboxes.MailboxLine:
    return app.store.read_now(lambda conn: mailboxes.lines(conn, [box]))[0]


def test_a_mailbox_from_its_first_look_to_the_end_of_its_past(tmp_path: Path) -> None:
    app = App(tmp_path)
    assert (line(app).state, line(app).past_state, line(app).may_send) == ("waits for its first look", "", False)
    app.store.write_now(lambda tx: streams.put(tx, "mailbox", "inbox", cursor="1", state="reading", done=3))
    app.store.write_now(lambda tx: streams.put(tx, "mailbox", "past", cursor="1", state="reading", done=40, total=120))
    found = line(app)
    assert (found.state, found.taken, found.looked != "") == ("reading", 3, True)
    assert (found.past_state, found.past_done, found.past_total) == ("going on", 40, 120)
    app.store.write_now(lambda tx: streams.put(tx, "mailbox", "past", state="done"))
    assert line(app).past_state == "done"
    app.store.write_now(lambda tx: streams.put(tx, "mailbox", "inbox", trouble="The password was refused."))
    assert (line(app).tone, line(app).trouble) == ("bad", "The password was refused.")
    app.close()
