"""Standing rules on drafts: what each makes of one, whom it is about, whether it was kept."""

import pytest

from soloist.stages.standing import decide
from soloist.stages.standing.decide import Facts, Rule

BODY = "Dear Emily,\n\nthank you, we are cheap and quick.\n\nBest regards\nMara Linde\n"


def rule(sort: str, **more: str) -> Rule:
    return Rule("1.1", "1", sort, "as I said", **more)


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        (rule("replace", text="Kind regards", other="best regards"), BODY.replace("Best regards", "Kind regards")),
        (rule("sign", text="Mara"), BODY.replace("Mara Linde", "Mara")),
        (rule("greet", text="Hello Emily,"), BODY.replace("Dear Emily,", "Hello Emily,")),
        (rule("include", text="I am away."), BODY.replace("Best regards", "I am away.\n\nBest regards")),
        (rule("include", text="P.S. New studio"), BODY + "\nP.S. New studio\n"),
    ],
)
def test_a_rule_of_wording_changes_just_its_part_and_only_once(given: Rule, wanted: str):
    first = decide.dress(BODY, [given], Facts())
    assert first.body == wanted
    assert [ident for ident, _ in first.used] == ["1.1"]
    assert decide.dress(first.body, [given], Facts()).body == wanted
    assert decide.kept(BODY, given) is False
    assert decide.kept(wanted, given) is True


def test_a_word_that_is_never_to_be_written_is_a_fault_of_the_draft():
    found = decide.dress(BODY, [rule("avoid", text="Cheap")], Facts())
    assert found.body == BODY
    assert "never to write “Cheap”" in found.faults[0]
    assert not decide.dress("cheaper is not it", [rule("avoid", text="cheap")], Facts()).faults


def test_a_note_changes_nothing_and_is_told():
    found = decide.dress(BODY, [rule("note", text="Be warm")], Facts())
    assert (found.body, found.faults) == (BODY, ())
    assert found.used == (("1.1", "told to you beside the draft"),)


@pytest.mark.parametrize(
    ("scope", "subject", "about"),
    [("house", "", True), ("record", "p1", True), ("record", "p2", False), ("address", "a@b.example", True),
     ("address", "b@b.example", False), ("domain", "b.example", True), ("domain", "example", True),
     ("domain", "c.example", False)],
)  # fmt: skip
def test_whom_a_rule_is_about(scope: str, subject: str, about: bool):
    given = rule("sign", text="M", scope=scope, subject=subject)
    assert decide.fits(given, Facts(["p1", "c1"], ["A@b.example"])) is about


def test_an_edit_that_does_what_a_rule_says_is_told_as_repeated():
    given = rule("sign", text="Mara")
    after = BODY.replace("Mara Linde", "Mara")
    assert decide.repeated(BODY, after, [given], Facts()) == [given]
    assert decide.repeated(after, after, [given], Facts()) == []
    assert decide.repeated(BODY, after, [rule("sign", text="Mara", scope="record", subject="x")], Facts()) == []


def test_a_sender_is_routed_by_the_first_rule_about_them():
    rules = [rule("kind", kind="billing", scope="domain", subject="host.example"),
             rule("aside", scope="address", subject="news@host.example")]  # fmt: skip
    assert decide.route(rules, "a@host.example")[0] == "billing"
    assert decide.route(rules[1:], "news@host.example")[0] == "bulk"
    assert decide.route(rules, "a@other.example") is None


def test_a_draft_without_a_closing_gets_its_parts_at_the_end():
    assert decide.dress("One line", [rule("sign", text="Mara")], Facts()).body == "One line\n\nMara\n"
    assert decide.dress("One line", [rule("greet", text="Hi,")], Facts()).body == "Hi,\n\nOne line"
