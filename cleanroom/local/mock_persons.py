"""Mock rows that can be linked: names, dates and numbers that are valid, and a person's own.

Rule: made of a person's number and a field's name alone, so the same at both sides of a linkage.
Identifiers differ between persons, names and dates sometimes don't.
"""

import datetime as dt
import hashlib
from collections.abc import Mapping

from nhs_number.validate import is_valid

from cleanroom.contract.linkages import SIDES, FieldKind
from cleanroom.contract.terms import Terms
from cleanroom.contract.types import Kind

_CONSONANTS, _VOWELS = "bdfglmnrst", "aeiou"
_FIRST_DAY = dt.date(1930, 1, 1)
_DAYS = 30_000
_PLAIN_DATE = 8  # bytes of a date without hyphens
_NHS = 400_000_000

Fields = Mapping[tuple[str, str], tuple[str, FieldKind]]


def fields_of(terms: Terms) -> Fields:
    """Return, for the texts that linkages compare, by table and column: the field and its kind."""
    found = {}
    for linkage in terms.linkages.values():
        for side in SIDES:
            table = linkage.table(side)
            for name, field in linkage.fields.items():
                declared = terms.tables[table].columns[linkage.column(name, side)]
                if declared.sql_type.kind is Kind.TEXT and declared.values is None:
                    found[table, linkage.column(name, side)] = name, field.kind
    return found


def written(field: str, kind: FieldKind, person: int, most: int) -> str:
    """Return what a field says of a person, in at most so many bytes."""
    some = int.from_bytes(hashlib.sha256(f"{field} {person}".encode()).digest()[:4], "big")
    return _text(kind, person, some, most)[:most]


def _text(kind: FieldKind, person: int, some: int, most: int) -> str:
    match kind:
        case FieldKind.NHS_NUMBER:
            return _nhs_number(person)
        case FieldKind.NAME:
            return _name(some)
        case FieldKind.DATE:
            day = (_FIRST_DAY + dt.timedelta(days=some % _DAYS)).isoformat()
            return day.replace("-", "") if most == _PLAIN_DATE else day
        case FieldKind.POSTCODE_UK:
            return f"AB{10 + some % 90} {some % 10}AB"
        case FieldKind.POSTCODE_AU:
            return str(2000 + some % 1000)
        case FieldKind.SEX:
            return "fm"[some % 2]
        case FieldKind.CODE:
            return str(person)
        case FieldKind.TEXT:
            return f"{1 + some % 200} {_name(some)} street"


def _name(number: int) -> str:
    syllables = ""
    for _ in range(3):
        number, place = divmod(number, len(_CONSONANTS) * len(_VOWELS))
        syllables += _CONSONANTS[place // len(_VOWELS)] + _VOWELS[place % len(_VOWELS)]
    return syllables


def _nhs_number(person: int) -> str:
    """Return a valid number, another one for each person."""
    texts = (f"{_NHS + 4 * person + i}{check}" for i in range(4) for check in range(10))
    return next(text for text in texts if is_valid(text))
