"""What a rule said in plain words means: what is written how, to whom, or what is asked first; it sets nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Literal

from pydantic import Field

from soloist.kernel.message import Frozen
from soloist.plugins.skills import _rule_words as forms
from soloist.sdk import skill
from soloist.sdk.asking import GUARD, Ask, marked

Sort = Literal[
    "replace", "avoid", "include", "sign", "greet", "language", "above", "ask", "never", "aside", "kind", "note"
]
LONGEST = 600
_QUOTED = re.compile(r"[\"“„«](?P<a>[^\"“”„«»]{1,400})[\"“”»]|(?<![\w])['‘‚](?P<b>[^'‘’]{1,400})['’](?![\w])")
_AMOUNT = re.compile(r"(\d[\d.,' ]*)\s*(EUR|USD|GBP|CHF|€|\$|£|euros?|dollars?|pounds?)?", re.IGNORECASE)
_SIGNS = {"€": "EUR", "$": "USD", "£": "GBP", "euro": "EUR", "euros": "EUR", "dollar": "USD", "dollars": "USD"}
_BY_MODEL: tuple[Sort, ...] = ("replace", "avoid", "include", "sign", "greet", "language", "note")


class In(Frozen):
    """What the operator said; ``answer`` is a model's reading of it, where one was asked."""

    said: str = Field(min_length=3, max_length=LONGEST)
    currency: str = "EUR"
    answer: dict[str, Any] | None = None


class Out(Frozen):
    """A rule: ``text`` is what is to stand or not to stand in a mail, ``other`` what it takes the place of.

    ``who`` is whom it is about in the operator's words, "" for everybody. ``note`` is a rule that nothing here can
    carry out by itself: it is told to whoever writes. ``how`` says who read it, ``ask`` is there when a model might
    read more.
    """

    sort: Sort
    text: str = ""
    other: str = ""
    who: str = ""
    kind: str = ""
    language: str = ""
    amount_minor: int = 0
    currency: str = ""
    how: Literal["rules", "model"] = "rules"
    ask: Ask | None = None


@skill("read_rule", version="1")
def read_rule(value: In) -> Out:
    """Read a rule that was said in plain words."""
    said = " ".join(value.said.split()).rstrip(".! ")
    for found in _readings(said, value.currency):
        return found
    if value.answer is not None and (kept := _of_model(value.answer, said)) is not None:
        return kept
    return Out(sort="note", text=said, ask=_ask(said) if value.answer is None else None)


def _readings(said: str, currency: str) -> Iterator[Out]:
    """Every reading that a form gives and that makes sense, in order."""
    quoted: list[str] = []

    def aside(match: re.Match[str]) -> str:
        quoted.append(match["a"] or match["b"])
        return f"§{len(quoted) - 1}"

    plain = _QUOTED.sub(aside, said)
    if len(quoted) > 9:
        return
    plain = " ".join(forms.SOFT.sub("", plain.casefold()).replace("’", "'").split())
    for sorts in forms.FORMS.values():
        for sort, patterns in sorts.items():
            for pattern in patterns:
                if (match := re.fullmatch(pattern, plain)) and (found := _made(sort, match, quoted, currency, said)):
                    yield found


def _made(sort: str, match: re.Match[str], quoted: list[str], currency: str, said: str) -> Out | None:
    """A reading from the parts of a form; None when one of them is no such thing."""
    parts = {name: text for name, text in match.groupdict().items() if text}
    who = _who(parts.get("to") or parts.get("who", ""), said)
    made: dict[str, Any] = {"sort": sort, "who": who}
    if "x" in parts:
        made["text"] = quoted[int(parts["x"])].strip()
    if "y" in parts:
        made["other"] = quoted[int(parts["y"])].strip()
    if sort == "language":
        made["language"] = next((code for code, names in forms.TONGUES.items() if parts["tongue"] in names), "")
    if sort == "kind":
        made["kind"] = next((kind for kind, names in forms.KINDS.items() if parts["kind"] in names), "")
    if sort == "above":
        made["amount_minor"], made["currency"] = _amount(parts["amount"], currency)
    needed = {"language": "language", "kind": "kind", "above": "amount_minor"}.get(sort)
    about = {"ask", "never", "aside", "kind", "language"}
    if (needed and not made[needed]) or (sort in about and not who) or ("x" in parts and not made["text"]):
        return None
    return Out.model_validate(made)


def _who(plain: str, said: str) -> str:
    """Whom it is about, in the letters it was said in; "" for everybody."""
    plain = re.sub(r"^(?:mails? |replies |letters )?(?:to |for )", "", plain.strip(" ,"))
    if plain in forms.EVERYBODY:
        return ""
    at = said.casefold().find(plain) if plain else -1
    return said[at : at + len(plain)].strip() if at >= 0 else plain


def _amount(text: str, usual: str) -> tuple[int, str]:
    """Cents and currency of an amount in words like 500 EUR or 1.250,50; (0, "") for none."""
    match = _AMOUNT.fullmatch(text.strip())
    if not match:
        return 0, ""
    number = re.sub(r"[' ]", "", match[1]).rstrip(".,")
    last = max(number.rfind(","), number.rfind("."))
    cents = last >= 0 and len(number) - last - 1 != 3
    whole = re.sub("[.,]", "", number[:last] if cents else number)
    amount = Decimal(f"{whole}.{number[last + 1 :]}" if cents else whole)
    unit = (match[2] or "").casefold()
    return int(amount * 100), _SIGNS.get(unit, "GBP" if unit.startswith(("£", "pound")) else unit.upper()) or usual


def _ask(said: str) -> Ask:
    """What a model is asked: which of the forms of wording it is, with the texts copied from what was said."""
    return Ask(
        instructions="A business owner says how mails are to be written. Say which form it is: replace (write `text` "
        "instead of `other`), avoid (never write `text`), include (always write `text`), sign (sign as `text`), greet "
        "(greet with `text`), language (write in `language`: en, de, fr or es), or note when it is none of them. "
        f"`text`, `other` and `who` are copied letter by letter; `who` is whom it is about, or empty. {GUARD}",
        given=marked(said),
        answer_schema={
            "type": "object",
            "properties": {
                "sort": {"type": "string", "enum": list(_BY_MODEL)},
                **{name: {"type": "string"} for name in ("text", "other", "who", "language")},
            },
            "required": ["sort", "text", "other", "who", "language"],
            "additionalProperties": False,
        },
        least=2,
        checks=[
            "each text stands in what was said letter by letter, else it stays a note",
            "a rule about who may be written to, or what is asked first, is never read by a model",
        ],
    )


def _of_model(answer: dict[str, Any], said: str) -> Out | None:
    """A model's reading, where each of its texts stands in what was said."""
    sort = answer.get("sort")
    texts = {name: str(answer.get(name, "")).strip() for name in ("text", "other", "who")}
    if sort not in _BY_MODEL or sort == "note" or any(text and text not in said for text in texts.values()):
        return None
    needs = {"replace": ("text", "other"), "language": ("who",)}.get(sort, ("text",))
    language = str(answer.get("language", "")) if sort == "language" else ""
    if any(not texts[name] for name in needs) or (sort == "language" and language not in forms.TONGUES):
        return None
    return Out.model_validate({"sort": sort, "language": language, "how": "model", **texts})
