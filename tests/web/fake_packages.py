"""Skills of others and figures of agents for pages behind a fake Door."""

from __future__ import annotations

from dataclasses import replace

from soloist.insight import diff, packages
from soloist.insight.telemetry import Figures, Share, Split, TelemetryPage
from soloist.kernel.errors import NotFound

AT = "2026-11-20T09:30:00.000000Z"
HASH = "be139ae13cd124cd231ba654ce373309870948e8c10e1498967d76f3125750f2"
CODE = 'def postcodes(value):\n    """Find German postcodes."""\n    return re.findall(r"[0-9]{5}", value.text)\n'


def line(state: str = "waiting", amiss: str = "") -> packages.PackageLine:
    told = ("postcodes", "1", HASH, state, "", "Finds German postcodes in a text.", "Ada Okafor", "postcodes.zip")
    needs = (("today", "the day it is, in your time zone", state == "accepted"),)
    files = (("postcodes.py", 347, HASH), ("skill.toml", 137, HASH))
    return packages.PackageLine(
        *told, (("postcodes", "1"),), needs, files, "5 s of computing time, 512 MB of memory", AT, AT, amiss
    )


TRIED = {
    "against": "summary@1",
    "granted": ["today"],
    "held": 9,
    "changed": 1,
    "failed": 0,
    "worse": 1,
    "examples": [
        {"whose": "shipped", "example": "a short text", "outcome": "holds", "faults": []},
        {"whose": "shipped", "example": "two sentences", "outcome": "changed", "faults": []},
        {"whose": "own", "example": "an order", "outcome": "fails", "faults": ["lines: 2 are promised, 1 came"]},
    ],
    "corrections": {"trial": "01999999-0000-7000-8000-000000000001", "tried": 4, "worse": 1, "better": 2},
    "ms": {"before": 3, "after": 410},
    "asks": {"before": 0, "after": 1},
}


def replacing() -> packages.PackageLine:
    """One that would take the place of a shipped skill, and was held against it."""
    return replace(line(), name="terse", replaces="summary", tried=TRIED)


class FakePackages:
    """One package that waits, one in use, one whose code was changed; walls that let one attempt through."""

    async def page(self, *, again: bool = False) -> packages.PackagesPage:
        lines = (
            line(),
            replacing(),
            line("accepted"),
            line("accepted", "postcodes.py was changed, after you accepted it."),
        )
        attempts = (("fork", True, "PermissionError: Operation not permitted"), ("write outside", False, "it worked"))
        return packages.PackagesPage(lines, "none", False, True, ("bubblewrap: bwrap is not installed",), attempts)

    async def one(self, name: str, begins: str) -> packages.PackagePage:
        if name == "terse":
            return packages.PackagePage(replacing(), (("terse.py", CODE),), "", (), ())
        if name != "postcodes":
            raise NotFound("There is no such package.")
        differs = (diff.field("postcodes.py", CODE, CODE + "# more\n"),)
        return packages.PackagePage(line(), (("postcodes.py", CODE),), "1 (abcd)", differs, (line("replaced"),))


def telemetry() -> TelemetryPage:
    """Two agents and two workflows."""
    intake = Figures("intake", 40, 1, 2, 1.5, 12.0, 5200, 340_000, AT)
    waits = Figures("proposal", 9, 0, 9, None, None, 0, 0, AT)
    shares = (
        Share("agent", "intake", 340_000, 40, 80.0, 9_000),
        Share("client", "c1", 0, 2, 1.0, 900, "Okafor Ceramics"),
    )
    inference = {"agent": [("intake", 340_000)], "flow": [], "client": []}
    split = Split("EUR", inference, 340_000, 80.0, 40, {"database": 9}, shares)
    return TelemetryPage((intake,), (intake, waits), 49, AT, split)
