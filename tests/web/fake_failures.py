"""The board of failures of Studio Linde without a store."""

from soloist.insight.failures import Board, Case, FailureLine

AT = "2026-11-20T12:40:00Z"
RETRY = {"name": "retry", "label": "Try again", "consequence": "A new run begins with the same input."}
LEAVE = {"name": "leave", "label": "Leave it", "consequence": "Nothing more is done; the inputs stay on their runs."}
BOOK = FailureLine(
    "f1",
    "Taking in a message did not finish",
    "The house book house-book.md is a folder.",
    "It failed 5 times. It is set aside and not tried again by itself.",
    "quarantined",
    5,
    "2026-11-20T09:00:00Z",
    AT,
    where="intake",
    trace='Traceback (most recent call last):\n  File "steps.py", line 40, in recall\nIsADirectoryError',
    cases=(Case("intake:1", "event 1", AT),),
    options=(RETRY, LEAVE),
    card="c9",
)


class FakeFailures:
    """What the pages ask."""

    def __init__(self) -> None:
        self.chosen: list[tuple[str, str]] = []

    async def board(self) -> Board:
        return Board(
            aside=(BOOK,),
            others=(
                FailureLine("c8", "Not done: charge", "The shop refused it.", "", "open", 1, AT, AT, href="/?card=c8"),
            ),
            held=("intake",),
        )

    async def choose(self, ident: str, option: str, who: str) -> dict[str, str]:
        self.chosen.append((ident, option))
        return {"state": "closed"}
