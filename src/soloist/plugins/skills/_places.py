"""Countries as people name them in four languages, with calling codes; only what qualification by region needs."""

from __future__ import annotations

COUNTRIES: dict[str, tuple[str, ...]] = {
    "DE": ("Germany", "Deutschland", "Allemagne", "Alemania"),
    "AT": ("Austria", "Österreich", "Autriche"),
    "CH": ("Switzerland", "Schweiz", "Suisse", "Suiza"),
    "FR": ("France", "Frankreich", "Francia"),
    "ES": ("Spain", "Spanien", "Espagne", "España"),
    "GB": ("United Kingdom", "Großbritannien", "Royaume-Uni", "Reino Unido", "England", "Scotland", "Wales", "UK"),
    "IE": ("Ireland", "Irland", "Irlande", "Irlanda"),
    "IT": ("Italy", "Italien", "Italie", "Italia"),
    "NL": ("Netherlands", "Niederlande", "Pays-Bas", "Países Bajos", "Holland"),
    "BE": ("Belgium", "Belgien", "Belgique", "Bélgica"),
    "DK": ("Denmark", "Dänemark", "Danemark", "Dinamarca"),
    "SE": ("Sweden", "Schweden", "Suède", "Suecia"),
    "NO": ("Norway", "Norwegen", "Norvège", "Noruega"),
    "PL": ("Poland", "Polen", "Pologne", "Polonia"),
    "CZ": ("Czechia", "Czech Republic", "Tschechien", "Tchéquie", "Chequia"),
    "PT": ("Portugal",),
    "LU": ("Luxembourg", "Luxemburg", "Luxemburgo"),
    "US": ("United States", "USA", "Vereinigte Staaten", "États-Unis", "Estados Unidos"),
    "CA": ("Canada", "Kanada", "Canadá"),
    "MX": ("Mexico", "Mexiko", "Mexique", "México"),
    "AR": ("Argentina", "Argentinien", "Argentine"),
    "AU": ("Australia", "Australien", "Australie"),
    "IN": ("India", "Indien", "Inde"),
}

CALLING = {
    "DE": "+49", "AT": "+43", "CH": "+41", "FR": "+33", "ES": "+34", "GB": "+44", "IE": "+353", "IT": "+39",
    "NL": "+31", "BE": "+32", "DK": "+45", "SE": "+46", "NO": "+47", "PL": "+48", "CZ": "+420", "PT": "+351",
    "LU": "+352", "MX": "+52", "AR": "+54", "AU": "+61", "IN": "+91",
}  # fmt: skip
"""+1 is left out: it does not tell the United States from Canada."""


def country(word: str) -> str:
    """ISO code of a country code or name; "" when it is neither."""
    if word in COUNTRIES:
        return word
    return next((code for code, names in COUNTRIES.items() if word.casefold() in {n.casefold() for n in names}), "")
