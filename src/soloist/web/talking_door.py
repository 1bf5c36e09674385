"""The doors' way to conversations in which work is given: said, shown, confirmed, what came of it; it reads nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from soloist.app import App
from soloist.flows.talking import Talking, Turn, unclear
from soloist.insight import talking
from soloist.insight.given import GivenPage
from soloist.insight.talking import TalkLine


@dataclass(frozen=True)
class TurnView:
    """One sentence with what came of it; ``asks`` is what has to be said before it can begin, "" for nothing."""

    turn: Turn
    asks: str = ""
    came: GivenPage | None = None


@dataclass(frozen=True)
class TalkPage:
    """A conversation ("" for a new one), what was said in it, the newest others, and every way of giving work."""

    conversation: str
    turns: tuple[TurnView, ...]
    others: tuple[TalkLine, ...]
    ways: tuple[tuple[str, str], ...]


class Talks:
    """One App's conversations."""

    def __init__(self, app: App) -> None:
        """The App is given and only used."""
        self._app = app
        self._talking = Talking(app.desk)

    async def page(self, conversation: str = "", way: str = "") -> TalkPage:
        """A conversation; its last sentence as another ``way`` when one is named (NotFound)."""
        turns = await self._talking.turns(conversation) if conversation else []
        if way and turns and not turns[-1].run:
            turns[-1] = await self._talking.turn(turns[-1].id, way=way)

        def look(conn: Any) -> tuple[list[TurnView], tuple[TalkLine, ...]]:
            return [_view(conn, turn) for turn in turns], tuple(talking.listed(conn))

        views, others = await self._app.store.read(look)
        ways = await self._talking.ways()
        return TalkPage(conversation, tuple(views), others, tuple(ways.items()))

    async def say(self, text: str, who: str, conversation: str = "") -> tuple[str, str]:
        """Keep a sentence: the ids of its conversation and of itself (BadInput, TooLarge, NotFound)."""
        message = await self._talking.say(text, who=who, conversation=conversation)
        return await self._talking.conversation(message), message

    async def give(
        self, message: str, who: str, *, way: str = "", picked: Mapping[str, Sequence[str]], by_morning: bool = False
    ) -> dict[str, Any]:
        """Begin what was understood: {id, agent, skill, new, estimate} (BadInput, NotFound, NotAllowed, Conflict)."""
        return await self._talking.give(message, who=who, way=way, picked=picked, by_morning=by_morning)


def _view(conn: Any, turn: Turn) -> TurnView:
    """A sentence with its outcome."""
    if turn.run:
        return TurnView(turn, came=talking.came(conn, turn.agent, turn.run))
    return TurnView(turn, asks="" if turn.meant.ready else unclear(turn))
