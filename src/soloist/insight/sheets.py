"""One card in full, from its rows: what it is about, what would run, what it rests on; decides nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from soloist.engine.store import attention, conversations, effects, proposals, reading, records, tasks
from soloist.engine.store.reading import Connection
from soloist.insight import candid, diff, names, views, words, written

KINDS = {
    "proposal": ("Proposal", "send"),
    "change": ("Change", "git-compare"),
    "unknown_outcome": ("Unknown outcome", "triangle-alert"),
    "failure": ("Failure", "circle-x"),
    "question": ("Question", "circle-question-mark"),
    "manual": ("Needs your hands", "list-checks"),
    "list": ("List to tick", "list-checks"),
    "issue": ("Newsletter", "send"),
    "merge": ("Merge", "git-compare"),
}
STATES = {
    "approved": "You approved it.",
    "rejected": "You rejected it; nothing was sent.",
    "expired": "Its time ended without a decision; nothing was sent.",
    "withdrawn": "It was withdrawn, because something newer came.",
    "superseded": "It was replaced by a newer card.",
    "denied": "Policy refuses this; nothing was sent.",
}
IF_WRONG = {
    "financial": "Money moves that should not have.",
    "irreversible": "It has an effect outside that cannot be taken back.",
    "reversible": "It has to be taken back afterwards.",
}
_VERDICTS = {"agrees": "the same", "close": "nearly the same", "differs": "different"}
_ANSWERS = {"met": "met", "not_met": "not met", "unknown": "not said"}
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z\Z")
_LEAD = re.compile(r"(\d{1,4})\s*([dw])\Z")
_RULE = re.compile(r" \(((?:none|[a-z_]+): [^()]*)\)")
_NAMES = re.compile(r"(?:^|, )([^,:]+):")
LONG = 600
"""Characters of a message from which its summary stands above it."""

EDITABLE = {"subject", "body", "text", "title", "description", "note", "summary"}


def kind_of(card: Mapping[str, Any]) -> tuple[str, str]:
    """The word and the icon for a card."""
    return KINDS.get(card["type"], (str(card["type"]).replace("_", " ").capitalize(), "file-text"))


def sheet(conn: Connection, ident: str) -> views.Sheet:
    """A card, open or closed (NotFound)."""
    card = tasks.get(conn, ident)
    effect = effects.get(conn, card["subject"]) if card["subject_kind"] == "effect" else None
    proposal = proposals.find(conn, effect["proposal"] if effect else card["subject"])
    bound = effect or proposal or {"payload_hash": ""}
    decides = card["type"] in ("proposal", "change") and proposal is not None
    kind, icon = _kind(card, proposal)
    return views.Sheet(
        id=ident,
        kind=kind,
        icon=icon,
        title=card["title"],
        payload_hash=bound["payload_hash"],
        agent=proposal["agent"] if proposal else "",
        value=words.money(card["value_minor"], card["currency"]) if card["value_minor"] else "",
        state=card["state"],
        state_line=_state_line(card, proposal),
        successor=_successor(conn, card, proposal),
        why_you=said_plainly(card["why"]),
        due=card["deadline"],
        at_expiry=card["at_expiry"],
        remarks=tuple(
            (n["actor"], n["body"], n["at"]) for n in tasks.annotations_of(conn, ident) if n["kind"] == "comment"
        ),
        can_defer=card["state"] == "open" and card["type"] != "unknown_outcome",
        options=() if decides else options(card),
        primary="Approve and send" if proposal and proposal["operation"] == "mail.send" else "Approve",
        links=_links(card, proposal),
        **_about(conn, card, proposal, decides=decides),
    )


def _about(
    conn: Connection, card: Mapping[str, Any], proposal: Mapping[str, Any] | None, *, decides: bool
) -> dict[str, Any]:
    """What the sheet shows of the proposal and of the message behind it."""
    message = behind(conn, card, proposal)
    shown = {"message": message_view(message) if message else None, "provenance": provenance(conn, card, proposal)}
    shown |= {"counterpart": message["sender_name"], "address": message["sender"]} if message else {}
    if proposal is None:
        return shown | (beside(card) if card["type"] == "merge" else {})
    evidence = proposal["evidence"] or {}
    mail = proposal["operation"] == "mail.send"
    return {
        **shown,
        "if_wrong": _if_wrong(proposal),
        "way_back": way_back(proposal),
        "will_run": (effect_text(proposal),) if decides else (),
        "twice": _twice(card, proposal),
        "bundle": len(attention.together(conn, proposal)) if decides else 0,
        "connector": proposal["connector"] if decides and proposal["noun"] != "change" else "",
        "replaced": _replaced(conn, proposal) if mail and decides else None,
        "draft": draft(proposal["payload"]) if proposal["noun"] != "change" else (),
        "changes": changes(conn, proposal) if proposal["noun"] == "change" else (),
        "questions": tuple(str(q.get("text", "")) for q in proposal["questions"] or []),
        "notes": (
            *written.notes(conn, proposal),
            *known(evidence),
            *map(str, evidence.get("notes") or []),
            *candid.small_print(proposal["payload"]),
        ),
        **(candid.shown(conn, card, proposal, message) if proposal["noun"] != "change" else {}),
        "answers": answers(evidence),
        "citations": citations(evidence),
        **(_receiver(proposal, message) if mail else {}),
    }


def beside(card: Mapping[str, Any]) -> dict[str, Any]:
    """What a card about two records that may be one shows: the fields that decide, side by side."""
    fields = sorted(((card["detail"] or {}).get("evidence") or {}).get("fields", ()), key=lambda one: -abs(one["bits"]))
    pairs = (field_diff(f"{one['field']} ({_VERDICTS[one['verdict']]})", one["here"], one["there"]) for one in fields)
    return {"changes": tuple(pairs)}


def _twice(card: Mapping[str, Any], proposal: Mapping[str, Any]) -> bool:
    """Whether one key press is too little: money, what cannot be stopped once it is said, and doubtful outcomes."""
    at_once = proposal["risk"] == "irreversible" and not proposal["hold_ms"]
    return card["type"] == "unknown_outcome" or proposal["risk"] == "financial" or at_once


def _replaced(conn: Connection, proposal: Mapping[str, Any]) -> views.Changed | None:
    """What is different from the draft on this thread that this one took the place of."""
    if not proposal["conversation"]:
        return None
    for old in reading.proposals_of_conversation(conn, proposal["conversation"]):
        gone = old["state"] in ("withdrawn", "superseded") and old["created"] < proposal["created"]
        if gone and old["operation"] == proposal["operation"]:
            names = ("to", "subject", "body")
            pairs = [(n, old["payload"].get(n), proposal["payload"].get(n)) for n in names]
            moved = tuple(field_diff(n, was, now) for n, was, now in pairs if was != now)
            return (
                views.Changed("This draft took the place of an earlier one on this thread.", moved) if moved else None
            )
    return None


def _receiver(proposal: Mapping[str, Any], message: Mapping[str, Any] | None) -> dict[str, str]:
    """Who gets a mail, and a warning when that is not who wrote."""
    to = recipients_said(proposal)
    if message is None or message["sender"].casefold() == to.casefold():
        return {"address": to}
    return {"address": to, "address_warning": f"The answer goes to {to}; the message came from {message['sender']}."}


def _kind(card: Mapping[str, Any], proposal: Mapping[str, Any] | None) -> tuple[str, str]:
    """A mail that answers somebody is a reply; anything else is named by its card."""
    if proposal and card["type"] == "proposal" and proposal["operation"] == "mail.send":
        return ("Follow-up" if (proposal["evidence"] or {}).get("follow_up") else "Reply"), "mail"
    return kind_of(card)


def _state_line(card: Mapping[str, Any], proposal: Mapping[str, Any] | None) -> str:
    if card["state"] == "open":
        return ""
    if proposal and card["type"] in ("proposal", "change") and proposal["state"] in STATES:
        return STATES[proposal["state"]]
    option = (card["decision"] or {}).get("option", "")
    label = next((o["label"] for o in card["options"] or [] if o["name"] == option), "")
    return f"Closed with: {label}." if label else f"This card is {card['state']}."


def _successor(conn: Connection, card: Mapping[str, Any], proposal: Mapping[str, Any] | None) -> str:
    """The open card of the draft that took this one's place: its own copy, or the newest on its thread."""
    if card["state"] == "open" or proposal is None or proposal["state"] not in ("withdrawn", "superseded"):
        return ""
    newer = proposals.waiting_on(conn, proposal["conversation"])
    alike = [row["id"] for row in newer if row["operation"] == proposal["operation"]]
    for ident in (proposal["superseded_by"], *reversed(alike)):
        if ident and (found := tasks.open_for(conn, ident)):
            return str(found["id"])
    return ""


