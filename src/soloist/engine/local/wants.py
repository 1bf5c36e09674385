"""Wants: the calls ``local.fit_intents`` and ``local.intent`` of the worker, about intents of the operator's own."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from pydantic import BaseModel, ConfigDict

from soloist.kernel.errors import BadConfig

if TYPE_CHECKING:
    from soloist.engine.local.embedder import Embedder
    from soloist.engine.local.router import Router

ENGLISH = "en"


class Embeds(Protocol):
    """What one worker process has loaded."""

    def _embeds(self) -> Embedder | None:
        """The embedder, None when its files are missing or wrong."""


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Told(_Value):
    """A message whose intent is known."""

    label: str
    text: str
    lang: str


class Examples(_Value):
    """Everything the intents are learned from; ``bar`` is the share a language must get right."""

    examples: Sequence[Told]
    bar: float = 0.8


class FittedIntents(_Value):
    """A router's file (base64), its sha256, and what was measured of each language."""

    file: str
    sha256: str
    languages: dict[str, Any]


class Asked(_Value):
    """Own words of a message; ``model`` is the path of a fitted router."""

    text: str
    language: str
    model: str


class Wanted(_Value):
    """What a message wants: probabilities by intent, none when its language is not told apart or no file can be read;
    ``how`` is "meaning", "letters" or ""."""

    model: str = ""
    how: str = ""
    probabilities: dict[str, float] = {}
    in_scope: bool = False
    margin: float = 0.0
    """How far the evidence lies above the gate of strangers, below it when negative."""
    trouble: str = ""


class Wants:
    """The intents of one worker process."""

    def __init__(self, local: Embeds) -> None:
        """``local`` has the embedder, so that it is loaded once."""
        self._local = local
        self._routers: dict[str, Router] = {}

    def fit(self, value: Examples) -> FittedIntents:
        """Fit a router from the operator's examples; takes some seconds for some hundreds."""
        from soloist.engine.local import router
        from soloist.engine.local.embedder import MODEL_SHA256

        rows = [router.Example(one.label, one.text, one.lang) for one in value.examples]
        embed = self._local._embeds() if any(one.lang == ENGLISH for one in rows) else None
        data = router.fit(rows, embed.wide if embed else None, embedder=MODEL_SHA256, bar=value.bar)
        made = router.Router(data)
        return FittedIntents(file=base64.b64encode(data).decode(), sha256=made.sha256, languages=made.meta["languages"])

    def tell(self, value: Asked) -> Wanted:
        """What a message wants, with calibrated probabilities and whether it is like the examples at all."""
        from soloist.engine.local.router import MEANING

        try:
            made = self._router(value.model)
        except BadConfig as error:
            return Wanted(trouble=error.detail)
        embed = self._local._embeds() if made.how(value.language) == MEANING else None
        return Wanted(**made.tell(value.text, value.language, embed.wide if embed else None))

    def _router(self, path: str) -> Router:
        """The fitted file at ``path``, read once; BadConfig when it is missing or damaged."""
        from soloist.engine.local.router import Router

        if path not in self._routers:
            place = Path(path)
            try:
                data = place.read_bytes()
            except OSError as error:
                raise BadConfig(f"The router {place} cannot be read ({error.strerror}).") from error
            named = place.stem.rpartition("-")[2]
            if not hashlib.sha256(data).hexdigest().startswith(named):
                raise BadConfig(f"The router {place} was changed after it was fitted.")
            self._routers = {path: Router(data)}
        return self._routers[path]
