"""An invented address book as it comes out of an old program: German letters, semicolons, doubles, wrong dates."""

from __future__ import annotations

import random

GIVEN = (
    "Anna Ben Clara David Emma Felix Greta Hannes Ida Jonas Karla Leon Marie Noah Olga Paul Rosa Simon Tilda Uwe Vera "
    "Jürgen Günther Käthe Björn Zoë André Inés Søren Ahmed Beatriz Carlos Delphine Fatima Giulia Henri Javier Katia Luc"
).split()
STARTS = "Acker Bran Cor Dahl Eber Fal Groß Hart Imm Jans Keß Lind Mar Nor Öster Pet Rött Sand Tann Vög Wal Zim".split()
ENDS = "mann meier bauer stein berg feld hoff er ler son sen wald höfer müller graf topf brink kamp rode thal".split()
TRADES = "Keramik Physiotherapie Tischlerei Fotografie Gärtnerei Bäckerei Übersetzungen Yoga Gebäudetechnik".split()
STREETS = "Lindenstraße Hafenweg Gartenallee Marktplatz Schulstraße Kirchweg Mühlenweg Südring".split()
TOWNS = "20095 Hamburg,10115 Berlin,80331 München,50667 Köln,23552 Lübeck,28195 Bremen".split(",")
BROKEN = ("31.02.1980", "heute", "00.00.0000", "1980-13-40", "unbekannt")
HEAD = "Kundennr;Vorname;Nachname;Firma;E-Mail;Telefon;Straße;PLZ Ort;Geburtsdatum;Notiz;Fax\r\n"


def table(rows: int, seed: int = 7) -> bytes:
    """So many rows in Windows' western letters: about 6 % doubles, 3 % broken dates, 4 % notes of several lines."""
    chance, made = random.Random(seed), list[list[str]]()
    for number in range(1, rows + 1):
        if made and chance.random() < 0.06:
            made.append(_double(chance, chance.choice(made), number))
        else:
            made.append(_person(chance, number))
    return (HEAD + "".join(";".join(map(_cell, row)) + "\r\n" for row in made)).encode("cp1252")


def _person(chance: random.Random, number: int) -> list[str]:
    given, family = chance.choice(GIVEN), chance.choice(STARTS) + chance.choice(ENDS)
    firm = f"{family} {chance.choice(TRADES)}" if chance.random() < 0.7 else ""
    host = f"{_plain(family)}{number}.example"
    mail = f"{_plain(given)}@{host}" if chance.random() < 0.85 else ("info@" + host if chance.random() < 0.5 else "")
    phone = f"0{chance.choice((40, 30, 89, 221))} {chance.randrange(10**6, 10**8)}" if chance.random() < 0.8 else ""
    born = f"{chance.randrange(1, 29):02}.{chance.randrange(1, 13):02}.{chance.randrange(1940, 2005)}"
    born = chance.choice(BROKEN) if chance.random() < 0.03 else born if chance.random() < 0.4 else ""
    note = 'Erstgespräch; möchte ein "neues" Logo\nund eine Website' if chance.random() < 0.04 else ""
    street = f"{chance.choice(STREETS)} {chance.randrange(1, 200)}"
    return [str(number), given, family, firm, mail, phone, street, chance.choice(TOWNS), born, note, ""]


def _double(chance: random.Random, row: list[str], number: int) -> list[str]:
    """The same person once more: another number, a second phone, the address in capitals, or a slip in the name."""
    twin = [str(number), *row[1:]]
    way = chance.randrange(4)
    if way == 0:
        twin[4] = twin[4].upper()
    elif way == 1:
        twin[5] = f"0170 {chance.randrange(10**6, 10**7)}"
    elif way == 2:
        twin[2] = twin[2][:-1]
        twin[4] = ""
    else:
        twin[3] = ""
    return twin


def _plain(text: str) -> str:
    found = text.casefold()
    for sign, letters in (("ä", "ae"), ("ö", "oe"), ("ü", "ue"), ("ß", "ss"), ("é", "e"), ("ë", "e"), ("ø", "o")):
        found = found.replace(sign, letters)
    return found


def _cell(text: str) -> str:
    return '"' + text.replace('"', '""') + '"' if any(sign in text for sign in ';"\n') else text
