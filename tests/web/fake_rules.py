"""Standing rules for the pages without a home: one in force with two versions, one that was only said."""

from typing import Any

from soloist.insight.standing import RuleLine, RulePage, RulesPage
from soloist.kernel.errors import NotFound

_TRIED = {
    "looked": 12,
    "count": 1,
    "unit": "drafts",
    "changed": [{"object": "c1", "title": "Re: Photos", "before": "Best\nMara Linde", "after": "Best\nMara"}],
}


def _line(rule: str, version: int, state: str, said: str, means: str, **more: Any) -> RuleLine:
    given = {"about": "everybody", "uses": 0, "repeats": 0, "at": "2026-11-20T06:01:00Z", "who": "operator"}
    return RuleLine(rule, version, state, said, means, **(given | {"author": "rules", "tried": _TRIED} | more))


SIGN = _line("1", 2, "live", "Sign as 'Mara'", "Signs as “Mara”", uses=3, repeats=1)
RULES = (SIGN, _line("2", 1, "said", "Never write 'cheap'", "Never writes “cheap”", about="Ada Okafor"))
APPLIED = ({"rule": "1.2", "object": "c1", "run": "r1", "what": "signed as “Mara”", "at": "2026-11-20T06:01:00Z"},)


class FakeRules:
    """The rules as the pages read them."""

    async def page(self) -> RulesPage:
        return RulesPage(RULES, 1)

    async def one(self, rule: str) -> RulePage:
        found = next((line for line in RULES if line.rule == rule), None)
        if found is None:
            raise NotFound("There is no such rule.")
        older = _line(rule, 1, "replaced", "Sign as 'M. Linde'", "Signs as “M. Linde”")
        return RulePage(found, (found, older), APPLIED if rule == "1" else ())
