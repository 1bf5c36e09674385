"""A playbook as data: what is wrong with a file is said with the place and what would be right."""

from __future__ import annotations

import pytest

from soloist.kernel.errors import BadConfig
from soloist.kernel.playbook import filled, parsed

HEAD = 'name = "one"\nversion = "1"\ntitle = "One"\n'


def task(ident: str = "a", **more: str) -> str:
    lines = {"agent": '"operator"', "title": '"Do it"', **more}
    return "\n".join(["[[tasks]]", f'id = "{ident}"', *(f"{key} = {value}" for key, value in lines.items()), ""])


WRONG = [
    (HEAD, "tasks: is missing"),
    (HEAD + "[", "this is no TOML"),
    (HEAD.replace('"1"', '"one"') + task(), "version: 'one' has not the form that is needed"),
    (HEAD + "trigers = 1\n" + task(), "trigers: there is no such key; did you mean 'trigger'?"),
    (HEAD + '[trigger]\nby = "mail"\n' + task(), "trigger.by: 'mail' is none of 'hand', 'intent', 'record'"),
    (HEAD + '[trigger]\nby = "record"\n' + task(), "by a record needs kind and state"),
    (HEAD + '[trigger]\nby = "intent"\nvalues = {x = "y"}\n' + task(), "values belong to a trigger by hand"),
    (HEAD + task() + task(), "the id 'a' stands there twice"),
    (HEAD + task(after='["b"]'), "there is no task 'b'"),
    (HEAD + task(after='["b"]') + task("b", after='["a"]'), "a after b after a: this goes in a circle"),
    (HEAD + task(after='["a"]'), "a after a: this goes in a circle"),
    (HEAD + task(due='"soon"'), "tasks.0.due: 'soon' has not the form that is needed"),
    (HEAD + task(title='""'), "a task of the operator needs a title"),
    (HEAD + task(skill='"summary"'), "a task of the operator has no skill"),
    (HEAD + task(input='{x = {from = "trigger.client"}}'), "the trigger has no value 'client'"),
    (HEAD + task(input="{x = {from = 3}}"), "from: is a name in quotation marks"),
    (HEAD + task(input='{x = {from = "other.x"}}'), "begins with neither trigger nor tasks"),
    (HEAD + task() + task("b", input='{x = {from = "tasks.a.said"}}'), "no task that this one comes after"),
    (HEAD + task() + task("b", after='["a"]', input='{x = {from = "tasks.a.words"}}'), "not 'words'"),
]


@pytest.mark.parametrize(("text", "said"), WRONG)
def test_what_is_wrong_is_said_with_its_place(text: str, said: str) -> None:
    with pytest.raises(BadConfig) as error:
        parsed(text, "playbooks/one.toml")
    assert error.value.detail.startswith("playbooks/one.toml: ") and said in error.value.detail


def test_values_come_by_dotted_name_and_what_is_not_there_is_left_out() -> None:
    sources = {"trigger": {"client": "", "who": "Ada"}, "tasks": {"a": {"value": {"items": [{"text": "x"}]}}}}
    given = {
        "name": {"from": "trigger.who"},
        "client": {"from": "trigger.client"},
        "list": [{"from": "trigger.client"}, {"from": "tasks.a.value.items.0.text"}],
        "deep": {"one": {"from": "tasks.a.value.items.7.text"}, "two": 2},
        "plain": "{{ trigger.who }}",
    }
    assert filled(given, sources) == {"name": "Ada", "list": ["x"], "deep": {"two": 2}, "plain": "{{ trigger.who }}"}


def test_what_comes_before_is_known_through_others() -> None:
    book = parsed(HEAD + task() + task("b", after='["a"]') + task("c", after='["b"]'), "x")
    assert book.before("c") == {"a", "b"} and book.label == "one@1"
