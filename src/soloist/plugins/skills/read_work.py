"""What somebody wants done who says so in one plain sentence: which of the ways it is, by when, about what.

It chooses among the ways it was given and copies words; it makes up nothing, and whoever is not sure says so.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any, Literal

from pydantic import Field

from soloist.kernel.message import Frozen
from soloist.plugins.skills import _work_words as forms
from soloist.plugins.skills._dates import find_dates, local_day
from soloist.plugins.skills._language import tell
from soloist.plugins.skills._likeness import alike
from soloist.plugins.skills._rule_words import TONGUES
from soloist.sdk import skill
from soloist.sdk.asking import GUARD, Ask, marked

LONGEST = 600
AGAIN = "again"
"""The way of a sentence that is about what came before it."""
_GAP = "..."
_GAPS = 3
_FEW = 3
"""Words beside a new day that make a sentence one about what came before."""
_FIXED = 4
"""Letters beside the gaps that a sentence needs to be told by its form."""
_NEAREST, _SHOWN = 2, 3
_LEAST = {"meaning": 0.5, "words": 0.25}
_MARGIN = {"meaning": 0.1, "words": 0.15}
"""How alike a sentence has to be to those of a way, and how much more than to those of the next, to be told by it."""
_TONGUE = re.compile(
    rf"\b(?:in|into|ins|auf|en|au|al)\s+({'|'.join(n for names in TONGUES.values() for n in names)})\b"
)


class Way(Frozen):
    """A way of being asked, and sentences that mean it; "..." stands for any words."""

    name: str = Field(min_length=1, max_length=100)
    says: list[str] = Field(min_length=1, max_length=400)


class In(Frozen):
    """What was said at ``now`` (ISO 8601), the ways there are, and whether something came before it in the same
    conversation. ``answer`` is a model's choice, where one was asked."""

    said: str = Field(min_length=2, max_length=LONGEST)
    now: str
    timezone: str = "UTC"
    language: str = ""
    ways: list[Way] = Field(default=[], max_length=200)
    again: bool = False
    answer: dict[str, Any] | None = None


class Out(Frozen):
    """The way, "" when it is not sure, and the likeliest ones. ``topic`` are the words it is about (``gap`` those that
    stood for "...", if it has such a form), ``due`` a day and ``week`` a Monday (ISO 8601, "" for none), ``size`` and
    ``tongue`` how it is wanted anew. ``like`` says whether it is like any of the sentences at all."""

    way: str
    ranked: list[str] = Field(default=[])
    like: bool = False
    topic: str = ""
    gap: str = ""
    due: str = ""
    week: str = ""
    size: Literal["", "shorter", "longer"] = ""
    tongue: str = ""
    how: Literal["form", "meaning", "words", "model", "what came before"] = "words"
    ask: Ask | None = None


@skill("read_work", version="1")
def read_work(value: In) -> Out:
    """Read which work is asked for."""
    said = " ".join(value.said.split())
    language = value.language or tell(said, "en").language
    today = local_day(value.now, value.timezone)
    due, plain = _due(said, today, language)
    plain = forms.LAST.sub("", forms.SOFT.sub("", plain).rstrip(" .!?"))
    made: dict[str, Any] = {"due": due, "topic": plain, "week": _week(plain, today), **_anew(plain)}
    formed = _formed(plain, value.ways)
    only = not formed and (made["size"] or (due and len(plain.split()) <= _FEW))
    if value.again and (forms.AGAIN.match(plain) or only):
        others = [AGAIN, *formed][:_SHOWN]
        return Out(way=AGAIN, ranked=others, like=True, how="what came before", **made)
    if formed:
        best = [name for name in formed if formed[name][0] == max(one[0] for one in formed.values())]
        made |= {"gap": formed[best[0]][1], "topic": formed[best[0]][1] or plain}
        sure = best[0] if len(best) == 1 else ""
        found = Out(
            way=sure, ranked=[*best, *(n for n in formed if n not in best)][:_SHOWN], like=True, how="form", **made
        )
    else:
        found = _likeliest(plain, value, language, made)
    if found.way or not value.ways:
        return found
    if value.answer is not None:
        return _of_model(value.answer, value, found)
    return found.model_copy(update={"ask": _ask(said, value.ways)})


