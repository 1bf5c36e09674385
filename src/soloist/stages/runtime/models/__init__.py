"""Models: the way to language models; the library behind it is loaded when the first one is asked."""

from soloist.stages.runtime.models.asking import NOT_SET, Models, Outcome, Question, Try, author
from soloist.stages.runtime.models.at_once import AtOnce, Parked, Parking
from soloist.stages.runtime.models.decide import LARGE
from soloist.stages.runtime.models.looking import Seen, Tool

__all__ = [
    "LARGE",
    "NOT_SET",
    "AtOnce",
    "Models",
    "Outcome",
    "Parked",
    "Parking",
    "Question",
    "Seen",
    "Tool",
    "Try",
    "author",
]
