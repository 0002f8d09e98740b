"""Cleaning, version 1: what a field's text means, the same at every owner.

Rule: pure functions from one text to its clean form, or None where it isn't valid: then nothing
is linked by it. Whatever changes an outcome is another version (`contract.linkages.RULES`), since
owners that clean differently link nothing. Check digits and phonetics are libraries'.
"""

import datetime as dt
import re
import unicodedata
from collections.abc import Callable, Mapping
from functools import lru_cache

import jellyfish
from nhs_number.standardise import standardise_format
from nhs_number.validate import is_valid

from cleanroom.contract.linkages import FieldKind

FIRST_YEAR, LAST_YEAR = 1850, 2099

# Letters that Unicode doesn't take apart into a Latin letter and an accent.
_LETTERS = str.maketrans(
    {
        "ø": "o",
        "ł": "l",
        "đ": "d",
        "ð": "d",
        "þ": "th",
        "æ": "ae",
        "œ": "oe",
        "\u0131": "i",  # without a dot
        "ß": "ss",
    }
)
_POSTCODE_UK = re.compile(r"GIR0AA|[A-Z]{1,2}[0-9][A-Z0-9]?[0-9][ABD-HJLNP-UW-Z]{2}")
_NO_ABODE = "ZZ99"  # begins UK postcodes that are no place
_DATES = (
    re.compile(r"(?P<y>\d{4})[-/.](?P<m>\d{1,2})[-/.](?P<d>\d{1,2})"),
    re.compile(r"(?P<y>\d{4})(?P<m>\d{2})(?P<d>\d{2})"),
    re.compile(r"(?P<d>\d{1,2})[-/.](?P<m>\d{1,2})[-/.](?P<y>\d{4})"),
)
_SEXES = {"m": "m", "male": "m", "1": "m", "f": "f", "female": "f", "2": "f"}


@lru_cache(maxsize=1 << 16)
def cleaned(kind: FieldKind, form: str, text: str) -> str | None:
    """Clean one value.

    Args:
        form: one of the kind's, or "" for the value itself.

    Returns:
        What is compared; None if the text isn't valid, or has nothing of that form.
    """
    return _FORMS[kind][form](unicodedata.normalize("NFKC", text).strip()) or None


def digits(kind: FieldKind, text: str, n: int) -> str | None:
    """Return the n digits of a value that are compared one by one; those of no day's date too."""
    plain = unicodedata.normalize("NFKC", text).strip()
    if kind is not FieldKind.DATE:
        found = _FORMS[kind][""](plain) or ""
    else:
        found = "{:04}{:02}{:02}".format(*parts) if (parts := _parts(plain)) else ""
    return found if re.fullmatch(rf"[0-9]{{{n}}}", found) else None


def _folded(text: str) -> str:
    """Return a text in lower case without accents."""
    apart = unicodedata.normalize("NFKD", text.casefold().translate(_LETTERS))
    return "".join(c for c in apart if not unicodedata.combining(c))


def name(text: str) -> str:
    """Keep the letters of a name: case, accents, hyphens, apostrophes and spaces don't matter."""
    return "".join(c for c in _folded(text) if c.isalpha())


def _sound(code: Callable[[str], str]) -> Callable[[str], str | None]:
    """Return how a name sounds; phonetics know no letters but those of English."""

    def sound(text: str) -> str | None:
        letters = name(text)
        return code(letters) if letters.isascii() and letters else None

    return sound


def _nhs_number(text: str) -> str | None:
    """Keep the ten digits of a number that passes modulus 11 and isn't one digit repeated."""
    digits = standardise_format(text)
    return digits if len(set(digits)) > 1 and is_valid(digits) else None


def _parts(text: str) -> tuple[int, int, int] | None:
    """Return year, month and day as they stand, whether or not there is such a day."""
    day, _, clock = text.replace("T", " ").partition(" ")
    if clock.strip("0:. "):
        return None
    for pattern in _DATES:
        if found := pattern.fullmatch(day):
            return int(found["y"]), int(found["m"]), int(found["d"])
    return None


def _date(*, year: bool = False, month: bool = False, day: bool = False) -> Callable[..., str]:
    """Return a form that keeps some parts of a date, "" where one of them is impossible."""

    def form(text: str) -> str:
        if (parts := _parts(text)) is None:
            return ""
        y, m, d = parts
        possible = (not year or FIRST_YEAR <= y <= LAST_YEAR) and (not month or 1 <= m <= 12)
        if not possible or (day and not 1 <= d <= 31):
            return ""
        kept = ((year, f"{y:04}"), (month, f"{m:02}"), (day, f"{d:02}"))
        return "-".join(part if keep else "" for keep, part in kept)

    return form


def _whole_date(text: str) -> str | None:
    found = _date(year=True, month=True, day=True)(text)
    try:
        return dt.date.fromisoformat(found).isoformat()
    except ValueError:
        return None


def _swapped(text: str) -> str | None:
    """Keep the year, and day and month in either order: what was swapped is then equal."""
    if (parts := _parts(text)) is None:
        return None
    year, first, second = parts[0], *sorted(parts[1:])
    if not (FIRST_YEAR <= year <= LAST_YEAR and 1 <= first <= 12 and second <= 31):
        return None
    return f"{year:04}-{first:02}-{second:02}"


def _postcode_uk(text: str) -> str | None:
    packed = re.sub(r"[\s-]", "", text.upper())
    valid = _POSTCODE_UK.fullmatch(packed) and not packed.startswith(_NO_ABODE)
    return packed if valid else None


def _postcode_au(text: str) -> str | None:
    digits = text.zfill(4) if re.fullmatch(r"[0-9]{3,4}", text) else ""
    return digits if digits >= "0200" else None


def _code(text: str) -> str:
    return "".join(c for c in _folded(text) if c.isalnum())


def _words(text: str) -> list[str]:
    return "".join(c if c.isalnum() else " " for c in _folded(text)).split()


_FORMS: Mapping[FieldKind, Mapping[str, Callable[[str], str | None]]] = {
    FieldKind.NHS_NUMBER: {"": _nhs_number},
    FieldKind.NAME: {
        "": name,
        "soundex": _sound(jellyfish.soundex),
        "metaphone": _sound(jellyfish.metaphone),
        "initial": lambda text: name(text)[:1],
        "start": lambda text: name(text)[:3],
    },
    FieldKind.DATE: {
        "": _whole_date,
        "day_month": _date(month=True, day=True),
        "month_year": _date(year=True, month=True),
        "day_year": _date(year=True, day=True),
        "swapped": _swapped,
        "year": _date(year=True),
    },
    FieldKind.POSTCODE_UK: {
        "": _postcode_uk,
        "outward": lambda text: (_postcode_uk(text) or "")[:-3],
        "area": lambda text: re.split(r"\d", _postcode_uk(text) or "")[0],
    },
    FieldKind.POSTCODE_AU: {
        "": _postcode_au,
        "area": lambda text: (_postcode_au(text) or "")[:2],
    },
    FieldKind.SEX: {"": lambda text: _SEXES.get(text.casefold())},
    FieldKind.CODE: {"": _code, "start": lambda text: _code(text)[:4]},
    FieldKind.TEXT: {
        "": lambda text: " ".join(_words(text)),
        "words": lambda text: " ".join(sorted(set(_words(text)))),
        "start": lambda text: "".join(_words(text))[:4],
    },
}