def _due(said: str, today: date, language: str) -> tuple[str, str]:
    """The last day that is named as one by which it is wanted, and the sentence without it."""
    for found in reversed(find_dates(said, today, language)):
        start, end = found.span.start, found.span.end
        before = forms.UNTIL.search(said[:start])
        if before is None and not forms.IN_IT.match(said[start:end]):
            continue
        begin = before.start() if before else start
        rest = f"{said[:begin].rstrip(' ,')} {said[end:].lstrip(' ,')}".strip()
        return found.day, rest if re.search(r"\w", rest) else said
    return "", said


def _week(plain: str, today: date) -> str:
    """The Monday of the week that is meant: this one when it says so, else the one before."""
    monday = today - timedelta(days=today.weekday())
    return (monday if forms.THIS_WEEK.search(plain) else monday - timedelta(days=7)).isoformat()


def _anew(plain: str) -> dict[str, str]:
    """How it is wanted otherwise than before: shorter or longer, in another language."""
    size = next((name for name, pattern in forms.SIZES.items() if pattern.search(plain)), "")
    named = _TONGUE.search(plain.casefold())
    tongue = next((code for code, names in TONGUES.items() if named and named[1] in names), "")
    return {"size": size, "tongue": tongue}


def _formed(plain: str, ways: Sequence[Way]) -> dict[str, tuple[int, str]]:
    """Ways whose form the sentence has: how many letters of it are fixed, and the words in its gaps; the most first."""
    found: dict[str, tuple[int, str]] = {}
    for way in ways:
        for form in way.says:
            parts = _bare(form).split(_GAP)
            fixed = sum(len(part.strip()) for part in parts)
            if fixed < _FIXED or len(parts) > _GAPS + 1 or fixed <= found.get(way.name, (0, ""))[0]:
                continue
            pattern = r"(\S.*?)".join(re.escape(part) for part in parts)
            if match := re.fullmatch(pattern, plain.casefold()):
                places = [match.span(n + 1) for n in range(len(parts) - 1)]
                found[way.name] = fixed, " ".join(plain[a:b] for a, b in places).strip(" ,.?!")
    return dict(sorted(found.items(), key=lambda one: (-one[1][0], one[0])))


def _bare(form: str) -> str:
    """A form without the mark at its end."""
    bare = " ".join(form.casefold().split()).rstrip(" !?")
    return bare if bare.endswith(_GAP) else bare.rstrip(" .")


def _likeliest(plain: str, value: In, language: str, made: Mapping[str, Any]) -> Out:
    """The way whose sentences are most like it, when it is like them enough and clearly more than the next."""
    texts = [form.replace(_GAP, " ") for way in value.ways for form in way.says]
    if not texts:
        return Out(way="", **made)
    likeness, by_meaning = alike(plain, texts, language)
    scores, place = {}, 0
    for way in value.ways:
        nearest = sorted(likeness[place : place + len(way.says)], reverse=True)[:_NEAREST]
        scores[way.name] = sum(nearest) / len(nearest)
        place += len(way.says)
    ranked = sorted(scores, key=lambda name: (-scores[name], name))
    how: Literal["meaning", "words"] = "meaning" if by_meaning else "words"
    like = scores[ranked[0]] >= _LEAST[how]
    sure = like and (len(ranked) == 1 or scores[ranked[0]] - scores[ranked[1]] >= _MARGIN[how])
    shown = [name for name in ranked[:_SHOWN] if scores[name] > 0]
    return Out(way=ranked[0] if sure else "", ranked=shown, like=like, how=how, **made)


def _ask(said: str, ways: Sequence[Way]) -> Ask:
    """What a model is asked: which of the ways it is; nothing else of its answer is used."""
    listed = "\n".join(f"{way.name}: {'; '.join(way.says[:4])}" for way in ways)
    return Ask(
        instructions="A business owner says what is to be done. Choose which of these ways it is, or none.\n"
        f"{listed}\n{GUARD}",
        given=marked(said),
        answer_schema={
            "type": "object",
            "properties": {"way": {"type": "string", "enum": [*(way.name for way in ways), "none"]}},
            "required": ["way"],
            "additionalProperties": False,
        },
        least=2,
        checks=["the way is one of those that were given", "nothing else is taken from the answer"],
    )


def _of_model(answer: Mapping[str, Any], value: In, found: Out) -> Out:
    """A model's choice, when it is one of the ways."""
    chosen = str(answer.get("way", ""))
    if chosen not in {way.name for way in value.ways}:
        return found
    others = [name for name in found.ranked if name != chosen]
    return found.model_copy(update={"way": chosen, "ranked": [chosen, *others][:_SHOWN], "like": True, "how": "model"})