def options(card: Mapping[str, Any]) -> tuple[views.Option, ...]:
    """The answers a card offers; none is chosen beforehand where a wrong one could do harm."""
    return tuple(
        views.Option(
            id=choice["name"],
            label=choice["label"],
            consequence=choice.get("consequence", ""),
            recommended=bool(choice.get("recommended")),
            tone="bad" if choice["name"] == "send_again" else "",
        )
        for choice in card["options"] or []
    )


def _links(card: Mapping[str, Any], proposal: Mapping[str, Any] | None) -> tuple[views.Link, ...]:
    found = [views.Link("Why, in full", f"/why/{card['subject']}")]
    if card["subject_kind"] == "fact":
        return (views.Link("What is known about them", f"/records/-/{card['record']}"),)
    if card["type"] == "merge":
        found = [views.Link("All merges", "/records/merges")]
    if card["subject_kind"] == "import":
        return (views.Link("Look at every row", f"/imports/{card['subject']}"),)
    if card["subject_kind"] == "takeover":
        found = [views.Link("Look through the lists", f"/takeover/{card['subject']}")]
    run = (proposal or {}).get("run") or card["run"]
    if run:
        found.append(views.Link("The whole run", f"/runs/{run}"))
        found.append(views.Link("Pause it", f"/runs/{run}/holds"))
    if card["record"]:
        found.append(views.Link("The record", f"/records/-/{card['record']}"))
    return tuple(found)


