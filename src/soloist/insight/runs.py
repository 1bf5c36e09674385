"""Runs as a list and one run with its steps, its cost in time and what can be done now; starts and stops nothing."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from soloist.engine.store import asof, reading, retrievals, runs
from soloist.engine.store.reading import Connection
from soloist.insight import names, views, words, written
from soloist.kernel.agent import SLA

PAGE = 50
STATES = (("", "All"), ("waiting", "Waiting"), ("running", "Running"), ("failed", "Failed"), ("done", "Done"))
TONES = {"failed": "bad", "waiting": "warn", "done": "go"}
EARLIER = " (in an earlier try)"
"""Beside a step that was committed before this run was asked for: it is not done a second time."""
FLOWS = {"intake": "Message", "proposal": "Proposal", "effect": "Effect", "followup": "Follow-up", "reply": "Reply"}


def page(conn: Connection, *, state: str = "", before: str = "") -> views.RunsPage:
    """One page, newest first; ``before`` is what the last page's link carried."""
    state = state if state in dict(STATES) else ""
    started, _, ident = before.partition("~")
    rows = runs.listed(conn, before=(started, ident) if ident else None, limit=PAGE + 1, state=state)
    shown = rows[:PAGE]
    known = names.of(conn, [row["subject"] for row in shown])
    last = shown[-1] if len(rows) > PAGE else None
    more = {"state": state, "before": f"{last['started']}~{last['id']}"} if last else {}
    return views.RunsPage(
        tabs=tuple(views.Tab(t, f"/runs?state={s}" if s else "/runs", s == state) for s, t in STATES),
        rows=tuple(_line(row, known) for row in shown),
        next="/runs?" + urlencode({k: v for k, v in more.items() if v}) if more else "",
    )


def _line(row: Mapping[str, Any], known: Mapping[str, views.Link]) -> views.TableRow:
    about = known[row["subject"]].text if row["subject"] in known else row["subject"]
    cells = (flow_name(row["flow"]), row["state"], about, took(row))
    return views.TableRow(f"/runs/{row['id']}", cells, row["started"], TONES.get(row["state"], ""))


def flow_name(flow: str) -> str:
    """A flow as the operator calls it."""
    return FLOWS.get(flow, flow.replace("_", " ").capitalize())


def took(row: Mapping[str, Any]) -> str:
    """How long a run took, "" while it goes on."""
    begun, ended = words.instant(row["started"]), words.instant(row["ended"])
    return words.lasted((ended - begun).total_seconds()) if begun and ended else ""


def run(conn: Connection, ident: str) -> views.RunPage:
    """One run with its steps (NotFound)."""
    row = runs.get(conn, ident)
    steps = runs.steps_of(conn, ident)
    about = names.of(conn, [row["subject"]]).get(row["subject"])
    card = reading.card_about(conn, ident) or reading.card_about(conn, row["subject"])
    return views.RunPage(
        id=ident,
        flow=flow_name(row["flow"]),
        state=row["state"],
        started=row["started"],
        tone=TONES.get(row["state"], ""),
        took=took(row),
        trigger=about.text if about else row["subject"],
        trigger_href=about.href if about else "",
        read=written.told(conn, row["origin"]),
        steps=tuple(_steps(row, steps)),
        now_what=tuple(_now_what(row, card)),
        links=tuple(_links(conn, row)),
        work=tuple(work(steps)),
        withheld=" ".join(words.not_given(withheld(conn, ident))),
    )


def withheld(conn: Connection, run: str) -> dict[str, int]:
    """How much of memory the roles of a run were not given, by the place their contracts do not list."""
    found: Counter[str] = Counter()
    for row in asof.contexts_of(conn, run):
        found.update((row["packed"] or {}).get("withheld") or {})
    for row in retrievals.recent(conn, run=run):
        if row["step"] != "recall":  # what that found stands with the context
            found.update({place: len(refs) for place, refs in (row["detail"].get("withheld") or {}).items()})
    return dict(found)


_CAME = {
    "done": "done",
    "fallback": "without the model that was wanted",
    "waits": "waits for the night",
    "operator": "left to you",
}


