"""What the pages show of a real store."""

import re

from soloist.engine.store import effects as effect_rows
from soloist.engine.store import records as record_rows
from soloist.engine.store import runs as run_rows
from soloist.engine.store import tasks as task_rows
from soloist.engine.store.tables import proposals as proposal_table
from soloist.insight import activity, explanation, inbox, records, runs, setup, sheets
from soloist.insight.views import Frame
from soloist.web import render

NOW = "2026-11-21T12:00:00.000000Z"


async def read(app, query):
    return await app.store.read(query)


async def approve(app, reply, **edits):
    await app.desk.decide_card(
        reply["card"], "approve", digest=reply["hash"], who="operator", via="console", edits=edits or None
    )


async def test_the_desk_shows_a_waiting_reply(app, reply):
    page = await read(app, lambda c: inbox.page(c, now=NOW))
    assert [(r.kind, r.value, r.reason, r.tone) for r in page.rows] == [
        ("Reply", "EUR 4,500", "Not met: minimum budget", "warn")
    ]
    assert page.current is not None
    assert page.current.id == reply["card"]


async def test_an_empty_desk_says_what_comes_next(app):
    page = await read(app, lambda c: inbox.page(c, now=NOW))
    assert (page.waiting, page.current, page.next_planned) == (0, None, "New messages are read as they come in.")


async def test_a_sheet_is_bound_to_the_waiting_content(app, reply):
    sheet = await read(app, lambda c: sheets.sheet(c, reply["card"]))
    assert sheet.payload_hash == reply["hash"]
    assert [(f.name, f.editable) for f in sheet.draft] == [("to", False), ("subject", True), ("body", True)]
    assert sheet.will_run[0].startswith('mail.send to ada@okafor-ceramics.example, "Re: New shop"')


async def test_a_sheet_shows_their_own_words_apart_from_the_quoted(app, reply):
    message = (await read(app, lambda c: sheets.sheet(c, reply["card"]))).message
    assert message is not None
    assert (message.own_text, message.quoted, message.attachments) == (
        "Can you build it?",
        "> earlier words",
        ("pieces.pdf",),
    )


async def test_an_answer_to_another_address_is_warned_of(app, reply):
    from soloist.engine.store.tables import messages

    change = messages.update().values(sender="other@quick-offers.example")
    await app.store.write(lambda tx: tx.run(change) and None)
    sheet = await read(app, lambda c: sheets.sheet(c, reply["card"]))
    assert "the message came from other@quick-offers.example" in sheet.address_warning


async def test_an_approval_can_be_taken_back_while_it_is_held(app, reply):
    await approve(app, reply)
    now = app.store.clock().strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    said = await read(app, lambda c: inbox.outcome(c, reply["card"], now))
    assert said is not None
    assert said.undo
    await app.desk.undo_proposal(reply["id"], who="operator")
    said = await read(app, lambda c: inbox.outcome(c, reply["card"], now))
    assert said is not None
    assert said.text == "Taken back. Nothing was sent; it waits for you again."


async def test_why_shows_what_was_edited_before_the_approval(app, reply):
    await approve(app, reply, body="Dear Ada,\n\na shop starts at EUR 4,200.\n\nMara Linde")
    page = await read(app, lambda c: explanation.page(c, reply["id"]))
    edit = page.approvals[0].edits[0]
    assert {p.text.strip() for p in edit.pieces if p.op != "same"} == {"3,800.", "4,200."}


async def test_why_tells_the_life_of_an_effect(app, reply):
    await approve(app, reply)
    await app.desk.effects.intend(f"proposal:{reply['id']}", reply["id"])
    page = await read(app, lambda c: explanation.page(c, reply["card"]))
    assert "It is approved and has not left yet" in page.happened
    assert page.attempts[0].state == "Held for 30 s"
    assert page.can_undo


async def test_every_id_of_the_story_leads_to_the_same_explanation(app, reply):
    await approve(app, reply)
    titles = [
        (await read(app, lambda c, i=i: explanation.page(c, i))).title
        for i in (reply["id"], reply["card"], f"proposal:{reply['id']}")
    ]
    assert titles == ["Reply to Ada Okafor: New shop"] * 3


async def test_a_message_without_an_answer_is_explained_too(app, reply):
    page = await read(app, lambda c: explanation.page(c, reply["message"]))
    assert page.message is not None
    assert "no answer was proposed" in page.happened


async def test_the_activity_is_in_sentences_newest_first(app, reply):
    await approve(app, reply)
    page = await read(app, lambda c: activity.page(c, group="decided"))
    assert [(e.who, e.text) for e in page.entries] == [
        ("You", "approved: Re: New shop, to ada@okafor-ceramics.example")
    ]


async def test_the_activity_can_be_searched(app, reply):
    page = await read(app, lambda c: activity.page(c, query="reads as an enq"))
    assert [e.text.split(":")[0] for e in page.entries] == ["proposed"]


async def test_a_percent_sign_is_searched_as_one(app, reply):
    assert (await read(app, lambda c: activity.page(c, query="100%"))).entries == ()


async def test_pages_of_the_activity_follow_each_other(app):
    await app.store.write(lambda tx: [tx.append("test.thing") for _ in range(70)] and None)
    first = await read(app, lambda c: activity.page(c))
    second = await read(app, lambda c: activity.page(c, before=first.next.rpartition("=")[2]))
    seqs = [e.seq for e in (*first.entries, *second.entries)]
    assert seqs == sorted(seqs, reverse=True)
    assert len(set(seqs)) == len(seqs) == 70