def _if_wrong(proposal: Mapping[str, Any]) -> str:
    if proposal["operation"] == "mail.send":
        return "They read something you did not mean; putting it right takes a second mail."
    if proposal["noun"] == "change":
        return "The record says something wrong until it is changed back."
    return IF_WRONG.get(proposal["risk"], "")


def way_back(proposal: Mapping[str, Any]) -> str:
    """What can be taken back, and until when."""
    hold = proposal["hold_ms"] / 1000
    held = f"For {words.lasted(hold)} after you approve it can be stopped. " if hold else ""
    text = str(proposal["way_back"]).strip()
    return held + (text[:1].upper() + text[1:].rstrip(".") + "." if text else "")


def effect_text(proposal: Mapping[str, Any]) -> str:
    """The literal effect: operation, receiver or subject, and the hash the approval is bound to."""
    payload = proposal["payload"] or {}
    to = recipients_said(proposal)
    subject = f', "{payload["subject"]}"' if payload.get("subject") else ""
    where = operation_name(proposal)
    if proposal["noun"] == "change":
        return f"records.write {payload.get('record', '')}, expected version {payload.get('version', '')}"
    return f"{where}{f' to {to}' if to else ''}{subject}, content {proposal['payload_hash'][:12]}"


def operation_name(row: Mapping[str, Any]) -> str:
    """Connector and operation of a proposal or effect, as in ``mail.send``."""
    return f"{row['connector']}.{row['operation'].removeprefix(row['connector'] + '.')}"


def recipients_said(proposal: Mapping[str, Any]) -> str:
    """Whom a payload names in its usual place, as one line."""
    to = (proposal["payload"] or {}).get("to", "")
    return ", ".join(map(str, to)) if isinstance(to, list) else str(to)


def draft(payload: Mapping[str, Any]) -> tuple[views.DraftField, ...]:
    """The fields of a payload as a person reads them; words may be edited, addresses and structures may not."""
    order = {"to": 0, "cc": 1, "subject": 2, "title": 2, "body": 3, "text": 3}
    fields: list[views.DraftField] = []
    for name in sorted(payload, key=lambda n: (order.get(n, 5), n)):
        value = payload[name]
        if name in candid.HEADERS or value in (None, "", []):
            continue
        plain = isinstance(value, str)
        listed = isinstance(value, list) and all(isinstance(item, str) for item in value)
        text = value if plain else ", ".join(value) if listed else json.dumps(value, ensure_ascii=False, indent=1)
        long = name in ("body", "text") or "\n" in text
        label = {"body": "Text", "to": "To", "cc": "Copy"}.get(name, name.replace("_", " ").capitalize())
        label += f" ({name})" if any(label == other.label for other in fields) else ""
        fields.append(views.DraftField(name, label, text, long, plain and name in EDITABLE))
    return tuple(fields)


