"""The policy of Studio Linde without a store."""

from collections.abc import Mapping
from dataclasses import replace

from soloist.flows.ruling import Change, Trial
from soloist.insight.policy import GrantLine, PolicyPage, RuleLine
from soloist.kernel.errors import BadInput
from soloist.stages.policy import GATES
from soloist.stages.policy.sentences import Blank, Sentence

AT, WHEN = "2026-11-20T12:40:00Z", 'proposal.connector == "shop" && proposal.operation == "put_event"'
GRANT = GrantLine(
    "g1",
    "Reminders on known threads",
    "live",
    (GATES["client contact"],),
    ("10 in 24 hours",),
    "2027-02-18T22:59:59Z",
    2,
    "earned",
    "operator",
    "25 straight approvals",
)
TRIAL = Trial(
    "Always ask me above 500 EUR.",
    "[[policy.rules]]",
    40,
    (Change("p1", "shop: charge", AT, "allow", "ask", "Rule asks."),),
)
PAGE = PolicyPage(
    "4f1c0a9b77d2",
    "policy.toml, line 3, column 9: undeclared reference to 'proposal.prize'.",
    (RuleLine("reminders may go out alone", WHEN, "allow", False), RuleLine("never to <them>", WHEN, "deny", True)),
    (GRANT, replace(GRANT, id="g2", state="offered", source="earned")),
    (replace(GRANT, id="g3", state="lost", why="You edited one."),),
    (
        {
            "agent": "intake@3",
            "operations": "template mail",
            "level": "propose",
            "straight": 7,
            "decided": 9,
            "edited": 1,
        },
    ),
    ({"version": "4f1c0a9b77d2", "at": AT, "who": "operator", "why": "said on a card"},),
    GATES,
)
SAYABLE = (
    Sentence("always", "Always ask me before these.", "ask", "No grant lets one go alone."),
    Sentence(
        "until",
        "Let these go until {until}.",
        "grant",
        "It opens: client contact.",
        (Blank("until", "day", "2027-02-18", "Last day"),),
    ),
)


class FakePolicies:
    """What the pages ask."""

    def __init__(self) -> None:
        self.kept: list[Mapping[str, str]] = []

    async def page(self) -> PolicyPage:
        return PAGE

    async def about(self, ident: str) -> tuple[str, tuple[Sentence, ...]]:
        return "p1", SAYABLE

    async def try_sentence(self, proposal: str, name: str, blanks: Mapping[str, str]) -> Trial:
        if blanks.get("until") == "never":
            raise BadInput("until: a day like 2026-11-21.", field="until")
        return TRIAL

    async def say(self, proposal: str, name: str, blanks: Mapping[str, str], who: str) -> str:
        self.kept.append({"sentence": name, **blanks})
        return "said"

    async def try_rule(self, given: Mapping[str, str]) -> Trial:
        return TRIAL

    async def add_rule(self, given: Mapping[str, str], who: str) -> str:
        self.kept.append(given)
        return "4f1c"
