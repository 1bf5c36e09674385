"""Prices: what a model costs by the operator's word, else by the list that comes with this version; never fetched."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import replace
from decimal import ROUND_CEILING, Decimal

from soloist.kernel.errors import BadConfig
from soloist.kernel.model import Price
from soloist.kernel.model_settings import ModelPart
from soloist.kernel.spend import MICRO, micro_of, rate

LISTED = "USD"
"""Currency of the list."""
PROVIDERS = {"anthropic": "anthropic", "google": "google"}
_MILLION = 1_000_000


def of(part: ModelPart, currency: str, rates: Mapping[str, str], *, size: int = 0) -> Price:
    """The price of a model in the house's currency, for a question of ``size`` tokens (0: the largest it takes).

    A model that nobody knows the price of costs what the most expensive known one does. BadConfig when it has a price
    in a currency that nobody said the worth of.
    """
    if part.price is not None:
        found = part.price
        amounts = [micro_of(text or found.input) for text in (found.input, found.output, found.cached)]
        return _in(currency, rates, found.currency, (amounts, "your own price in soloist.toml", True))
    if part.local:
        return Price(currency, 0, 0, 0, source="it runs on your own machine")
    listed = _listed(part.kind, part.base_url, part.model, size or part.window)
    if listed is not None:
        return _in(currency, rates, LISTED, ([*listed], "the list of prices that comes with this version", True))
    source = "nobody knows its price, so it counts as the most expensive known model; write price = {...}"
    return _in(currency, rates, LISTED, ([*dearest()], source, False))


def shared(price: Price, share: str) -> Price:
    """A share of a price ("0.5"), rounded up."""
    part = micro_of(share)
    if part == MICRO:
        return price
    each = [-(-amount * part // MICRO) for amount in (price.tokens_in, price.tokens_out, price.tokens_cached)]
    return replace(price, tokens_in=each[0], tokens_out=each[1], tokens_cached=each[2])


def _in(currency: str, rates: Mapping[str, str], of_: str, found: tuple[list[int], str, bool]) -> Price:
    """Prices of a million tokens in another currency."""
    amounts, source, known = found
    counts = rate(of_, currency, rates)
    if counts is None:
        raise BadConfig(
            f"The price is in {of_}, and nobody said what one {of_} counts in {currency}. "
            f'Write it: [budgets.rates] {of_} = "..."',
            field="budgets.rates",
        )
    each = [-(-amount * counts // MICRO) for amount in amounts]
    return Price(currency, each[0], each[1], each[2], known=known, source=source)


@functools.lru_cache(maxsize=512)
def _listed(kind: str, base_url: str, model: str, size: int) -> tuple[int, int, int] | None:
    """(input, output, cached) for a million tokens, in millionths; None when the list does not have the model."""
    from genai_prices import Usage, calc_price

    where = {"provider_id": PROVIDERS[kind]} if kind in PROVIDERS else {"provider_api_url": base_url}
    try:
        asked = calc_price(Usage(input_tokens=size), model, **where)  # type: ignore[call-overload]  # one of two
        whole = calc_price(Usage(input_tokens=size, output_tokens=_MILLION), model, **where)  # type: ignore[call-overload]  # the same
        hit = calc_price(Usage(input_tokens=size, cache_read_tokens=size), model, **where)  # type: ignore[call-overload]  # the same
    except (LookupError, ValueError):
        return None
    each = _up(asked.total_price * _MILLION / size)
    return each, _up(whole.total_price - asked.total_price), min(each, _up(hit.total_price * _MILLION / size))


@functools.lru_cache(maxsize=1)
def dearest() -> tuple[int, int, int]:
    """The highest input and the highest output price in the list; what is cached costs as much."""
    from genai_prices import Usage
    from genai_prices.data import providers
    from genai_prices.data_snapshot import get_snapshot

    del providers  # the import makes the list; it is read through its snapshot
    highest = [Decimal(0), Decimal(0)]
    for provider in get_snapshot().providers:
        for model in provider.models:
            for n, usage in enumerate((Usage(input_tokens=1000), Usage(input_tokens=0, output_tokens=1000))):
                try:
                    price = model.calc_price(usage, provider, genai_request_timestamp=None).total_price
                except (LookupError, ValueError, TypeError):
                    continue  # priced by the image or the second: no tokens to compare
                highest[n] = max(highest[n], price * 1000)
    return _up(highest[0]), _up(highest[1]), _up(highest[0])


def _up(amount: Decimal) -> int:
    """Millionths, rounded up."""
    return int((amount * MICRO).to_integral_value(ROUND_CEILING))
