"""The skill ``duplicates``: whether something came before (invoice, message or person), as a list of evidence.

It decides nothing: each likeness is named with both values, and whoever asked weighs them.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from typing import Literal

from pydantic import Field

from soloist.kernel.message import Frozen
from soloist.sdk import skill

MOST = 2_000
_WORDS = re.compile(r"\w+")


class Thing(Frozen):
    """An invoice, a message or a person by its fields; which ones there are is up to the caller.

    Known fields: number, seller, vat, gross, issued, iban, order; text, subject, sender, sent, id; name, email, phone,
    company. All are text; gross is minor units, days are ISO.
    """

    ref: str
    fields: dict[str, str] = Field(default={}, max_length=40)


class In(Frozen):
    """What came, and what was there before."""

    kind: Literal["invoice", "message", "person"]
    new: Thing
    known: list[Thing] = Field(default=[], max_length=MOST)


class Evidence(Frozen):
    """One likeness or difference: verbatim values of both."""

    field: str
    relation: Literal["same", "like", "differs"]
    new: str
    known: str
    words: str


class Match(Frozen):
    """Something from before: ``verdict`` is "same" (nothing speaks against), "likely" or "changed".

    "changed" is the same thing with another content: the mark of a correction, and of a forged invoice.
    """

    ref: str
    verdict: Literal["same", "likely", "changed"]
    evidence: list[Evidence]


class Out(Frozen):
    """Matches, the surest first; empty when nothing came before."""

    matches: list[Match]


@skill("duplicates", version="1")
def duplicates(value: In) -> Out:
    """Say what came before is the same, likely the same, or the same with changes, and why."""
    judge = {"invoice": _invoice, "message": _message, "person": _person}[value.kind]
    found = []
    for known in value.known:
        evidence = [one for field in value.new.fields if (one := _compare(field, value.new, known)) is not None]
        verdict = judge({one.field: one.relation for one in evidence})
        if verdict and known.ref != value.new.ref:
            found.append(Match(ref=known.ref, verdict=verdict, evidence=evidence))
    order = ("same", "changed", "likely")
    found.sort(key=lambda one: (order.index(one.verdict), -sum(item.relation == "same" for item in one.evidence)))
    return Out(matches=found[:50])


Verdict = Literal["same", "likely", "changed"] | None


def _invoice(seen: dict[str, str]) -> Verdict:
    """The number and who sent it make an invoice; amount, day and account say whether it is the same one."""
    issuer = seen.get("vat") == "same" or seen.get("seller") in ("same", "like")
    other_issuer = seen.get("vat") == "differs" or (seen.get("seller") == "differs" and seen.get("vat") != "same")
    content = [seen.get(field) for field in ("gross", "issued", "iban")]
    if seen.get("number") == "same" and not other_issuer:
        if "differs" in content:
            return "changed"
        return "same" if issuer and "same" in content else "likely"
    if issuer and seen.get("gross") == "same" and (seen.get("issued") == "same" or seen.get("order") == "same"):
        return "likely"
    return None


def _message(seen: dict[str, str]) -> Verdict:
    """The id makes a message; the same words of the same sender make it likely."""
    if seen.get("id") == "same":
        return "changed" if seen.get("text") == "differs" else "same"
    if seen.get("sender") == "differs":
        return None
    if seen.get("text") == "same":
        return "same" if seen.get("sender") == "same" else "likely"
    return "likely" if seen.get("text") == "like" and seen.get("sender") == "same" else None


def _person(seen: dict[str, str]) -> Verdict:
    """An address of mail makes a person; a telephone number or a firm with the name makes it likely."""
    name = seen.get("name")
    if seen.get("email") == "same":
        return "changed" if name == "differs" else "same"
    if seen.get("phone") == "same" and name != "differs":
        return "likely"
    return "likely" if name in ("same", "like") and seen.get("company") in ("same", "like") else None


def _compare(field: str, new: Thing, known: Thing) -> Evidence | None:
    """How one field stands, None when one of the two says nothing."""
    ours, theirs = new.fields[field], known.fields.get(field, "")
    a, b = _plain(field, ours), _plain(field, theirs)
    if not a or not b:
        return None
    relation: Literal["same", "like", "differs"] = "same" if a == b else "like" if _like(field, a, b) else "differs"
    said = {"same": "is the same", "like": "is nearly the same", "differs": "is another one"}[relation]
    return Evidence(field=field, relation=relation, new=ours, known=theirs, words=f"{field} {said}")


def _plain(field: str, value: str) -> str:
    """A value without what people write differently."""
    folded = unicodedata.normalize("NFKC", value).casefold().strip()
    if field in ("number", "vat", "iban", "order"):
        return re.sub(r"[\W_]", "", folded)
    if field == "phone":
        return re.sub(r"\D", "", folded).lstrip("0")
    if field == "subject":
        folded = re.sub(r"^(?:(?:re|aw|fw|fwd|wg|tr|rv|sv)\s*:\s*)+", "", folded)
    if field in ("issued", "sent"):
        return folded[:10]
    return " ".join(_WORDS.findall(folded)) if field in ("text", "seller", "name", "company", "subject") else folded


def _like(field: str, a: str, b: str) -> bool:
    """Whether two values differ by a slip: most words of a text, a letter of a name, a day or three of a date."""
    if field == "text":
        ours, theirs = set(_shingles(a)), set(_shingles(b))
        return len(ours & theirs) >= 0.8 * max(1, len(ours | theirs))
    if field in ("seller", "name", "company"):
        from rapidfuzz import fuzz

        return fuzz.token_set_ratio(a, b) >= 92
    if field in ("issued", "sent"):
        try:
            return abs((date.fromisoformat(a) - date.fromisoformat(b)).days) <= 3
        except ValueError:
            return False
    return False


def _shingles(text: str) -> list[str]:
    words = text.split()[:5_000]
    return [" ".join(words[index : index + 3]) for index in range(max(1, len(words) - 2))]
