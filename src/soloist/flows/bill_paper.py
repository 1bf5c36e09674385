"""An invoice as it was read: the fields of its record, each with its place, and what it is compared by."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from soloist.flows.papers import Paper
from soloist.kernel import bills as rules
from soloist.kernel import identity
from soloist.kernel.errors import BadInput

OUTSIDE = "outside"


def identity_of(account: str) -> str:
    """An account number in its bare form (BadInput when there is none)."""
    bare = "".join(char for char in account.upper() if char.isalnum())
    if len(bare) < 5:
        raise BadInput("account: an account number is needed.", field="account")
    return bare


def another(row: Mapping[str, Any], keys: Mapping[str, str]) -> bool:
    """Whether a record has another VAT id than the paper: then it is not the same firm, whatever else is alike."""
    known = rules.bare(str(row["body"].get("vat_id", "")))
    return row["kind"] not in ("company", "person") or bool(
        known and keys.get("vat") and known != keys["vat"].casefold()
    )


SAID = {"gross": "the sum", "issued": "the day", "iban": "the account", "number": "the number", "order": "the order"}


def check(name: str, *, passed: bool, words: str) -> dict[str, Any]:
    return {"name": name, "passed": passed, "words": words}


def alike(match: Mapping[str, Any]) -> str:
    same = ", ".join(SAID.get(one["field"], one["field"]) for one in match["evidence"] if one["relation"] == "same")
    return f"It may be one that was entered before ({same} the same)."


def thing(paper: Paper) -> dict[str, Any]:
    """An invoice as it is compared."""
    came = Came(paper, [])
    amount = came.read["payable"] or came.read["gross"]
    found = {
        "number": came.value("number"),
        "seller": came.party("name"),
        "vat": came.party("vat"),
        "gross": str(amount["minor"]) if amount else "",
        "issued": came.value("issued"),
        "iban": came.account,
        "order": came.value("order_reference"),
    }
    return {"ref": f"new:{paper.part}", "fields": {name: value for name, value in found.items() if value}}


def entered(row: Mapping[str, Any]) -> dict[str, Any]:
    """An invoice that was entered, as it is compared."""
    body = row["body"]
    read = body.get("read") or {}
    found = {
        "number": body.get("number", ""),
        "seller": (read.get("seller") or {}).get("value", ""),
        "vat": (read.get("vat") or {}).get("value", ""),
        "gross": str((body.get("amount") or {}).get("minor", "")),
        "issued": body.get("issued", ""),
        "iban": body.get("printed_account", ""),
        "order": body.get("order", ""),
    }
    return {"ref": row["id"], "fields": {name: str(value) for name, value in found.items() if value}}


@dataclass(frozen=True)
class Came:
    """One invoice as it was read, with what came before that is like it."""

    paper: Paper
    matches: Sequence[Mapping[str, Any]]
    due: Mapping[str, Any] = field(default_factory=dict)

    @property
    def whole(self) -> Mapping[str, Any]:
        return self.paper.invoice or {}

    @property
    def read(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.whole["invoice"]
        return found

    def value(self, name: str) -> str:
        return str((self.read.get(name) or {}).get("value", ""))

    def party(self, name: str) -> str:
        return str((self.read["seller"].get(name) or {}).get("value", ""))

    @property
    def account(self) -> str:
        """The account on the paper, "" for none."""
        found = next(iter(self.read["accounts"]), None)
        return identity_of(found["iban"]["value"]) if found and len(found["iban"]["value"]) >= 5 else ""

    def amount(self, currency: str) -> dict[str, Any] | None:
        """What is to be paid; a credit note's is below zero."""
        found = self.read["payable"] or self.read["gross"]
        if found is None:
            return None
        minor = -abs(found["minor"]) if self.read["kind"] == "credit_note" else found["minor"]
        return {"minor": minor, "currency": found["currency"] or self.value("currency") or currency}

    def money(self, name: str, currency: str) -> dict[str, Any] | None:
        found = self.read[name]
        return {"minor": found["minor"], "currency": found["currency"] or currency} if found else None

    def subject(self, otherwise: str) -> str:
        """The first line of the invoice, else the subject of its mail."""
        first = next((line["name"]["value"] for line in self.read["lines"] if line.get("name")), "")
        kind = "Credit note" if self.read["kind"] == "credit_note" else ""
        return ": ".join(part for part in (kind, " ".join((first or otherwise).split())[:200]) if part)

    def keys(self, sender: str) -> Iterator[tuple[str, str]]:
        """What a supplier is found by: VAT id, and the domain of the address on the paper, else of the mail."""
        if vat := rules.bare(self.party("vat")).upper():
            yield "vat", vat
        domain, by_mail = identity.company_domain(self.party("email")), identity.company_domain(sender)
        domain = domain or (by_mail if _resembles(by_mail, self.party("name")) else "")
        if domain:
            yield "domain", domain

    def company(self, keys: Mapping[str, str]) -> dict[str, Any]:
        """The fields of a new company, from the paper only."""
        place = " ".join(part for part in (self.party("postcode"), self.party("city")) if part)
        address = "\n".join(part for part in (self.party("street"), place, self.party("country")) if part)
        found = {
            "name": (self.party("name") or keys.get("domain", "") or "Supplier without a name")[:200],
            "vat_id": keys.get("vat", ""),
            "domain": keys.get("domain", ""),
            "address": address,
            "origin": OUTSIDE,
        }
        return {name: value for name, value in found.items() if value}

    def places(self) -> dict[str, Any]:
        """Each value of the record and where it was read: {value, said, file, and a path or where it begins}."""
        read, found = self.read, {}
        named = {"seller": read["seller"].get("name"), "vat": read["seller"].get("vat")}
        named |= {"amount": read["payable"] or read["gross"], "tax": read["tax"], "number": read["number"]}
        named |= {"issued": read["issued"], "due": read["due"], "order": read["order_reference"]}
        named |= {"account": (next(iter(read["accounts"]), None) or {}).get("iban")}
        for name, one in named.items():
            if one:
                source = one["source"]
                place = {"path": source["path"]} if source["where"] == "xml" else {"from": source["start"]}
                value = one.get("value", one.get("minor"))
                found[name] = {"value": value, "said": source["said"][:200], "file": self.paper.name, **place}
                found[name] |= {"computed": True} if one.get("computed") else {}
        if self.due:
            found["due"] = {**self.due, "file": "the mail itself", "computed": True}
        return found

    def checks(self) -> list[dict[str, Any]]:
        """What was checked of it, and where its data and its paper differ."""
        told = [check(one["name"], passed=one["passed"], words=one["words"]) for one in self.whole["checks"]]
        told += [check(one["field"], passed=False, words=one["words"]) for one in self.whole["conflicts"]]
        return told[:60]


def _resembles(domain: str, name: str) -> bool:
    """Whether a domain is called as a firm is: a post office or a payment service is not taken for the supplier."""
    label = rules.bare(domain.split(".")[0])
    return any(len(part) > 3 and rules.bare(part) in label for part in name.split())
