"""A Door with the Studio Linde story and no store: what the pages are developed and tested with."""

# ruff: noqa: E501  (the story is text)

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

from soloist.insight import diff, views
from soloist.insight.live import News
from soloist.kernel.errors import Conflict, NotFound, StaleHash
from soloist.web.doors import Decision
from tests.web.fake_actions import FakeActions
from tests.web.fake_bills import FakeBills
from tests.web.fake_book import FakeBook
from tests.web.fake_books import FakeBooks
from tests.web.fake_confidence import FakeProved, FakeWanted
from tests.web.fake_failures import FakeFailures
from tests.web.fake_handing import FakeHanding
from tests.web.fake_learning import FakeLearning
from tests.web.fake_merges import FakeMerges
from tests.web.fake_packages import FakePackages
from tests.web.fake_policies import FakePolicies
from tests.web.fake_reconcile import FakeReconcile
from tests.web.fake_registry import FakeRegistry
from tests.web.fake_rules import FakeRules
from tests.web.fake_safety import FakeSafety
from tests.web.fake_spend import FakeSpending
from tests.web.fake_talks import FakeTalks
from tests.web.fake_time import FakeTime

NOW = "2026-11-20T13:05:00Z"
BODY = """Dear Ms Okafor,

thank you for your message. A new online shop with about 40 pieces is work I like to do, and I still know your brand well.

A shop of this size starts at EUR 3,800. I can begin in the week of 11 January 2027; from then on it takes about six weeks.

Shall we talk for half an hour next week? Tuesday or Thursday afternoon would suit me.

Kind regards
Mara Linde"""
HASH = "sha256:5f2d0c9be1"

