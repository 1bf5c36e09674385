"""Reading: the local models as skills may use them (``soloist.sdk.local``); it loads nothing before it is asked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from soloist.engine.local.serve import Local


class Reading:
    """A ``soloist.sdk.local.Reader`` over what one worker process has loaded."""

    def __init__(self, local: Local) -> None:
        """``local`` answers the calls ``local.*`` of the same process, so that each model is loaded once."""
        self._local = local

    def vectors(self, texts: Sequence[str], language: str) -> Sequence[Sequence[float]] | None:
        """One vector of length 1 a text; None for another language than the embedder's, or without one."""
        from soloist.engine.local.serve import ENGLISH

        embedder = self._local._embeds() if language == ENGLISH else None
        if embedder is None:
            return None
        return [[float(part) for part in row] for row in embedder(texts)] if texts else []

    def telling(self, text: str, language: str, most: int) -> tuple[list[tuple[int, int]], bool]:
        """Offsets of the sentences that say most of a text, and whether they were told by meaning."""
        from soloist.engine.local.serve import ENGLISH, LongText

        found = self._local.summary(LongText(text=text, language=language, sentences=most)).sentences
        by_meaning = language == ENGLISH and self._local._embeds() is not None
        return [(int(one["start"]), int(one["end"])) for one in found], by_meaning

    def wants(self, text: str, language: str, model: str) -> tuple[dict[str, float], bool, str, str]:
        """Probability of each intent, whether the text is like their examples, by which way, and what is wrong."""
        from soloist.engine.local.wants import Asked

        found = self._local.wants.tell(Asked(text=text, language=language, model=model))
        return found.probabilities, found.in_scope, found.how, found.trouble

    def kinds(self, subject: str, text: str, language: str) -> tuple[dict[str, float], bool, str]:
        """Probability of each kind of message, whether it is like anything known, and what is wrong."""
        from soloist.engine.local.serve import Message

        found = self._local.classify(Message(subject=subject, text=text, language=language))
        return found.probabilities, found.in_scope, found.trouble