async def test_seen_starts_the_since_line_anew(app, reply):
    assert (await read(app, lambda c: inbox.page(c, now=NOW))).since[0].text == "1 arrived"
    await app.store.write(inbox.mark_seen)
    assert (await read(app, lambda c: inbox.page(c, now=NOW))).since == ()


async def test_a_record_shows_who_changed_what(app):
    ident = await app.store.write(lambda tx: record_rows.create(tx, "person", "Ada", {"name": "Ada"}, why="mail"))
    await app.desk.records.put("person", ident, 1, {"name": "Ada Okafor"}, actor="operator")
    page = await read(app, lambda c: records.record(c, "person", ident))
    assert [(v.number, v.who) for v in page.versions] == [(2, "you: changed by hand"), (1, "Soloist: mail")]
    assert page.versions[0].changes[0].after == "Ada Okafor"


async def test_records_are_found_by_title_and_paged(app):
    def many(tx):
        for n in range(60):
            record_rows.create(tx, "person", f"Person {n}", {"name": f"Person {n}"}, why="test")

    await app.store.write(many)
    first = await read(app, lambda c: records.page(c, kind="person"))
    assert len(first.rows) == 50
    after = first.next.partition("after=")[2].replace("%3A", ":").replace("%7E", "~")
    assert len((await read(app, lambda c: records.page(c, kind="person", after=after))).rows) == 10
    assert len((await read(app, lambda c: records.page(c, kind="person", query="son 5"))).rows) == 11


async def test_a_waiting_run_says_what_it_waits_for(app, reply):
    await app.store.write(lambda tx: run_rows.begin(tx, f"proposal:{reply['id']}"))
    await app.desk.approvals.await_state(f"proposal:{reply['id']}", reply["id"])
    page = await read(app, lambda c: runs.run(c, f"proposal:{reply['id']}"))
    assert page.state == "waiting"
    assert page.now_what[0].href == f"/cards/{reply['card']}"


async def test_settings_show_the_rule_that_cannot_be_removed(app):
    page = await read(app, lambda c: setup.page(c, app.settings, now=NOW, home="h", session="", connectors=[]))
    assert page.rules[-1].then == "ask"


async def test_a_card_that_came_after_the_last_look_is_marked(app, reply):
    rows = (await read(app, lambda c: inbox.page(c, now=NOW))).rows
    await app.store.write(inbox.mark_seen)
    seen = (await read(app, lambda c: inbox.page(c, now=NOW))).rows
    assert (rows[0].mark, seen[0].mark) == ("", "")
    await app.store.write(lambda tx: task_rows.open_card(tx, "later", "question", "And this?") and None)
    assert sorted(r.mark for r in (await read(app, lambda c: inbox.page(c, now=NOW))).rows) == ["", "new"]


async def test_a_new_draft_shows_what_is_different_from_the_one_it_replaced(app, reply):
    def again(tx):
        payload = {"to": ["ada@okafor-ceramics.example"], "subject": "Re: New shop", "body": "Dear Ada, yes."}
        return app.desk.approvals.supersede(tx, reply["id"], actor="operator", why="newer", payload=payload)

    copy = await app.store.write(again)
    card = await read(app, lambda c: task_rows.open_for(c, copy)["id"])
    replaced = (await read(app, lambda c: sheets.sheet(c, card))).replaced
    assert replaced is not None
    assert [f.label for f in replaced.fields] == ["Body"]


async def test_an_unknown_outcome_offers_its_answers_and_is_bound_to_the_effect(app, reply):
    await approve(app, reply)
    await app.desk.effects.intend(f"proposal:{reply['id']}", reply["id"])

    def doubt(tx):
        row = effect_rows.of_proposal(tx.conn, reply["id"])[0]
        for state in ("claimed", "attempting", "unknown"):
            row = effect_rows.move(tx, row, state)
        return row["id"]

    effect = await app.store.write(doubt)
    await app.desk.effects.ask("effect", effect, "Nobody answered.")
    page = await read(app, lambda c: inbox.page(c, now=NOW))
    assert (page.rows[0].kind, page.rows[0].tone) == ("Unknown outcome", "bad")
    told = {number.label: number.value for number in page.numbers}
    assert (told["Not known outside"], told["Needs your word"]) == ("1", "1")
    sheet = page.current
    assert sheet is not None
    assert ([o.id for o in sheet.options], sheet.twice, sheet.can_defer, sheet.payload_hash) == (
        ["happened", "send_again", "did_not_happen", "follow_up"],
        True,
        False,
        reply["hash"],
    )


async def test_money_needs_a_second_key_press(app, reply):
    change = proposal_table.update().values(risk="financial")
    await app.store.write(lambda tx: tx.run(change) and None)
    assert (await read(app, lambda c: sheets.sheet(c, reply["card"]))).twice


async def test_the_explanation_is_read_in_two_minutes(app, reply):
    await approve(app, reply, body="Dear Ada, yes.")
    page = await read(app, lambda c: explanation.page(c, reply["id"]))
    frame = Frame("Studio Linde", "Europe/Berlin")
    text = render.text("why.html", view=page, frame=frame, csrf="", path="/why/x")
    words = re.sub(r"<[^>]+>", " ", text.partition("<main")[2].partition("</main>")[0]).split()
    assert len(words) / 230 < 2