def changes(conn: Connection, proposal: Mapping[str, Any]) -> tuple[views.FieldDiff, ...]:
    """What a record says against what it would say."""
    payload = proposal["payload"]
    old = records.version(conn, payload["record"], payload["version"])
    body = old["body"] if old else {}
    return tuple(field_diff(name, body.get(name), value) for name, value in sorted(payload["fields"].items()))


def field_diff(name: str, before: Any, after: Any) -> views.FieldDiff:
    """One field of a record before and after, compared by words."""
    return diff.field(name.replace("_", " ").capitalize(), plain(before), plain(after))


def plain(value: Any) -> str:
    """A field's value as words; structures as indented JSON."""
    if value is None or isinstance(value, str):
        at = words.instant(value) if value and _INSTANT.match(value) else None
        return f"{at:%Y-%m-%d %H:%M} UTC" if at else value or ""
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return ", ".join(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict) and set(value) == {"minor", "currency"}:
        return words.money(value["minor"], value["currency"])
    if isinstance(value, list) and all(isinstance(item, dict) for item in value):
        return "\n".join(map(_item, value))
    return str(value) if isinstance(value, int | float) else json.dumps(value, ensure_ascii=False, indent=1)


def _item(value: Mapping[str, Any]) -> str:
    """One structure of a record in a line: an answer, a budget, a date; others as JSON."""
    said = (value.get("span") or {}).get("text", "")
    if "criterion" in value and "answer" in value:
        return f"{_spaced(value['criterion'])}: {_ANSWERS.get(value['answer'], value['answer'])}"
    if "low" in value and "high" in value:
        low, high = (words.money(value[end]["minor"], value[end]["currency"]) for end in ("low", "high"))
        return f'{low if low == high else f"{low} to {high}"} ("{said}")'
    if "day" in value:
        return f'{value["day"]} ("{said}")'
    return json.dumps(value, ensure_ascii=False)


def _spaced(name: Any) -> str:
    return str(name).replace("_", " ")


def answers(evidence: Mapping[str, Any]) -> tuple[views.AnswerLine, ...]:
    """The qualification with the words it rests on."""
    return tuple(
        views.AnswerLine(
            _spaced(a["criterion"]).capitalize(),
            wanted(str(a.get("wanted", "")), str(a["criterion"])),
            str(a["answer"]),
            str(a.get("reason", "")),
            tuple(str(w.get("text", "")) for w in a.get("words") or []),
        )
        for a in evidence.get("answers") or []
    )


def wanted(text: str, criterion: str = "") -> str:
    """What is asked, in words: "4w" is a time, "Website: site, page, Logo: mark" names two services."""
    if lead := _LEAD.match(text.strip().lower()):
        return f"in {words.counted(int(lead[1]), {'d': 'day', 'w': 'week'}[lead[2]])} at the earliest"
    if criterion == "minimum_budget" and text:
        return f"at least {text}"
    return ", ".join(_NAMES.findall(text)) or text


def said_plainly(text: str) -> str:
    """A reason without the names that rules have among themselves."""
    return _RULE.sub(lambda found: f" ({rule_words(found[1])})", text)


def rule_words(text: str) -> str:
    """A rule's own words without its short name: "none: no rule matched" is "none of them fits"."""
    told = text.partition(": ")[2] or text
    return {"no rule matched": "none of them fits"}.get(told, told)


def known(evidence: Mapping[str, Any]) -> tuple[str, ...]:
    """What is remembered of whom a draft goes to, at most three lines, each with whose word it is."""
    return tuple(f"Known: {line['text']} ({line['whose']})" for line in evidence.get("known") or [])


def citations(evidence: Mapping[str, Any]) -> tuple[views.CitationLine, ...]:
    """The lines of the house book that a draft cites."""
    return tuple(views.CitationLine(int(c["line"]), str(c["text"])) for c in evidence.get("citations") or [])


