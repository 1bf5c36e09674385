"""Tells the language of a text by its small words, then by a statistical model; it translates nothing."""

from __future__ import annotations

import re
from functools import lru_cache
from io import BytesIO
from typing import TYPE_CHECKING

from soloist.kernel.message import Frozen

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

_SMALL: dict[str, frozenset[str]] = {
    "en": frozenset(
        "the and is are was you your we our i my it to of for with have has would could can do does please this that "
        "not but what how when hi hello thanks thank been will from about there any an be on as".split()
    ),
    "de": frozenset(
        "der die das und ist sind war sie ihr ihre ihren wir unser unsere ich mein meine es zu für mit haben hat hätte "
        "würde könnte können kann bitte dies nicht aber was wie wann hallo danke vielen guten tag von über ein eine "
        "einen auf dem den im uns mir noch auch wäre gerne brauchen".split()
    ),
    "fr": frozenset(
        "le la les et est sont vous votre vos nous notre nos je mon ma mes il de du des pour avec avons avez pouvez "
        "serait pas mais que quoi comment quand bonjour merci sur un une au aux dans ce cette qui ne j'ai d'un d'une "
        "souhaite cherchons avoir".split()
    ),
    "es": frozenset(
        "el la los las y es son usted su sus nosotros nuestro nuestra yo mi de del para con tenemos tiene puede pueden "
        "sería no pero que qué cómo cuándo cuánto hola gracias buenos días un una en al por este esta se lo me nos "
        "necesito necesitamos estamos somos".split()
    ),
    "it": frozenset(
        "il lo gli e è sono voi vostro noi nostro io mio di del per con abbiamo può non ma che "
        "come ciao grazie un una sul buongiorno".split()
    ),
    "nl": frozenset(
        "de het en is zijn u uw wij ons onze ik mijn van voor met hebben heeft kunt niet maar wat "
        "hoe hallo bedankt een op in dat graag".split()
    ),
    "pt": frozenset(
        "o os e é são você seu nós nosso eu meu de do da para com temos pode não mas que como olá "
        "obrigado um uma no na em por".split()
    ),
}
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
_SPOKEN = (
    "en",
    "de",
    "fr",
    "es",
    "it",
    "nl",
    "pt",
    "pl",
    "cs",
    "da",
    "sv",
    "no",
    "fi",
    "hu",
    "ro",
    "tr",
    "ru",
    "uk",
    "el",
    "zh",
    "ja",
    "ko",
    "ar",
)


class In(Frozen):
    """A text and the language to assume when it is too short to tell (ISO 639-1)."""

    text: str
    default: str = "en"


class Out(Frozen):
    """ISO 639-1 code; ``sure`` is False when the default or a weak guess was taken."""

    language: str
    sure: bool


def tell(text: str, default: str = "en") -> Out:
    """The same as a plain function: small words first, the model only when they do not decide."""
    words = [w.casefold().replace("’", "'") for w in _WORD.findall(text[:4000])]
    votes = sorted(((sum(w in small for w in words), code) for code, small in _SMALL.items()), reverse=True)
    (most, best), (second, _) = votes[0], votes[1]
    if most >= 4 and most >= 1.5 * second:
        return Out(language=best, sure=True)
    if len(words) < 3:
        return Out(language=best if most >= 1 and most > second else default, sure=False)
    guess = str(_model().classify(text[:4000].lower())[0])
    if most and most > second and guess == best:
        return Out(language=best, sure=True)
    if most and most > second:
        return Out(language=best, sure=most >= 3 and most >= 2 * second)
    tied = {code for count, code in votes if count == most}
    if guess in tied or guess not in _SMALL:
        return Out(language=guess, sure=len(words) >= 12)
    return Out(language=default, sure=False)


class _InMemory:
    """The one name of ``tempfile`` that the library uses, without a disk."""

    @staticmethod
    def TemporaryFile(suffix: str = "") -> BytesIO:
        """A file in memory."""
        return BytesIO()


@lru_cache(maxsize=1)
def _model() -> LanguageIdentifier:
    """The language model of py3langid, limited to languages mail comes in; loaded at first use."""
    from py3langid import modelio
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    # The worker may not write files, and the library unpacks its model through one.
    modelio.tempfile = _InMemory
    model = LanguageIdentifier.from_model_file(MODEL_FILE)
    model.set_languages(list(_SPOKEN))
    return model
