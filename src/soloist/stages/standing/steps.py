"""Steps of standing rules: the rules in force for whoever writes or routes, and the notes of where each applied."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from soloist.engine.store import records, standing
from soloist.engine.store.tx import Tx
from soloist.kernel.identity import normal_address
from soloist.stages.standing import decide
from soloist.stages.standing.decide import Dressed, Facts, Rule

FOOT = "\n\n--\n"
"""What the foot of an issue begins with: who sends it, and how to leave."""


class Standing:
    """The standing rules of one house."""

    def rules(self, conn: Any) -> list[Rule]:
        """Those in force, in the order they were said."""
        return [decide.of_row(row) for row in standing.live(conn)]

    def about(self, conn: Any, sender: str) -> Facts:
        """Whom a message is from: the address, the person and the company that are known by it."""
        person = records.identified(conn, "email", normal_address(sender or "nobody@invalid"))
        if person is None:
            return Facts((), (sender,))
        company = str((records.get(conn, person)["body"] or {}).get("company") or "")
        return Facts(tuple(one for one in (person, company) if one), (sender,))

    def dress(self, conn: Any, body: str, sender: str) -> Dressed:
        """A body for somebody as the rules about them would have it."""
        rules = self.rules(conn)
        return decide.dress(body, rules, self.about(conn, sender)) if rules else Dressed(body)

    def issue(self, conn: Any, text: str) -> Dressed:
        """What goes to many at once, as the rules about every letter would have it; its foot stays as it is.

        Who is greeted and who signs is a matter of letters.
        """
        rules = [rule for rule in self.rules(conn) if rule.scope == "house" and rule.sort in decide.OF_ALL]
        said, foot, rest = text.partition(FOOT)
        found = decide.dress(f"{said}{foot.rstrip()}", rules, Facts((), ()))
        return replace(found, body=f"{found.body.rstrip()}\n{rest}") if foot else found

    def tell(self, conn: Any, _agent: str, client: str) -> list[str]:
        """What an agent that writes is told for a client (id of a record), in the operator's words."""
        rules = self.rules(conn)
        if not rules:
            return []
        known = [row["value"] for row in records.identities_of(conn, client) if row["scheme"] == "email"]
        return decide.telling(rules, Facts((client,) if client else (), tuple(known)))

    def tongue(self, conn: Any, sender: str) -> str:
        """In which language somebody is answered by a rule, "" when none says."""
        rules = self.rules(conn)
        found = decide.tongue(rules, self.about(conn, sender)) if rules else None
        return found.language if found else ""

    def route(self, conn: Any, sender: str) -> tuple[str, str] | None:
        """What a rule says a message from an address is: (kind, the rule in words), None when none does."""
        found = decide.route(self.rules(conn), sender)
        return (found[0], f"your rule {found[1].rule}: {found[1].said}") if found else None

    def routed(self, tx: Tx, message: str, sender: str, run: str) -> None:
        """Note that a rule said what a message is."""
        if found := decide.route(self.rules(tx.conn), sender):
            standing.used(tx, [(found[1].id, f"it counts as {found[0]}")], message, run)

    def note(self, tx: Tx, used: Iterable[tuple[str, str]], subject: str, run: str) -> None:
        """Note what rules did to a proposal or a message."""
        standing.used(tx, [*used], subject, run)

    def edited(self, tx: Tx, before: str, after: str, to: str, *, who: str) -> list[str]:
        """After an edit of a mail: rules the operator had to apply by hand are counted as repeated; their numbers."""
        rules = self.rules(tx.conn)
        found = decide.repeated(before, after, rules, self.about(tx.conn, to)) if rules else []
        for rule in found:
            row = standing.get(tx.conn, rule.rule)
            standing.repeated(tx, row, "the draft did not keep to it, and you mended it by hand", who=who)
        return [rule.rule for rule in found]