def behind(
    conn: Connection, card: Mapping[str, Any] | None, proposal: Mapping[str, Any] | None
) -> dict[str, Any] | None:
    """The message a card is about: the one named, else the newest that was in the thread when it was made."""
    about = card["subject"] if card and card["subject_kind"] == "message" else ""
    ident = ((proposal or {}).get("evidence") or {}).get("message") or about
    ident = ident or (proposal or {}).get("thread_head", "")
    row = reading.named(conn, "messages", [ident]).get(ident) if ident else None
    if row and row["direction"] == "in":
        return row
    conversation = (proposal or {}).get("conversation") or (card["conversation"] if card else "")
    inbound = [m for m in conversations.of(conn, conversation) if m["direction"] == "in"] if conversation else []
    return inbound[-1] if inbound else row


def message_view(row: Mapping[str, Any]) -> views.Message:
    """A message with its own words apart from what it quotes."""
    read = row["understanding"] or {}
    return views.Message(
        sender=row["sender_name"] or row["sender"],
        address=row["sender"],
        at=row.get("date") or row["at"],
        subject=row["subject"],
        own_text=read.get("own_text") or row["text"],
        quoted=read.get("quoted", ""),
        attachments=tuple(str(a.get("name") or "unnamed") for a in row["attachments"] or []),
        notes=tuple(map(str, row["defects"] or [])),
        summary=summary(row) if len(read.get("own_text") or row["text"]) >= LONG else (),
    )


def summary(row: Mapping[str, Any]) -> tuple[str, ...]:
    """The sentences that stand for a long message, each word for word as it stands in it."""
    spans = row.get("summary") or []
    return tuple(str(span["text"]) for span in spans if isinstance(span, Mapping) and span.get("text"))


def provenance(conn: Connection, card: Mapping[str, Any], proposal: Mapping[str, Any] | None) -> tuple[views.Step, ...]:
    """Trigger, memory, skills, policy, in the order they had a part."""
    steps = [views.Step("Began with", *_trigger(conn, card, proposal))]
    if proposal is None:
        return tuple(steps)
    for record in context_records(conn, proposal["context"]):
        note = f"{record['kind']}, version {record['version']}"
        steps.append(views.Step("Memory", record["title"], note, f"/records/{record['kind']}/{record['id']}"))
    evidence = proposal["evidence"] or {}
    if evidence.get("kind"):
        by = rule_words(str(evidence.get("kind_rule", "")))
        steps.append(views.Step("Skill", f"Read as: {evidence['kind']}", by))
    if evidence.get("template"):
        steps.append(views.Step("Skill", "Draft from a template, no model", evidence["template"]))
    elif evidence.get("author"):
        steps.append(views.Step("Skill", *written_by(evidence)))
    for verdict in proposals.verdicts_of(conn, proposal["id"])[-1:]:
        rule = f"rule: {verdict['rule']}" if verdict["rule"] else f"policy {verdict['policy_version']}"
        steps.append(views.Step("Policy", verdict["reason"], rule, "/settings"))
    return tuple(steps)


def written_by(evidence: Mapping[str, Any]) -> tuple[str, str]:
    """Who wrote a text, and why it is as it is."""
    author, why = str(evidence["author"]), str(evidence.get("rationale") or "")
    cost = int(evidence.get("cost_micro") or 0)
    spent = f"It cost {cost / 1_000_000:.4f}. " if cost else ""
    return ("Written by rules, no model" if author == "rules" else f"Written by {author}"), f"{spent}{why}".strip()


def context_records(conn: Connection, context: str) -> list[dict[str, Any]]:
    """The records that were looked at, with the versions they had."""
    row = reading.named(conn, "contexts", [context]).get(context) if context else None
    return list(row["records"] or []) if row else []


def _trigger(conn: Connection, card: Mapping[str, Any], proposal: Mapping[str, Any] | None) -> tuple[str, str, str]:
    """Words, note and address of what set this going."""
    source = proposal["source"] if proposal else ""
    if source.startswith("api"):
        return f"A program: {source.partition(':')[2] or 'api'}", proposal["source_ref"] if proposal else "", ""
    run = (proposal or {}).get("run") or card["run"]
    if not run:
        return "An event", "", ""
    row = reading.named(conn, "runs", [run]).get(run)
    named = names.of(conn, [row["subject"]]).get(row["subject"]) if row else None
    return (named.text if named else "A run"), f"run {run.split(':')[0]}", f"/runs/{run}"
