"""What a message wants: by the operator's own examples when there are some, else by the local model of kinds.

It never guesses: below the threshold, or unlike anything known, the answer is "" and somebody else decides.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from soloist.kernel.message import Frozen
from soloist.plugins.skills._kind import In as KindIn
from soloist.plugins.skills._kind import tell_kind
from soloist.plugins.skills._language import tell
from soloist.plugins.skills._likeness import alike
from soloist.sdk import local, skill

_NEAREST = 2
_MARGIN = 0.05
_LEAST = {"meaning": 0.45, "words": 0.25}


class Label(Frozen):
    """An intent of the operator's own with messages that had it."""

    name: str
    examples: list[str] = Field(min_length=1)


class In(Frozen):
    """Own words of a message. With ``model``, the path of a fitted router, it tells; without it and without ``labels``
    the kinds of message are told apart. ``least`` is the probability below which an answer is not taken."""

    text: str
    subject: str = ""
    language: str = ""
    labels: list[Label] = Field(default=[])
    model: str = ""
    least: float = Field(default=0.7, ge=0, le=1)


class Out(Frozen):
    """The intent, "" when nothing is sure enough; ``scores`` are probabilities of the local model or likenesses to the
    examples (``how`` says which), ``trouble`` why a model could not be asked."""

    intent: str
    sure: bool
    in_scope: bool
    how: Literal["local model", "examples by meaning", "examples by letters", "examples by words", "rules"]
    scores: dict[str, float] = Field(default={})
    trouble: str = ""


@skill("intent", version="1")
def intent(value: In) -> Out:
    """Tell what a message wants, or that it is not sure."""
    language = value.language or tell(f"{value.subject}\n{value.text}", "en").language
    if value.labels:
        return _by_examples(value, language)
    reader = local.reader()
    if reader is not None and value.model:
        return _by_router(reader, value, language)
    if reader is None:
        return _by_rules(value, language, "")
    found, in_scope, trouble = reader.kinds(value.subject, value.text, language)
    if not found:
        return _by_rules(value, language, trouble)
    best = max(found, key=lambda name: found[name])
    sure = in_scope and found[best] >= value.least
    scores = {name: round(share, 4) for name, share in found.items()}
    chosen = best if sure else ""
    return Out(intent=chosen, sure=sure, in_scope=in_scope, how="local model", scores=scores, trouble=trouble)


def _by_router(reader: local.Reader, value: In, language: str) -> Out:
    """What the router that was fitted from the operator's examples tells; both of its gates must be open."""
    own = f"{value.subject}\n{value.text}".strip()[:2000]
    found, in_scope, how, trouble = reader.wants(own, language, value.model)
    best = max(sorted(found), key=lambda name: found[name]) if found else ""
    sure = bool(best) and in_scope and found[best] >= value.least
    way: Literal["examples by meaning", "examples by letters"] = "examples by meaning"
    if how != "meaning":
        way = "examples by letters"
    scores = {name: round(share, 6) for name, share in found.items()}
    chosen = best if sure else ""
    return Out(intent=chosen, sure=sure, in_scope=in_scope, how=way, scores=scores, trouble=trouble)


def _by_rules(value: In, language: str, trouble: str) -> Out:
    """The rules of ``kind`` when there is no model."""
    told_ = tell_kind(KindIn(subject=value.subject, own_text=value.text, language=language))
    sure = told_.kind != "unsure"
    scores = {name: float(score) for name, score in told_.scores.items()}
    chosen = str(told_.kind) if sure else ""
    return Out(intent=chosen, sure=sure, in_scope=sure, how="rules", scores=scores, trouble=trouble)


def _by_examples(value: In, language: str) -> Out:
    """The label whose nearest examples are most alike, when it is alike enough and clearly before the next."""
    texts = [example for label in value.labels for example in label.examples]
    own = f"{value.subject}\n{value.text}".strip()[:2000]
    likeness, by_meaning = alike(own, texts, language)
    scores, place = {}, 0
    for label in value.labels:
        nearest = sorted(likeness[place : place + len(label.examples)], reverse=True)[:_NEAREST]
        scores[label.name] = round(sum(nearest) / len(nearest), 4)
        place += len(label.examples)
    ranked = sorted(scores, key=lambda name: (-scores[name], name))
    in_scope = scores[ranked[0]] >= _LEAST["meaning" if by_meaning else "words"]
    sure = in_scope and (len(ranked) == 1 or scores[ranked[0]] - scores[ranked[1]] >= _MARGIN)
    how: Literal["examples by meaning", "examples by words"] = "examples by meaning"
    if not by_meaning:
        how = "examples by words"
    return Out(intent=ranked[0] if sure else "", sure=sure, in_scope=in_scope, how=how, scores=scores)
