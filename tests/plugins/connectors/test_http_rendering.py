"""Rendering of HTTP requests: whatever a payload holds, it adds no segment, parameter, header, form field or secret."""

import json
import urllib.parse
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from soloist.engine.egress import parse_url
from soloist.kernel.errors import BadInput
from soloist.plugins.connectors.http import rendering
from soloist.plugins.connectors.http.rendering import Values

NASTY = st.text(st.sampled_from("abz09/\\?#&=%.[]{}\r\n\x00 \t:@;,+~ü漢\u202e\ud800"), min_size=1, max_size=12)
ANY = st.one_of(
    NASTY, st.text(min_size=1, max_size=20), st.sampled_from(["..", ".", "%2e%2e", "{secret.shop}", "{key}"])
)
JSON_VALUES = st.recursive(
    st.one_of(st.booleans(), st.integers(-(2**53) + 1, 2**53 - 1), st.text(max_size=8), st.floats(-1e9, 1e9)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=6), inner, max_size=3)),
    max_leaves=6,
)


def values(**payload: Any) -> Values:
    return Values("k1", payload)


def rendered(make: Any) -> Any:
    """What is rendered, None when it is refused by name."""
    try:
        return make()
    except (ValueError, BadInput):
        return None


@given(ANY, ANY)
def test_a_value_stays_in_its_segment_and_its_parameter(one: str, two: str) -> None:
    made = rendered(
        lambda: rendering.url(
            "https://shop.example/v1", "/a/{payload.one}/b", values(one=one, two=two), {"q": "{payload.two}"}
        )
    )
    if made is None:
        return
    parts = urllib.parse.urlsplit(made)
    assert (parts.scheme, parts.netloc, parts.fragment) == ("https", "shop.example", "")
    assert parts.path.count("/") == 4
    assert urllib.parse.unquote(parts.path.split("/")[3]) == one
    assert urllib.parse.parse_qsl(parts.query, keep_blank_values=True) == [("q", two)]
    assert parse_url(made).host == "shop.example"


@given(ANY)
def test_a_value_is_never_part_of_the_host(host: str) -> None:
    made = rendered(lambda: rendering.url("https://shop.example", "https://files.example/{payload.x}", values(x=host)))
    assert made is None or made.startswith("https://files.example/")
    with pytest.raises(ValueError, match="begin it with a slash"):
        rendering.url("https://shop.example", "https://{payload.x}/y", values(x=host))


@given(ANY)
def test_a_value_adds_no_header_and_names_no_secret(value: str) -> None:
    templates = {"X-Topic": "about {payload.x}", "Authorization": "Bearer {secret.shop}"}
    made = rendered(lambda: rendering.headers(templates, values(x=value)))
    if made is None:
        return
    sent = rendering.with_secrets(made, {"shop": "sk_live_1"})
    assert list(sent) == ["Authorization", "X-Topic"]
    assert sent["X-Topic"] == f"about {value}"
    assert value.isprintable()
    assert value.isascii()


@given(ANY, ANY)
def test_a_text_adds_no_form_field(name: str, note: str) -> None:
    template = {"customer": "{payload.name}", "metadata": {"note": "{payload.note}", "effect": "{key}"}}
    made = rendered(lambda: rendering.form_text(rendering.filled(template, values(name=name, note=note))))
    if made is None:
        return
    found = urllib.parse.parse_qsl(made, keep_blank_values=True, strict_parsing=True)
    assert found == [("customer", name), ("metadata[effect]", "k1"), ("metadata[note]", note)]


@given(st.dictionaries(st.text(max_size=6), JSON_VALUES, max_size=4))
@settings(max_examples=40)
def test_no_form_has_a_field_twice(payload: dict[str, Any]) -> None:
    made = rendered(lambda: rendering.form_text(payload))
    if made is not None and made:
        names = [name for name, _ in urllib.parse.parse_qsl(made, keep_blank_values=True)]
        assert len(names) == len(set(names))


@given(JSON_VALUES, ANY)
@settings(max_examples=40)
def test_a_value_keeps_its_type_and_place_in_json(value: Any, text: str) -> None:
    template = {"whole": "{payload.value}", "text": "Hello {payload.text}.", "query": "mutation { pay { id } }"}
    made = rendered(lambda: rendering.json_text(rendering.filled(template, values(value=value, text=text))))
    if made is not None:
        assert json.loads(made) == {
            "whole": value,
            "text": f"Hello {text}.",
            "query": "mutation { pay { id } }",
        }


@given(ANY)
def test_a_page_keeps_its_host(value: str) -> None:
    made = rendering.page("https://dash.example/{payload.x}/{ref}", values(x=value))
    assert made == "" or made.startswith("https://dash.example/")
    assert made == "" or made.endswith("/{ref}")


def test_an_optional_field_leaves_its_place_out() -> None:
    template = {"amount": "{payload.amount}", "note": "{payload.note?}", "lines": ["{payload.a?}", "{payload.b}"]}
    made = rendering.filled(template, values(amount=5, b="x", note=None))
    assert made == {"amount": 5, "lines": ["x"]}
    url = rendering.url("https://a.example", "/x?fixed=1", values(b="y"), {"a": "{payload.a?}", "b": "{payload.b}"})
    assert url == "https://a.example/x?fixed=1&b=y"
    assert rendering.headers({"X-A": "{payload.a?}", "X-B": "b"}, values()) == {"X-B": "b"}


@pytest.mark.parametrize("template", ["{paylod.x}", "{amount}", "{secret.shop}", "a {payload.gone} b", "{payload.x?}!"])
def test_a_wrong_placeholder_in_a_body_is_named(template: str) -> None:
    with pytest.raises(ValueError, match=r"^(paylod\.x|amount|secret\.shop|payload\.gone|payload\.x\?): "):
        rendering.filled({"field": template}, values())


@pytest.mark.parametrize(
    ("value", "field"), [({"a[b]": 1}, "'a\\[b\\]'"), ({"a": None}, "a"), ({"a": []}, "a"), ({"": 1}, "''")]
)
def test_what_a_form_cannot_carry_is_named(value: Any, field: str) -> None:
    with pytest.raises(ValueError, match=f"^{field}: "):
        rendering.form_text(value)


def test_a_form_is_written_as_services_read_it() -> None:
    value = {"amount": 4900, "currency": "eur", "items": [{"price": "p_1"}, {"price": "p_2"}], "capture": True}
    assert rendering.form_text(value) == (
        "amount=4900&capture=true&currency=eur&items%5B0%5D%5Bprice%5D=p_1&items%5B1%5D%5Bprice%5D=p_2"
    )