ADA = views.Message(
    "Ada Okafor",
    "ada@okafor-ceramics.example",
    "2026-11-20T07:42:00Z",
    "New online shop for spring",
    "Dear Mara,\n\nwe would like to sell our spring collection online: about 40 pieces. Could you build the shop? We have set "
    "aside 4,500 EUR and hope to open in March.\n\nMore about us: https://okafor-ceramics.example/about\n\nBest\nAda",
    summary=("We would like to sell our spring collection online: about 40 pieces.",),
    quoted="> On 3 May Mara Linde wrote:\n> the new logo files are attached. Have fun with them!",
    attachments=("pieces.pdf",),
)
FACTS = {
    "why_you": "Mail to a client always asks you first; she is a known client, and this is the first price in the thread.",
    "if_wrong": "She gets a price or a date you did not mean, and you would have to correct it in a second mail.",
    "way_back": "Until 30 s after you approve it can be stopped. A mail that has left cannot be called back.",
}
REPLY = views.Sheet(
    "c1",
    "Reply",
    "mail",
    "Reply to Ada Okafor: new online shop for spring",
    HASH,
    agent="intake@3",
    counterpart="Ada Okafor, Okafor Ceramics",
    address="ada@okafor-ceramics.example",
    value="EUR 4,500",
    **FACTS,
    will_run=('mail.send to ada@okafor-ceramics.example, "Re: New online shop for spring", key 7c1e90d2',),
    due="2026-11-22T07:42:00Z",
    at_expiry="Nothing is sent. The enquiry comes back to you as overdue.",
    draft=(
        views.DraftField("to", "To", "ada@okafor-ceramics.example", editable=False),
        views.DraftField("subject", "Subject", "Re: New online shop for spring"),
        views.DraftField("text", "Text", BODY, multiline=True),
    ),
    notes=("Written from the template enquiry.en.txt; prices and dates come from your house book.",),
    questions=(
        "She asks about opening in March. Your house book says six weeks from 11 January: that ends on 22 February.",
    ),
    primary="Approve and send",
    message=ADA,
    answers=(
        views.AnswerLine(
            "Service", "web design, brand design", "met", "She asks for an online shop.", ("build the shop",)
        ),
        views.AnswerLine("Budget", "from EUR 2,000", "met", "EUR 4,500 is above it.", ("set aside 4,500 EUR",)),
        views.AnswerLine("Region", "Germany, Austria", "unknown", "She does not say where the company is."),
        views.AnswerLine("Start", "from 11 Jan 2027", "met", "March 2027 is later.", ("open in March",)),
    ),
    citations=(
        views.CitationLine(12, "Online shops up to 50 products start at EUR 3,800."),
        views.CitationLine(31, "Next free start: week of 11 January 2027. A shop takes about six weeks."),
    ),
    provenance=(
        views.Step("Began with", "Mail from Ada Okafor, 08:42", "event 1841", "/activity"),
        views.Step("Memory", "Ada Okafor, client since 2024", "person 9f31c2aa version 4", "/records/person/p1"),
        views.Step("Memory", "House book, lines 12 and 31", "asset 51ce version 7"),
        views.Step("Skill", "Enquiry read by rules, no model", "understand@2, 41 ms"),
        views.Step("Skill", "Draft from template enquiry.en", "compose@1, 6 ms, cost nothing"),
        views.Step("Policy", "Client contact asks first", "rule client-contact, policy 3", "/settings"),
    ),
    links=(views.Link("The whole run", "/runs/r1"), views.Link("Why, in full", "/why/c1")),
)
POOR = replace(
    REPLY,
    id="c2",
    title="Reply to Jonas Brandt: website for the practice",
    agent="intake@3",
    value="EUR 600",
    counterpart="Jonas Brandt, Brandt Physiotherapie",
    address="jonas@brandt-physio.example",
    questions=(),
    why_you="The budget he names is below your minimum, so the draft declines politely. That is yours to decide.",
    answers=(views.AnswerLine("Budget", "from EUR 2,000", "not_met", "EUR 600 is below it.", ("at most 600 Euro",)),),
    message=views.Message(
        "Jonas Brandt",
        "jonas@brandt-physio.example",
        "2026-11-20T09:15:00Z",
        "Website",
        "Hallo, wir brauchen eine neue Website. Wir können at most 600 Euro ausgeben.",
    ),
)
UNKNOWN = views.Sheet(
    "c3",
    "Unknown outcome",
    "triangle-alert",
    "It is not known whether the charge of EUR 1,200 went through",
    HASH,
    agent="billing@1",
    counterpart="Okafor Ceramics",
    address="ada@okafor-ceramics.example",
    value="EUR 1,200",
    why_you="The connection broke after the request had left. The shop offers no way to look it up.",
    if_wrong="Sent again although it went through: she pays twice. Left although it did not: the invoice stays open.",
    way_back="A charge that happened twice can be refunded by hand; the fee of EUR 4.20 is lost.",
    due="2026-11-21T17:00:00Z",
    at_expiry="It stays open and is shown again tomorrow. Nothing is sent.",
    options=(
        views.Option("happened", "It happened", "Marked as done with your word; nothing is sent.", True),
        views.Option("did_not_happen", "It did not happen", "Marked as not done; nothing is sent."),
        views.Option(
            "send_again",
            "Send it again",
            "A new attempt under the same key.",
            False,
            "shop.create_charge EUR 1,200 for order 118, key 51ce07aa",
            "bad",
        ),
    ),
    twice=True,
    provenance=(
        views.Step("Began with", "Invoice 2026-118 approved by you, 11:20", "proposal 51ce07aa"),
        views.Step("Outside", "Connection reset after 212 bytes", "attempt 1"),
    ),
    links=(views.Link("Why, in full", "/why/c3"),),
)
CHANGE = views.Sheet(
    "c4",
    "Change",
    "git-compare",
    "Correct the address of Brandt Physiotherapie",
    HASH,
    agent="records@2",
    why_you="The new address comes from a mail, and the sender is not verified.",
    if_wrong="The next invoice names a wrong address.",
    way_back="The earlier version can be restored with one click.",
    will_run=("records.write company 20aa17f0, expected version 3",),
    primary="Approve",
    changes=(
        diff.field("Street", "Lindenallee 4", "Lindenallee 14"),
        diff.field("Phone", "+49 40 555 0100", "+49 40 555 0199"),
    ),
    due="2026-11-25T09:00:00Z",
    at_expiry="The record stays as it is.",
    message=views.Message(
        "Victor Kane",
        "victor@quick-offers.xn--exmple-cua.com",
        "2026-11-20T10:01:00Z",
        "Please update \u202ebank data",
        "Our ad\u200bdress has changed.\nClick https://quick-offers.example/verify",
    ),
    address="victor@quick-offers.xn--exmple-cua.com",
    counterpart="Victor Kane",
)
QUESTION = views.Sheet(
    "c5",
    "Question",
    "circle-question-mark",
    "Do you offer workshops on site?",
    HASH,
    agent="intake@3",
    counterpart="Ada Okafor",
    why_you="She asks it, and your house book does not say. The reply waits for your answer.",
    if_wrong="The answer stands in a mail to a client.",
    way_back="The draft comes to you once more before it is sent.",
    draft=(
        views.DraftField(
            "answer", "Your answer", "", True, hint="One or two sentences, as they may stand in the reply."
        ),
    ),
    options=(
        views.Option("keep", "Use it and keep it", "The sentence is added to your house book.", True),
        views.Option("once", "Use it this time", "Only this reply changes."),
        views.Option("leave_out", "Leave it out", "The reply says nothing about it."),
    ),
    primary="Answer",
    due="2026-11-22T07:42:00Z",
    at_expiry="The reply is prepared without an answer.",
)
LATER = (("tomorrow", "Tomorrow morning"), ("3days", "In 3 days"), ("week", "Next week"))
RANK = "First because it expires in 3 h and is worth about EUR 4,500."
SHEETS = {s.id: replace(s, later=LATER, rank=RANK) for s in (UNKNOWN, REPLY, POOR, QUESTION, CHANGE)}
REASONS = {
    "c1": ("Fits in 3 of 4 points, region not said", "", "about 2 min"),
    "c2": ("Below your minimum budget", "warn", "about 1 min"),
    "c3": ("May or may not have been paid", "bad", "about 3 min"),
    "c4": ("From a sender nobody has verified", "warn", "about 1 min"),
    "c5": ("Holds up a reply", "", "about 1 min"),
}


