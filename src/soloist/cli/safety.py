"""What doctor finds about being halted and about backups; it changes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from soloist.cli.machine import finding

if TYPE_CHECKING:
    from soloist.app import App


def halted(app: App) -> list[dict[str, Any]]:
    """Whether something holds back everything outbound: button, file, safe mode."""
    from soloist.engine.stopping import standing

    halt = app.desk.effects.halt
    found = []
    for one in app.store.read_now(lambda conn: standing(conn, halt)):
        fix = "soloist safe-mode" if one.way == "safe mode" else "soloist stop --release"
        found.append(finding(False, f"nothing leaves since {one.since} ({one.way}: {one.by})", fix, serious=False))
    return found or [finding(True, "stop button is not pressed")]


async def walls(app: App) -> list[dict[str, Any]]:
    """At which level skills with code of others run, if at all, and which of them were changed."""
    packages = app.desk.packages
    tested = await packages.tested(again=True)
    trusted, some = packages.sandbox.trusted, bool(packages.sandbox.installed)
    lacking = "; ".join(tested.lacking)
    if tested.holds:
        found = [finding(True, f"skills of others run behind walls that hold: {tested.level}")]
    elif trusted:
        what = f"skills of others run without walls, as you said ({lacking})"
        found = [finding(False, what, "soloist skills trust no", serious=some)]
    else:
        what = f"skills of others are not run here ({lacking})"
        found = [finding(False, what, "install bubblewrap: apt-get install bubblewrap", serious=some)]
    for name, said in packages.amiss().items():
        found.append(finding(False, said, f"soloist skills remove {name}"))
    return found


def backups(app: App) -> list[dict[str, Any]]:
    """How old the newest backup is, whether it was tried, whether there is a recovery sheet."""
    from soloist.config import seconds
    from soloist.insight import safety

    every, now = seconds(app.settings.backup.every), app.store.clock().isoformat()
    state = app.store.read_now(lambda conn: safety.backup_state(conn, every, now))
    what = state["late"] or f"newest backup of {state['at']}"
    found = [finding(not state["late"], what, "soloist backup", serious=False)]
    if drill := state["drill"]:
        what = f"the drill of {drill['at']} {'restored everything' if drill['ok'] else 'found trouble'}"
        found.append(finding(drill["ok"], what, "soloist backup --verify"))
    sheet = bool(state["sheet"]) or app.settings.sample
    what = "a recovery sheet was made" if sheet else "there is no recovery sheet, and backups open with it only"
    return [*found, finding(sheet, what, "soloist recovery-sheet --to recovery-sheet.html", serious=False)]
