"""Rules as files of a home: taken over while it runs, refused with their place, kept as versions, written by cards."""

import os
from collections.abc import Callable

import pytest

from soloist.config import Rule
from soloist.engine.store import policies
from soloist.kernel.errors import BadConfig, NotFound
from soloist.stages import policy
from tests.flows.policy_rig import REMINDERS, Rig

Open = Callable[..., Rig]
ASK = Rule(name="small ones", when="proposal.payload.n < 3", then="ask")


def write(home: Rig, text: str, name: str = "policy.toml") -> None:
    """Change a file and let the server look at it."""
    path = home.root / name
    path.write_text(text, encoding="utf-8")
    home.later(seconds=1)
    os.utime(path, ns=(home.moment.second + 10**18, home.moment.second + 10**18))
    home.judging.reread()
    home.store.write_now(lambda tx: home.judging.settle(tx, who="file"))


async def test_both_files_count_and_a_change_is_taken_over_at_once(rig: Open):
    home = rig(REMINDERS)
    first = await home.propose()
    write(home, '[[policy.rules]]\nname = "not now"\nwhen = "true"\nthen = "ask"\n')
    assert (await home.propose())["state"] == "waiting"
    assert home.may_leave(first) == 'Policy asks for your word by now: Rule "not now" asks for your word on this.'
    write(home, "")
    assert ((await home.propose())["state"], home.may_leave(first)) == ("approved", "")
    changes = [e for e in home.rows("events") if e["kind"] == "policy.changed"]
    assert (len(changes), len(home.rows("policies"))) == (3, 2)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[policy.rules]\n", "policy.toml, line 1, column 15: "),
        (
            '[[policy.rules]]\nname = "a"\n  when = "proposal.foo == 1"\nthen = "ask"\n',
            "policy.toml, line 3, column 19: ",
        ),
        ("[[policy.rules]]\nname='a'\nwhen='''\ntrue &&\n  now.our == 1'''\nthen='ask'\n", "line 5, column 6: "),
        ('[[policy.rules]]\nname="a"\nwhen="true"\nthan = "ask"\n', "line 1, column 1: then"),
        (
            '[[policy.rules]]\nname="a"\nwhen="true"\nthen="ask"\nmod = "x"\n',
            "line 5, column 1: a rule has no key 'mod'",
        ),
        ('[[policy.rules]]\nname="a"\nwhen="true"\nthen="perhaps"\n', "line 4, column 1: then"),
        ('[[policy.rules]]\nname="reminders may go out alone"\nwhen="true"\nthen="ask"\n', "two rules are named"),
    ],
)
async def test_a_wrong_file_is_refused_with_its_place_and_the_old_one_stays(rig: Open, text: str, said: str):
    home = rig(REMINDERS)
    await home.propose()
    write(home, text)
    assert said in home.judging.trouble
    assert home.card("question")["why"] == home.judging.trouble
    assert (await home.propose())["state"] == "approved"
    write(home, "")
    assert (home.judging.trouble, home.card("question")) == ("", None)


def test_one_condition_with_two_answers_is_refused(rig: Open):
    home = rig(REMINDERS)
    rule = "proposal.connector == 'shop'  &&  proposal.operation == 'put_event'".replace("'", '"')
    write(home, f"[[policy.rules]]\nname = 'never'\nwhen = '{rule}'\nthen = 'deny'\n".replace("  &&  ", " && "))
    assert "policy.toml, line 3, column 9" in home.judging.trouble
    assert 'says deny where rule "reminders may go out alone" (soloist.toml, line ' in home.judging.trouble


async def test_a_home_starts_with_its_last_valid_rules_when_a_file_is_wrong(rig: Open):
    home = rig(REMINDERS)
    await home.propose()
    with (home.root / "soloist.toml").open("a") as file:
        file.write('[[policy.rules]]\nname = "b"\nwhen = "proposal.foo"\nthen = "deny"\nmode = "x"\n')
    again = rig()
    again.store.write_now(lambda tx: again.judging.settle(tx, who="soloist"))
    assert "soloist.toml, line 35" in again.judging.trouble
    assert again.card("question")
    again.count = 1
    assert (await again.propose())["state"] == "approved"
    assert [rule.name for rule in again.judging.rules.written] == ["reminders may go out alone"]


def test_a_new_home_with_a_wrong_file_does_not_start(rig: Open):
    with pytest.raises(BadConfig, match=r"soloist.toml, line 26, column 17: .*proposal.foo"):
        rig('[[policy.rules]]\nname = "b"\nwhen = "proposal.foo"\nthen = "deny"\n')


async def test_a_rule_from_a_card_is_written_with_who_and_why_and_holds_at_once(rig: Open):
    home = rig(REMINDERS)
    version = await home.judging.add_rule(ASK, who="operator", why="always ask about small ones")
    text = (home.root / "policy.toml").read_text()
    assert "# 2026-11-20, operator: always ask about small ones" in text
    assert "when = 'proposal.payload.n < 3'" in text
    assert [(await home.propose(n=n))["state"] for n in (2, 5)] == ["waiting", "approved"]
    newest = home.store.read_now(policies.current)
    assert (newest["version"], newest["who"], newest["why"]) == (version, "operator", "always ask about small ones")


async def test_a_rule_from_a_card_keeps_the_comments_and_can_be_taken_out(rig: Open):
    home = rig()
    write(home, "# mine\n[[policy.rules]]\nname = 'x'\nwhen = 'true'\nthen = 'ask'\n")
    before = home.judging.rules.version
    await home.judging.add_rule(ASK, who="operator", why="small")
    assert await home.judging.remove_rule("small ones", who="operator", why="no longer") == before
    assert (home.root / "policy.toml").read_text().startswith("# mine\n[[policy.rules]]\nname = 'x'\n")
    with pytest.raises(NotFound):
        await home.judging.remove_rule("small ones", who="operator", why="")


async def test_a_rule_that_cannot_work_is_not_written(rig: Open):
    home = rig(REMINDERS)
    for wrong in (ASK.model_copy(update={"when": "proposal.foo"}), Rule(name="small ones", when="", then="ask")):
        with pytest.raises(BadConfig, match=r"policy.toml, line \d+, column \d+"):
            await home.judging.add_rule(wrong, who="operator", why="x")
    assert not (home.root / "policy.toml").exists()


async def test_the_past_judged_by_other_rules_tells_what_would_have_gone_differently(rig: Open):
    home = rig(REMINDERS)
    for n in (1, 9):
        await home.propose(n=n)
    await home.propose("notify", n=1)
    past = home.store.read_now(home.judging.past)
    assert [former.answer for former in past] == ["ask", "allow", "allow"]
    assert not any(one.differs for one in policy.replay(home.judging.rules, past))
    other = policy.compile_rules([*home.judging.rules.written, ASK])
    assert [(r.former.facts.payload["n"], r.verdict.answer) for r in policy.replay(other, past) if r.differs] == [
        (1, "ask")
    ]