def work(steps: Sequence[Mapping[str, Any]]) -> list[views.WorkLine]:
    """The pieces of work that stand with the steps of a run, in their order."""
    found = []
    for step in steps:
        kept = (step["detail"] or {}).get("work") if isinstance(step["detail"], Mapping) else None
        found += [_work(one) for one in kept if isinstance(one, Mapping)] if isinstance(kept, list) else []
    return found


def _work(one: Mapping[str, Any]) -> views.WorkLine:
    given = "".join(f"{name}, then " for name in one.get("given_by") or ())
    limit = f", in {one['timeout']:g} s" if one.get("timeout") else ""
    lane = " or by the morning" if one.get("lane") == "morning" else ""
    author = str(one.get("author", ""))
    return views.WorkLine(
        agent=f"{given}{one.get('agent', '')}",
        skill=str(one.get("skill", "")),
        wanted=str(one.get("wanted", "")),
        came=_CAME.get(str(one.get("came")), str(one.get("came", ""))),
        author="rules, no model" if author == "rules" else author,
        estimate=_money(one.get("estimate") or {}),
        cost=_money(one.get("cost") or {}),
        within=f"{SLA.get(str(one.get('sla')), '')}{lane}{limit}",
        why=str(one.get("why", "")),
        tries=tuple(f"{t['model'] or t['what']}: {t['said'] or t['fault']}" for t in one.get("tries") or ()),
    )


def _money(found: Mapping[str, Any]) -> str:
    """A sum with its tokens; "nothing" for none."""
    if not found.get("micro"):
        return "nothing"
    tokens = int(found.get("tokens_in") or 0) + int(found.get("tokens_out") or 0)
    return f"{int(found['micro']) / 1_000_000:.4f} {found.get('currency', '')}, {tokens:,} tokens"


def _steps(row: Mapping[str, Any], steps: Sequence[Mapping[str, Any]]) -> list[views.RunStep]:
    """What was done, then what it waits for or what ended it."""
    found = []
    for step in steps:
        begun, ended = words.instant(step["started"]), words.instant(step["ended"])
        ms = int((ended - begun).total_seconds() * 1000) if begun and ended else 0
        failed = bool(step["error"])
        found.append(
            views.RunStep(
                name=f"{str(step['step']).capitalize()}{EARLIER if step['started'] < row['started'] else ''}",
                at=step["started"],
                state="failed" if failed else "done",
                ms=ms,
                inputs=shown(step["input"]),
                outputs=shown(step["output"], step["detail"]),
                error=step["error"],
                tone="bad" if failed else "go",
            )
        )
    if row["state"] == "waiting":
        found.append(views.RunStep(row["note"].capitalize() or "Waits", row["started"], "waiting", tone="warn"))
    if row["error"] and not any(step.error for step in found):
        found.append(views.RunStep("Ended", row["ended"], "failed", error=row["error"], tone="bad"))
    return found


def shown(*values: Any) -> str:
    """JSON values as indented text, empty ones left out; at most 20,000 characters."""
    texts = [json.dumps(v, ensure_ascii=False, indent=2, sort_keys=True) for v in values if v not in (None, {}, [])]
    return "\n".join(texts)[:20_000]


def _now_what(row: Mapping[str, Any], card: Mapping[str, Any] | None) -> list[views.Link]:
    """The page where something can be done about it."""
    if card and card["state"] == "open":
        return [views.Link(card["title"], f"/cards/{card['id']}", "go")]
    if row["state"] == "failed":
        return [views.Link("Nothing waits for you about this run. Its card was closed.", "/activity")]
    return []


def _links(conn: Connection, row: Mapping[str, Any]) -> list[views.Link]:
    """The run above it and the runs it set going."""
    found = [views.Link("The run that began it", f"/runs/{row['parent']}")] if row["parent"] else []
    return found + [
        views.Link(f"{flow_name(child['flow'])}: {child['state']}", f"/runs/{child['id']}")
        for child in reading.children(conn, row["id"])
    ]
