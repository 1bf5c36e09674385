"""The handle of a secret in the settings of a connector: two ways to write it, one meaning, and nowhere else any."""

from __future__ import annotations

from soloist import config
from soloist.engine.connections import connections
from soloist.plugins.connectors.http.rendering import Values, filled, headers

SHOP = {
    "kind": "http",
    "base_url": "https://shop.example",
    "headers": {"Authorization": "Bearer {{secret:shop}}", "X-Key": "{secret.shop}"},
}


def test_both_ways_to_write_a_handle_are_one():
    found = connections(config.parse({"connectors": {"shop": SHOP}}))["shop"].settings["headers"]
    assert found == {"Authorization": "Bearer {secret.shop}", "X-Key": "{secret.shop}"}
    assert headers(found, Values("k", {})) == found


def test_in_a_payload_the_same_letters_stay_letters():
    said = Values("k", {"text": "{{secret:shop}} and {secret.shop}"})
    assert filled({"note": "{payload.text}"}, said) == {"note": "{{secret:shop}} and {secret.shop}"}
