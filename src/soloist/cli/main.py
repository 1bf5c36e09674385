"""The ``soloist`` command: the list of commands and nothing else."""

from __future__ import annotations

import typer

from soloist.cli import (
    actions,
    agents,
    attention,
    backup,
    brief,
    budget,
    confidence,
    connect,
    delegate,
    exporting,
    failures,
    give,
    house,
    importing,
    intents,
    keeping,
    keys,
    logs,
    memory,
    merging,
    models,
    playbook,
    policy,
    reconcile,
    records,
    replay,
    rules,
    serve,
    service,
    skills,
    work,
    worker,
)

app = typer.Typer(
    name="soloist",
    help="The operating system of a one-person company.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for command in (
    serve.up,
    serve.demo,
    serve.init,
    worker.worker,
    house.doctor,
    house.status,
    house.stop,
    work.inbox,
    give.give,
    actions.actions,
    attention.attention,
    failures.failures,
    work.approve,
    work.reject,
    delegate.delegate,
    work.undo,
    work.why,
    work.runs,
    records.records,
    work.search,
    brief.brief,
    reconcile.reconcile,
    replay.replay,
    house.verify,
    backup.backup,
    backup.restore,
    keeping.erase,
    logs.logs,
):
    app.command()(command)
app.command("open")(serve.open_console)
app.command("import")(importing.import_)
app.command("export")(exporting.export)
app.command("recovery-sheet")(backup.recovery_sheet)
app.command("safe-mode")(backup.safe_mode)
app.add_typer(connect.connect, name="connect")
app.add_typer(models.models, name="models")
app.add_typer(budget.budget, name="budget")
app.add_typer(rules.rules, name="rules")
app.add_typer(confidence.confidence, name="confidence")
app.add_typer(intents.intents, name="intents")
app.add_typer(policy.policy, name="policy")
app.add_typer(memory.memory, name="memory")
app.add_typer(merging.merges, name="merges")
app.add_typer(keys.tokens, name="token")
app.add_typer(keys.secrets, name="secret")
app.add_typer(service.service, name="service")
app.add_typer(agents.agents, name="agents")
app.add_typer(skills.skills, name="skills")
app.add_typer(playbook.playbook, name="playbook")
app.add_typer(keeping.snapshot, name="snapshot")
memory.memory.registered_commands += keeping.memory.registered_commands


def run() -> None:
    """Parse and carry out one command."""
    app()
