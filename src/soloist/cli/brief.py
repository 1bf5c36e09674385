"""The command ``soloist brief``: the mail of the morning, shown or sent now."""

from __future__ import annotations

import asyncio

from soloist.cli.common import DatabaseOption, HomeOption, JsonOption, opened, show


def brief(
    home: HomeOption = None,
    database: DatabaseOption = "",
    as_json: JsonOption = False,
) -> None:
    """Show the brief as it would be sent now; each morning it goes to your own address by itself."""
    from soloist.flows.briefing import Briefing

    with opened(home, database) as app:
        letter = asyncio.run(Briefing(app.desk).compose())
    if letter is None:
        show({}, as_json, "Nothing waits for you and nothing happened; no brief would be sent.")
        return
    show({"subject": letter.subject, "body": letter.body}, as_json, f"{letter.subject}\n\n{letter.body.rstrip()}")
