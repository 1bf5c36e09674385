"""Translation by a model only; without one it waits and gives no text, and what a model wrote is held to the source."""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Literal

from pydantic import Field

from soloist.kernel.message import Frozen
from soloist.plugins.skills._figures import amounts, numbers
from soloist.plugins.skills._language import tell
from soloist.sdk import skill
from soloist.sdk.asking import GUARD, Ask, marked

_LINK = re.compile(r"https?://[^\s<>\"')\]]+|[\w.+-]+@(?:[\w-]+\.)+\w{2,24}")
_NAMES = {
    "en": "English",
    "de": "German",
    "fr": "French",
    "es": "Spanish",
    "it": "Italian",
    "nl": "Dutch",
    "pt": "Portuguese",
}
LONGEST = 20_000


class In(Frozen):
    """A text and the language it is wanted in (ISO 639-1). ``keep``: names that stay as they are.

    ``answer`` is what a model said to ``ask`` of an earlier call ({"text": ...}), ``author`` which model that was.
    """

    text: str = Field(max_length=LONGEST)
    to: str = Field(pattern=r"^[a-z]{2}$")
    language: str = ""
    form: Literal["formal", "informal", ""] = ""
    keep: list[str] = Field(default=[])
    answer: dict[str, object] | None = None
    author: str = ""


class Out(Frozen):
    """``state`` "waits for a model" comes with ``ask`` and no text; "to be looked at" with the model's text and what is
    wrong with it; "translated" when all checks held; "nothing to do" when the text is in that language."""

    state: Literal["waits for a model", "translated", "to be looked at", "nothing to do"]
    text: str = ""
    author: str = ""
    language: str
    faults: list[str] = Field(default=[])
    ask: Ask | None = None


@skill("translate", version="1")
def translate(value: In) -> Out:
    """Have a text translated by a model, and check that figures, links and names are kept."""
    told = tell(value.text, "en")
    language = value.language or told.language
    if not value.text.strip() or (language == value.to and (value.language or told.sure)):
        return Out(state="nothing to do", language=language)
    written = (value.answer or {}).get("text")
    if not isinstance(written, str) or not written.strip():
        faults = ["The model's answer holds no text."] if value.answer is not None else []
        return Out(state="waits for a model", language=language, faults=faults, ask=_ask(value, language))
    faults = _faults(value, written, language)
    state: Literal["translated", "to be looked at"] = "to be looked at" if faults else "translated"
    return Out(state=state, text=written.strip(), author=value.author, language=language, faults=faults)


def _ask(value: In, language: str) -> Ask:
    """What the model is asked."""
    form = f" Address the reader in the {value.form} form." if value.form else ""
    keep = f" Leave these names as they are: {', '.join(value.keep[:50])}." if value.keep else ""
    source, target = (_NAMES.get(code, code) for code in (language, value.to))
    return Ask(
        instructions=f"Translate the text from {source} to {target}. Add nothing, leave nothing out, keep every "
        f"figure, link and line break.{form}{keep} {GUARD}",
        given=marked(value.text),
        answer_schema={
            "type": "object",
            "properties": {"text": {"type": "string"}},
            "required": ["text"],
            "additionalProperties": False,
        },
        least=3,
        needed=True,
        checks=[
            "every sum, percentage and number of the text is there, and no other sum",
            "every link and address is there, and no other",
            "the names to keep are there",
            "it is in the language asked for, and about as long",
        ],
    )


def _faults(value: In, written: str, language: str) -> list[str]:
    """What a translation lost or added."""
    faults = []
    sums = [{one.value for one in amounts(text)} for text in (value.text, written)]
    if sums[0] != sums[1]:
        faults.append(f"Sums differ: {_listed(sums[0])} became {_listed(sums[1])}.")
    lost = {number for number in numbers(value.text) if number > 31} - numbers(written)
    if lost - sums[0]:
        faults.append(f"Numbers are missing: {_listed(lost - sums[0])}.")
    links = [set(_LINK.findall(text)) for text in (value.text, written)]
    if links[0] != links[1]:
        faults.append(f"Links differ: {', '.join(sorted(links[0] ^ links[1]))[:300]}.")
    faults += [f"The name {name!r} is missing." for name in value.keep if name in value.text and name not in written]
    told = tell(written, value.to)
    if told.sure and told.language != value.to:
        faults.append(f"The text is in the language {told.language!r}, {value.to!r} was asked for.")
    share = len(written.strip()) / max(1, len(value.text.strip()))
    if len(value.text) > 40 and not 0.5 <= share <= 2.2:
        faults.append(f"The text is {share:.1f} times as long as the source.")
    return faults


def _listed(values: Iterable[Decimal]) -> str:
    """Values in order, "none" for none."""
    return ", ".join(f"{one:f}" for one in sorted(values)) or "none"
