"""Words in which work is asked for again, put politely, or given a day; four languages."""

from __future__ import annotations

import re

SOFT = re.compile(
    r"^(?:(?:hi|hello|hey|hallo|bonjour|hola)\b[\s,!]*)?(?:(?:please|can you|could you|would you|will you"
    r"|i (?:want|need|would like) you to|bitte|kannst du|könntest du|können sie|könnten sie|peux-tu|pouvez-vous"
    r"|pourrais-tu|s['’]il te plaît|s['’]il vous plaît|por favor|puedes|podrías|puede)\b[\s,]*)+",
    re.IGNORECASE,
)
LAST = re.compile(
    r"[\s,]*\b(?:please|bitte|s['’]il te plaît|s['’]il vous plaît|por favor|thanks|danke)$", re.IGNORECASE
)
UNTIL = re.compile(
    r"(?:\b(?:by|until|till|before|no later than|bis(?: zum| spätestens)?|spätestens(?: am)?|vor(?: dem)?"
    r"|avant(?: le)?|d['’]ici(?: à| au)?|pour(?: le)?|hasta(?: el)?|para(?: el)?|antes del?)\s+"
    r"(?:the\s+|am\s+|le\s+|el\s+)?)\Z",
    re.IGNORECASE,
)
"""What stands before a day that is the last one for something."""
IN_IT = re.compile(UNTIL.pattern.removesuffix(r"\Z"), re.IGNORECASE)
"""The same at the beginning of the words of a day."""
AGAIN = re.compile(
    r"(?:make (?:it|that|this|them)\b|do (?:it|that) again\b|again\b|once more\b|the same\b|now (?:in|for|with)\b"
    r"|and (?:now|in|for|without)\b|only\b|without\b|shorten\b|mach (?:es|das)\b|noch ?(?:ein)?mal\b|dasselbe\b"
    r"|und (?:jetzt|nun|für|ohne)\b|nur\b|ohne\b|kürze\b|fais(?:-le)?\b|refais\b|encore\b|la même chose\b|raccourcis\b"
    r"|et (?:maintenant|pour|sans)\b|seulement\b|sans\b|hazlo\b|otra vez\b|de nuevo\b|lo mismo\b|acórtalo\b"
    r"|y (?:ahora|para|sin)\b|solo\b|sin\b)",
    re.IGNORECASE,
)
"""How a sentence begins that is about what came before it."""
SIZES = {
    "shorter": re.compile(
        r"\b(?:shorter|briefer|more briefly|half as long|shorten\w*|less text|kürzer\w*|knapper\w*|kürze"
        r"|plus (?:court|bref)\w*|raccourcis|más (?:cort|brev)\w*|acórta\w*)",
        re.IGNORECASE,
    ),
    "longer": re.compile(
        r"\b(?:longer|more detail\w*|in detail|länger\w*|ausführlicher\w*|plus (?:long|détaillé)\w*"
        r"|más (?:larg|detall)\w*)",
        re.IGNORECASE,
    ),
}
THIS_WEEK = re.compile(r"\b(?:this week|diese[rn]? woche|cette semaine|esta semana)\b", re.IGNORECASE)
