"""Why: one action explained from its rows so that it is read in two minutes; it adds nothing that was not recorded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from soloist.engine.store import effects, events, proposals, reading, sagas, standing, tasks
from soloist.engine.store.reading import Connection
from soloist.insight import names, practice, remembered, runs, sheets, views, words, written
from soloist.kernel.errors import NotFound

ENDS = {
    "succeeded": ("It was carried out", "go"),
    "resolved_done": ("It was carried out, by your word", "go"),
    "failed": ("It was refused and nothing was done", "bad"),
    "resolved_not_done": ("It was not carried out", "warn"),
    "compensating": ("It was carried out and is being taken back", "warn"),
    "compensated": ("It was carried out and then taken back", "warn"),
    "compensation_failed": ("It was carried out; taking it back failed", "bad"),
    "needs_human": ("It is not known whether it happened", "bad"),
    "unknown": ("It is not known yet whether it happened", "bad"),
    "reconciling": ("It is being looked up whether it happened", "warn"),
    "intended": ("It is approved and has not left yet", "warn"),
    "claimed": ("It is about to leave", "warn"),
    "attempting": ("It is leaving now", "warn"),
    "refused": ("It was refused and will be tried again", "warn"),
}
_STATES = {"attempting": "Tried", "succeeded": "Done", "unknown": "Outcome not known", "reconciling": "Looked up"}
DECISIONS = {
    "approve": "approved it",
    "reject": "rejected it",
    "defer": "put it off",
    "allow": "allowed it without asking",
}


def page(conn: Connection, ident: str, zone: str = "UTC") -> views.WhyPage:
    """What happened and why, for a proposal, effect, card, message, event or run (NotFound)."""
    proposal, message = _resolve(conn, ident)
    if proposal is not None:
        return _of_proposal(conn, proposal, zone)
    if message is not None:
        return _of_message(conn, message, zone)
    return _of_event(conn, ident)


def proposal_of(conn: Connection, ident: str) -> str:
    """The id of the proposal that an id leads to, "" for none."""
    found, _message = _resolve(conn, ident)
    return str(found["id"]) if found else ""


def _resolve(conn: Connection, ident: str) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
    """The proposal an id leads to, or else the message."""
    for step in (_via_effect, _via_card, _via_event, _via_run):
        ident = step(conn, ident)
    if found := proposals.find(conn, ident):
        return found, None
    message = reading.named(conn, "messages", [ident]).get(ident)
    if message is None:
        return None, None
    made = reading.proposals_of_run(conn, f"intake:{message['event']}") if message["direction"] == "in" else []
    if not made and message["direction"] == "out":
        effect = reading.named(conn, "effects", [message["event"]]).get(message["event"])
        made = [proposals.get(conn, effect["proposal"])] if effect else []
    return (made[0] if made else None), message


def _via_effect(conn: Connection, ident: str) -> str:
    row = reading.named(conn, "effects", [ident]).get(ident)
    return str(row["proposal"]) if row else ident


def _via_card(conn: Connection, ident: str) -> str:
    row = reading.named(conn, "tasks", [ident]).get(ident)
    return _via_effect(conn, str(row["subject"])) if row else ident


def _via_event(conn: Connection, ident: str) -> str:
    row = reading.named(conn, "events", [ident]).get(ident)
    if row is None:
        return ident
    message = reading.message_of_event(conn, ident)
    return str(message["id"]) if message else _via_card(conn, _via_effect(conn, row["subject"])) or ident


def _via_run(conn: Connection, ident: str) -> str:
    row = reading.named(conn, "runs", [ident]).get(ident)
    return _via_card(conn, _via_event(conn, _via_effect(conn, row["subject"]))) if row else ident


def _of_proposal(conn: Connection, proposal: Mapping[str, Any], zone: str) -> views.WhyPage:
    """The whole story of a proposal."""
    made = effects.of_proposal(conn, proposal["id"])
    decisions = proposals.approvals_of(conn, proposal["id"])
    weighed = proposals.verdicts_of(conn, proposal["id"])
    card = reading.card_about(conn, proposal["id"])
    happened, tone, at = _happened(proposal, made, decisions, zone)
    evidence = proposal["evidence"] or {}
    message = sheets.behind(conn, card, proposal)
    return views.WhyPage(
        id=proposal["id"],
        title=card["title"] if card else names.proposal_title(proposal),
        happened=happened,
        at=at,
        tone=tone,
        message=sheets.message_view(message) if message else None,
        who=tuple(_who(conn, proposal)),
        knew=tuple(_knew(conn, proposal)),
        reasons=sheets.answers(evidence),
        citations=sheets.citations(evidence),
        rules=(*_stood(conn, proposal["id"]), *_rules(weighed)),
        verdict=_verdict(weighed),
        approvals=tuple(_approvals(conn, proposal, decisions)),
        sent=sheets.draft(proposal["payload"]) if proposal["noun"] != "change" else (),
        changes=sheets.changes(conn, proposal) if proposal["noun"] == "change" else (),
        attempts=tuple(line for effect in made for line in _attempts(conn, effect)),
        way_back=sheets.way_back(proposal),
        can_undo=_can_undo(proposal, made),
        undo_label=UNDO_LABELS.get(proposal["undo"], "Take it back") if _left(made) else "Take it back",
        bundle=_bundle(conn, proposal),
        payload_hash=proposal["payload_hash"],
        links=tuple(_links(proposal, card)),
    )


def _happened(
    proposal: Mapping[str, Any], made: Sequence[Mapping[str, Any]], decisions: Sequence[Mapping[str, Any]], zone: str
) -> tuple[str, str, str]:
    """One sentence, its tone and its instant."""
    title = names.proposal_title(proposal)
    first = [row for row in made if not row["undoes"]]
    edited = any(d["edits"] for d in decisions)
    if first:
        text, tone = ENDS[first[-1]["state"]]
        by = decisions[-1]["decision"] if decisions else ""
        how = "after you edited and approved it" if edited else "after you approved it" if by == "approve" else ""
        how = "because a rule allows it" if by == "allow" else how
        at = first[-1]["updated"]
        groups = f" ({len(first)} recipients)" if len(first) > 1 else ""
        return f"{title}{groups}. {text} ({words.when(at, zone)}){f', {how}' if how else ''}.", tone, at
    states = {
        "waiting": ("It waits for your decision.", "warn"),
        "approved": ("You approved it." if proposal["noun"] != "change" else "The record was changed.", "go"),
    }
    text, tone = states.get(proposal["state"], (sheets.STATES.get(proposal["state"], proposal["state"]), ""))
    return f"{title}. {text}", tone, proposal["updated"]


def _who(conn: Connection, proposal: Mapping[str, Any]) -> list[views.FieldLine]:
    """Who made the proposal, with which means, at which cost, and how like cases went."""
    evidence = proposal["evidence"] or {}
    found = [views.FieldLine("Made by", proposal["agent"] or proposal["source"].replace(":", " "))]
    if proposal["reason"]:
        found.append(views.FieldLine("Its reason", proposal["reason"]))
    if said := written.told(conn, proposal["origin"]):
        found.append(views.FieldLine("Written from", said[:1].upper() + said[1:]))
    found += [views.FieldLine(one.name, one.value, one.said) for one in written.control(conn, proposal)]
    if evidence.get("template"):
        found.append(views.FieldLine("Template", str(evidence["template"])))
        found.append(views.FieldLine("Model", "none: rules and a template"))
    elif evidence.get("author"):
        found.append(views.FieldLine("Written by", *sheets.written_by(evidence)))
    if evidence.get("kind"):
        found.append(views.FieldLine("Read as", str(evidence["kind"]), f"rule: {evidence.get('kind_rule', '')}"))
    if way := practice.like(conn, proposal):
        found.append(views.FieldLine("Like cases before", way.told))
    cost = proposal["cost_micro"] or int(evidence.get("cost_micro") or 0)
    return [*found, views.FieldLine("Cost", f"{cost / 1_000_000:.4f}" if cost else "nothing")]


def _knew(conn: Connection, proposal: Mapping[str, Any]) -> list[views.FieldLine]:
    """The records, messages and house book that were looked at, with their versions."""
    context = proposal["context"]
    row = reading.named(conn, "contexts", [context]).get(context) if context else None
    if row is None:
        return []
    found = [
        views.FieldLine(
            str(r["kind"]).capitalize(), r["title"], f"version {r['version']}", href=f"/records/{r['kind']}/{r['id']}"
        )
        for r in row["records"] or []
    ]
    found.append(views.FieldLine("Messages", words.counted(len(row["messages"] or []), "message") + " of this thread"))
    for part in remembered.given(conn, context):
        text = "It was erased since." if part.gone else part.text
        note = ", ".join(said for said in (part.at[:10], remembered.WHOSE.get(part.trust, "")) if said)
        found.append(views.FieldLine(PARTS.get(part.part, part.part), text, note, href=part.href))
    if row["packed"]:
        found.append(views.FieldLine("Chosen", _chosen(row["packed"])))
        found += [views.FieldLine("Not given", said) for said in words.not_given(row["packed"].get("withheld") or {})]
    if row["house_book"]:
        found.append(views.FieldLine("House book", f"as it was then ({row['house_book'][:12]})"))
    return [*found, views.FieldLine("Selection", f"named {row['hash'][:12]}; the same inputs give the same one")]


PARTS = {"fact": "Known", "summary": "Remembered", "span": "Said earlier", "document": "Document"}
"""What a part of memory is called on the page."""


def _chosen(packed: Mapping[str, Any]) -> str:
    """How much of what there is was given."""
    whole = -(-int(packed["whole"]) // 4)
    of = f" of {whole}" if whole else ""
    left = sum(int(number) for number in (packed.get("left") or {}).values())
    rest = f"; {words.counted(left, 'part')} had no room" if left else ""
    return f"{packed['tokens']}{of} tokens of what is remembered, by {packed.get('mode', 'nothing')}{rest}"


def _stood(conn: Connection, proposal: str) -> list[views.Step]:
    """The standing rules of the operator that applied to a draft."""
    return [
        views.Step(f"Your rule {row['rule']}", row["what"], row["said"], f"/rules/{row['rule']}")
        for row in standing.of_object(conn, proposal)
    ]


def _rules(weighed: Sequence[Mapping[str, Any]]) -> list[views.Step]:
    """Every rule that was weighed, at each moment it was."""
    whens = {"proposed": "When proposed", "edited": "After the edit", "attempting": "Before it left"}
    found = []
    for verdict in weighed:
        label = f"{whens.get(verdict['when'], verdict['when'])}: {verdict['answer']}"
        found.append(views.Step(label, verdict["reason"], f"policy {verdict['policy_version']}"))
        for rule in verdict["trace"] or []:
            detail = f": {rule['detail']}" if rule.get("detail") else ""
            found.append(views.Step(f"Rule {rule['rule']}", f"{rule['result']}{detail}", f"would {rule['then']}"))
    return found


def _verdict(weighed: Sequence[Mapping[str, Any]]) -> str:
    said = {"ask": "Policy asked you.", "allow": "Policy allowed it without asking.", "deny": "Policy refused it."}
    return said.get(weighed[-1]["answer"], "") if weighed else ""


def _approvals(
    conn: Connection, proposal: Mapping[str, Any], decisions: Sequence[Mapping[str, Any]]
) -> list[views.ApprovalLine]:
    """Each decision with what was edited before it."""
    versions = {v["payload_hash"]: v for v in proposals.versions(conn, proposal["id"])}
    first = min(versions.values(), key=lambda v: int(v["version"]), default=None)
    found = []
    for said in decisions:
        now = versions.get(said["payload_hash"])
        edits: tuple[views.FieldDiff, ...] = ()
        if said["edits"] and first and now:
            names_ = [n for n in sorted(now["payload"]) if now["payload"].get(n) != first["payload"].get(n)]
            edits = tuple(sheets.field_diff(n, first["payload"].get(n), now["payload"].get(n)) for n in names_)
        who = {"operator": "You", "policy": "A rule"}.get(said["who"], said["who"])
        via = f" ({said['via']})" if said["via"] and said["via"] != "console" else ""
        text = DECISIONS.get(said["decision"], said["decision"]) + via
        found.append(views.ApprovalLine(said["at"], who, text, said["reason"], edits))
    return found


def _attempts(conn: Connection, effect: Mapping[str, Any]) -> list[views.Attempt]:
    """The life of one effect: each state it had, then each attempt."""
    tones = {"succeeded": "go", "unknown": "bad", "failed": "bad", "refused": "warn", "needs_human": "bad"}
    found = [views.Attempt(effect["created"], _held(effect), _group(effect), effect["key"])]
    for move in effect["evidence"] or []:
        state = str(move["state"])
        if state in ("claimed", "intended"):
            continue
        ref = effect["provider_ref"] if state == "succeeded" else ""
        note = str(move.get("note") or "")
        found.append(
            views.Attempt(
                move["at"],
                _STATES.get(state) or state.replace("_", " ").capitalize(),
                note,
                "",
                ref,
                tones.get(state, ""),
            )
        )
    for attempt in effects.attempts_of(conn, effect["id"]):
        if attempt["outcome"] not in ("succeeded", "") and attempt["evidence"]:
            text = f"Attempt {attempt['n']}: {attempt['evidence']}"
            found.append(views.Attempt(attempt["ended"], "What was answered", text, "", "", "warn"))
    return found


def _held(effect: Mapping[str, Any]) -> str:
    begun, until = words.instant(effect["created"]), words.instant(effect["not_before"])
    rest = (until - begun).total_seconds() if begun and until else 0.0
    return f"Held for {words.lasted(rest)}" if rest >= 1 and not effect["attempts"] else "Made ready"


def _group(effect: Mapping[str, Any]) -> str:
    what = f"{sheets.operation_name(effect)}, class {effect['class']}"
    return what if effect["group"] == "all" else f"{what}, {effect['group']}"


UNDO_LABELS = {"apology": "Write an apology", "offset": "Propose to make up for it"}
"""What taking back means when it cannot be as if it had not been."""


def _left(made: Sequence[Mapping[str, Any]]) -> bool:
    """Whether something of a proposal has left."""
    return any(row["attempts"] for row in made)


def _bundle(conn: Connection, proposal: Mapping[str, Any]) -> int:
    """How many parts were proposed together and can still be taken back together."""
    taken = any(saga["state"] != "left" for saga in sagas.of_bundle(conn, proposal["bundle"]))
    parts = [row for row in sagas.bundle(conn, proposal["bundle"]) if row["state"] in ("approved", "waiting")]
    return 0 if taken or proposal["state"] != "approved" else len(parts)


def _can_undo(proposal: Mapping[str, Any], made: Sequence[Mapping[str, Any]]) -> bool:
    """Whether taking it back can be asked for: while held, or where the connector declares a way."""
    if proposal["noun"] == "change" or proposal["state"] != "approved":
        return False
    forward = [row for row in made if not row["undoes"]]
    held = all(row["state"] == "intended" and not row["attempts"] for row in forward)
    done = any(row["state"] in ("succeeded", "resolved_done") for row in forward) and proposal["undo"] != "none"
    return held or done


def _links(proposal: Mapping[str, Any], card: Mapping[str, Any] | None) -> list[views.Link]:
    found = [views.Link("The card", f"/cards/{card['id']}")] if card else []
    if proposal["run"]:
        found.append(views.Link("The whole run", f"/runs/{proposal['run']}"))
    found.append(views.Link("The run of this proposal", f"/runs/proposal:{proposal['id']}"))
    if proposal["record"]:
        found.append(views.Link("The record", f"/records/-/{proposal['record']}"))
    if proposal["superseded_by"]:
        found.append(views.Link("What replaced it", f"/why/{proposal['superseded_by']}"))
    return found


def _of_message(conn: Connection, message: Mapping[str, Any], zone: str) -> views.WhyPage:
    """A message that led to no proposal: why nothing was done."""
    notes = tasks.annotations_of(conn, message["id"])
    aside = next((n["body"] for n in notes if n["kind"] == "set aside"), "")
    read = message["understanding"] or {}
    card = reading.card_about(conn, message["id"])
    text = f"It was set aside ({aside}); nothing was sent and no card was made." if aside else ""
    if card:
        text = f"It waits for your word: {card['title']}" if card["state"] == "open" else "You said what it is."
    when = words.when(message["at"], zone)
    return views.WhyPage(
        id=message["id"],
        title=names.message_title(message),
        happened=f"It came on {when}. {text or 'It was read and kept; no answer was proposed.'}",
        at=message["at"],
        message=sheets.message_view(message),
        who=(views.FieldLine("Read as", str(message["kind"] or "not read yet"), f"rule: {read.get('kind_rule', '')}"),),
        links=(
            *((views.Link("The card", f"/cards/{card['id']}"),) if card else ()),
            views.Link("The whole run", f"/runs/intake:{message['event']}"),
        ),
    )


def _of_event(conn: Connection, ident: str) -> views.WhyPage:
    """An event that led to nothing more than its being kept (NotFound)."""
    try:
        event = events.get(conn, ident)
    except NotFound:
        raise NotFound(f"There is nothing with the id {ident}.") from None
    happened = f"{event['kind']} by {event['actor']} ({event['source']}). It was kept and started nothing."
    lines = [views.FieldLine("Place in the journal", str(event["seq"])), views.FieldLine("Hash", event["hash"])]
    lines.append(views.FieldLine("What it says", runs.shown(event["payload"]) or "erased"))
    return views.WhyPage(ident, event["kind"], happened, event["at"], who=tuple(lines))