class FakeDoor:
    """Remembers decisions in a list; ``stale`` names cards whose text changes before the next decision."""

    def __init__(self, empty: bool = False) -> None:
        self.sheets = {} if empty else dict(SHEETS)
        self.time = FakeTime(SHEETS)
        self.safety = FakeSafety()
        self.failures = FakeFailures()
        self.policies = FakePolicies()
        self.spending = FakeSpending()
        self.bills, self.handing, self.rules = FakeBills(), FakeHanding(), FakeRules()
        self.talks = FakeTalks()
        self.actions = FakeActions()
        self.registry, self.learning = FakeRegistry(), FakeLearning()
        self.packages, self.books = FakePackages(), FakeBooks()
        self.book = FakeBook()
        self.proved, self.wanted = FakeProved(), FakeWanted()
        self.reconcile = FakeReconcile()
        self.merges = FakeMerges()
        self.more: list[views.Entry] = []
        self.nothing = empty
        self.decided: list[tuple[str, Decision]] = []
        self.undone: list[str] = []
        self.stopped = ""
        self.looks: list[tuple[str, int]] = []
        self.listening: list[asyncio.Queue[News | None]] = []
        self.loop: asyncio.AbstractEventLoop | None = None
        self.seq = 1846

    async def frame(self) -> views.Frame:
        return views.Frame(
            "Studio Linde",
            "Europe/Berlin",
            waiting=len(self.open()),
            stopped=self.stopped,
            sample=True,
            now=NOW,
            seq=self.seq,
        )

    def empty(self) -> None:
        self.sheets, self.nothing = {}, True

    def open(self) -> list[views.Sheet]:
        return [s for s in self.sheets.values() if s.state == "open"]

    async def inbox(self, current: str = "", after: str = "") -> views.InboxPage:
        rows = tuple(
            views.Row(
                s.id, s.kind, s.icon, s.title, REASONS[s.id][0], REASONS[s.id][1], s.value, s.due, REASONS[s.id][2]
            )
            for s in self.open()
        )
        first = self.sheets.get(current) or (self.open()[0] if rows else None)
        return views.InboxPage(
            len(rows),
            rows,
            first,
            since_at="2026-11-20T07:10:00Z",
            since=(
                views.Link("31 done on their own", "/activity?group=done"),
                views.Link("1 failed and rolled back", "/activity?group=failed", "bad"),
                views.Link("2 records changed", "/activity?group=changed"),
            ),
            numbers=(
                views.Number("Spent today", "EUR 0.04", "of EUR 2"),
                views.Number("Waiting to leave", "0"),
                views.Number("Oldest", "5 h"),
            ),
            review="About 8 minutes in all. Three of them can wait until tomorrow." if rows else "",
            next_planned="Next: the mailbox is read at 14:10, the follow-up to Jonas Brandt is due on Monday 09:00.",
        )

    async def sheet(self, card: str) -> views.Sheet:
        if card not in self.sheets:
            raise NotFound("There is no card with this id.")
        return self.sheets[card]

    async def decide(self, card: str, decision: Decision) -> views.Outcome:
        sheet = await self.sheet(card)
        if sheet.state != "open":
            raise Conflict("This card was already decided.")
        if decision.payload_hash != sheet.payload_hash:
            raise StaleHash
        self.decided.append((card, decision))
        if decision.option == "defer":
            del self.sheets[card]
            return views.Outcome(card, "Put off. It comes back tomorrow 08:00.", True)
        self.sheets[card] = replace(sheet, state=decision.option, state_line="You approved it at 14:05.")
        return views.Outcome(card, "Approved. Runs in 30 s.", True)

    async def outcome(self, card: str) -> views.Outcome | None:
        if card in self.undone:
            return views.Outcome(card, "Taken back. Nothing was sent.", tone="warn")
        done = next((d for c, d in reversed(self.decided) if c == card), None)
        if done and done.option == "defer":
            return views.Outcome(card, "Put off. It comes back tomorrow 08:00.", True)
        return views.Outcome(card, "Approved. Runs in 30 s.", True) if done else None

    async def undo(self, card: str, who: str, bundle: bool = False) -> views.Outcome:
        self.undone.append(card)
        self.sheets[card] = replace(SHEETS[card], state="open")
        return views.Outcome(card, "Taken back. Nothing was sent.", tone="warn")

    async def seen(self) -> None:
        pass

    async def looked(self, who: str, seq: int) -> None:
        self.looks.append((who, seq))

    async def live(self, owner: str, after: int) -> AsyncIterator[News | None]:
        mine: asyncio.Queue[News | None] = asyncio.Queue()
        self.loop = asyncio.get_running_loop()
        self.listening.append(mine)
        try:
            while (news := await mine.get()) is not None:
                yield news
        finally:
            self.listening.remove(mine)

    def tell(self, *topics: str) -> None:
        """From a test's own thread: these parts are old now; without topics the streams end."""
        self.seq += 1
        news = News(self.seq, topics) if topics else None
        for queue in list(self.listening):
            assert self.loop is not None
            self.loop.call_soon_threadsafe(queue.put_nowait, news)

    async def stop(self, on: bool, who: str) -> None:
        self.stopped = NOW if on else ""

    async def activity(self, group: str = "", query: str = "", before: str = "", after: str = "") -> views.ActivityPage:
        groups = (
            ("", "All"),
            ("arrived", "Arrived"),
            ("decided", "Decided"),
            ("done", "Done"),
            ("failed", "Failed"),
            ("changed", "Changed"),
        )
        tabs = tuple(views.Tab(text, f"/activity?group={g}" if g else "/activity", g == group) for g, text in groups)
        if self.nothing:
            return views.ActivityPage((), tabs, query)
        return views.ActivityPage(
            (
                *reversed(self.more),
                views.Entry(
                    1846,
                    "2026-11-20T12:20:00Z",
                    "triangle-alert",
                    "shop",
                    "did not say whether the charge went through",
                    "/why/c3",
                    tone="bad",
                ),
                views.Entry(
                    1845, "2026-11-20T12:19:30Z", "check", "Mara Linde", "approved the charge of EUR 1,200", "/why/c3"
                ),
                views.Entry(
                    1844,
                    "2026-11-20T09:15:02Z",
                    "workflow",
                    "intake@3",
                    "prepared a reply to Jonas Brandt",
                    "/cards/c2",
                    "EUR 600",
                ),
                views.Entry(
                    1843, "2026-11-20T09:15:00Z", "mail", "jonas@brandt-physio.example", "wrote: Website", "/runs/r1"
                ),
                views.Entry(
                    1841,
                    "2026-11-19T07:42:00Z",
                    "mail",
                    "ada@okafor-ceramics.example",
                    "wrote: New online shop for spring",
                    "/runs/r1",
                    tone="go",
                ),
            ),
            tabs,
            query,
            next="/activity?before=1841",
        )

    async def records(self, kind: str = "", query: str = "", after: str = "") -> views.RecordsPage:
        kind = kind or "person"
        tabs = tuple(views.Tab(k.capitalize(), f"/records/{k}", k == kind) for k in ("person", "company", "lead"))
        rows = (
            views.TableRow(
                "/records/person/p1",
                ("Ada Okafor", "ada@okafor-ceramics.example", "Okafor Ceramics"),
                "2026-11-20T07:42:10Z",
            ),
            views.TableRow(
                "/records/person/p2",
                ("Jonas Brandt", "jonas@brandt-physio.example", "Brandt Physiotherapie"),
                "2026-11-20T09:15:01Z",
            ),
        )
        return views.RecordsPage(kind, tabs, ("Name", "Email", "Company"), () if self.nothing else rows, query)

    async def record(self, kind: str, ident: str) -> views.RecordPage:
        return views.RecordPage(
            kind,
            ident,
            "Ada Okafor",
            4,
            (
                views.FieldLine("Name", "Ada Okafor", "from a mail of 3 May 2024"),
                views.FieldLine("Email", "ada@okafor-ceramics.example"),
                views.FieldLine("Phone", "+49 40 555 0177", "from a signature", unverified=True),
                views.FieldLine("Company", "Okafor Ceramics", href="/records/company/k1"),
            ),
            (
                views.Version(
                    4, "2026-11-20T07:42:10Z", "intake@3", (diff.field("Phone", "", "+49 40 555 0177"),), "/why/c1"
                ),
                views.Version(
                    3,
                    "2026-05-03T10:00:00Z",
                    "Mara Linde",
                    (diff.field("Company", "Okafor Keramik", "Okafor Ceramics"),),
                ),
            ),
            (views.FieldLine("email", "ada@okafor-ceramics.example", "same address in 14 messages"),),
            (views.Link("Enquiry: new online shop", "/records/lead/l1"),),
        )

    async def runs(self, state: str = "", before: str = "") -> views.RunsPage:
        tabs = tuple(
            views.Tab(t, f"/runs?state={s}" if s else "/runs", s == state)
            for s, t in (("", "All"), ("waiting", "Waiting"), ("failed", "Failed"), ("done", "Done"))
        )
        rows = (
            views.TableRow(
                "/runs/r1",
                ("intake", "waiting for you", "mail from Ada Okafor", "1.2 s"),
                "2026-11-20T07:42:00Z",
                "warn",
            ),
            views.TableRow(
                "/runs/r2", ("intake", "failed", "mail from Victor Kane", "0.4 s"), "2026-11-20T06:01:00Z", "bad"
            ),
            views.TableRow(
                "/runs/r3", ("follow-up", "done", "schedule, daily 08:00", "0.2 s"), "2026-11-20T07:00:00Z", "go"
            ),
        )
        return views.RunsPage(tabs, () if self.nothing else rows)

    async def run(self, ident: str) -> views.RunPage:
        return views.RunPage(
            ident,
            "Intake",
            "failed",
            "2026-11-20T06:01:00Z",
            "bad",
            "0.4 s",
            "nothing",
            "mail from Victor Kane",
            "/activity",
            (
                views.RunStep(
                    "Receive", "2026-11-20T06:01:00Z", "done", 12, "maildir: 1732082460.eml", "event 1839", tone="go"
                ),
                views.RunStep(
                    "Read",
                    "2026-11-20T06:01:00Z",
                    "failed",
                    388,
                    "event 1839, 24.1 MB",
                    "",
                    "The message has 412 nested parts; the limit is 100. The raw message is kept.",
                    "bad",
                ),
                views.RunStep("Prepare a reply", "2026-11-20T06:01:01Z", "not begun"),
            ),
            (views.Link("Read the raw message as text", "/activity"), views.Link("Leave it", "/runs")),
        )

    async def why(self, ident: str) -> views.WhyPage:
        return views.WhyPage(
            ident,
            "Reply to Ada Okafor: new online shop",
            "One mail went to Ada Okafor on Friday at 14:06, after you had changed the price from EUR 3,800 to EUR 4,200 and approved it.",
            "2026-11-20T13:06:00Z",
            "go",
            ADA,
            (
                views.FieldLine("Agent", "intake, version 3"),
                views.FieldLine("Model", "none, rules and a template"),
                views.FieldLine("Cost", "nothing"),
            ),
            (
                views.FieldLine(
                    "Ada Okafor", "client since 2024, 14 messages", "person version 4", href="/records/person/p1"
                ),
                views.FieldLine("House book", "lines 12 and 31", "version 7"),
            ),
            REPLY.answers,
            REPLY.citations,
            (views.Step("Asked", "Client contact asks first", "rule client-contact, policy 3"),),
            "The policy asked you, because mail to a client always does.",
            (
                views.ApprovalLine(
                    "2026-11-20T13:05:20Z",
                    "Mara Linde",
                    "approved an edited version",
                    "",
                    (
                        diff.field(
                            "Text",
                            "A shop of this size starts at EUR 3,800.",
                            "A shop of this size starts at EUR 4,200.",
                        ),
                    ),
                ),
            ),
            (
                views.DraftField("subject", "Subject", "Re: New online shop for spring"),
                views.DraftField("text", "Text", BODY.replace("3,800", "4,200"), True),
            ),
            (
                views.Attempt("2026-11-20T13:05:50Z", "Held for 30 s", "You could have stopped it until then."),
                views.Attempt(
                    "2026-11-20T13:05:51Z",
                    "Sent",
                    "The outgoing folder took it.",
                    "7c1e90d2",
                    "1732107951.M1.eml",
                    "go",
                ),
            ),
            "A mail that has left cannot be called back. A correction is a second mail.",
            False,
            HASH,
            (views.Link("The whole run", "/runs/r1"),),
        )

    async def end_access(self, what: str, ident: str) -> None:
        self.ended = (what, ident)

    async def settings(self, session: str = "") -> views.SettingsPage:
        return views.SettingsPage(
            (
                views.FieldLine("Name", "Studio Linde"),
                views.FieldLine("Owner", "Mara Linde"),
                views.FieldLine("Time zone", "Europe/Berlin"),
                views.FieldLine("Currency", "EUR"),
            ),
            self.stopped,
            (views.AccessLine("s1", "Firefox on Linux", "127.0.0.1", NOW, True),),
            (views.AccessLine("t1", "invoicing script", "read, propose", "2026-11-01T08:00:00Z"),),
            (
                views.RuleLine("client contact", 'proposal.connector == "mail"', "ask", "built in"),
                views.RuleLine(
                    "reminders may go out alone",
                    'proposal.connector == "shop" && proposal.operation == "put_event"',
                    "allow, 10 min to take back",
                ),
            ),
            (
                views.ConnectorLine(
                    "mail", "maildir", "ok", "go", "Writes to mail/out", ("send (class B, 30 s hold)",)
                ),
                views.ConnectorLine(
                    "shop",
                    "http",
                    "sign-in needed",
                    "bad",
                    "https://api.example.com answered 401",
                    ("create_charge (class A)", "put_event (class B)"),
                ),
            ),
            (
                views.FormLine(
                    "contact",
                    "Contact",
                    "/f/contact",
                    '<iframe src="https://desk.studio-linde.example/f/contact" title="Contact"></iframe>',
                ),
            ),
            "~/soloist",
        )
