"""Clean values against what the libraries' makers and standards publish, and against themselves."""

import nhs_number
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleanroom.contract.linkages import FORMS, FieldKind
from cleanroom.linkage import features
from cleanroom.linkage.cleaning import cleaned, digits

NHS, NAME, DATE = FieldKind.NHS_NUMBER, FieldKind.NAME, FieldKind.DATE
UK, AU, SEX = FieldKind.POSTCODE_UK, FieldKind.POSTCODE_AU, FieldKind.SEX
CODE, TEXT = FieldKind.CODE, FieldKind.TEXT

KNOWN: list[tuple[FieldKind, str, str, str | None]] = [
    (NHS, "", "943 476 5919", "9434765919"),  # the NHS Data Dictionary's example
    (NHS, "", "943-476-5919", "9434765919"),
    (NHS, "", "９４３４７６５９１９", "9434765919"),  # noqa: RUF001 - full-width digits
    (NHS, "", "9434765918", None),
    (NHS, "", "943476591", None),
    (NHS, "", "1111111111", None),  # passes modulus 11
    (NHS, "", "0000000000", None),
    (NHS, "", "", None),
    (NAME, "", "O'Brien-Müller", "obrienmuller"),
    (NAME, "", "  obrien  MULLER ", "obrienmuller"),
    (NAME, "", "Łukasz Ørsted", "lukaszorsted"),
    (NAME, "", "-'-", None),
    (NAME, "soundex", "Robert", "R163"),
    (NAME, "soundex", "Rupert", "R163"),
    (NAME, "soundex", "Ashcraft", "A261"),  # h and w don't part equal codes
    (NAME, "soundex", "Tymczak", "T522"),
    (NAME, "metaphone", "Knight", "NT"),
    (NAME, "metaphone", "metaphone", "MTFN"),
    (NAME, "soundex", "李", None),
    (NAME, "initial", "de Vries", "d"),
    (NAME, "start", "Al", "al"),
    (DATE, "", "1945-04-12", "1945-04-12"),
    (DATE, "", "1945-04-12 00:00:00", "1945-04-12"),
    (DATE, "", "19450412", "1945-04-12"),
    (DATE, "", "12/4/1945", "1945-04-12"),
    (DATE, "", "1945-02-30", None),
    (DATE, "", "1645-02-03", None),
    (DATE, "", "1945-04-12 13:00:00", None),
    (DATE, "swapped", "1945-12-04", "1945-04-12"),
    (DATE, "swapped", "1945-04-12", "1945-04-12"),
    (DATE, "swapped", "1945-13-04", "1945-04-13"),  # can only be swapped
    (DATE, "swapped", "1945-13-14", None),
    (DATE, "day_month", "1645-04-12", "-04-12"),
    (DATE, "month_year", "1945-04-31", "1945-04-"),
    (DATE, "day_year", "1945-13-12", "1945--12"),
    (UK, "", "sw1a 1aa", "SW1A1AA"),
    (UK, "outward", "SW1A1AA", "SW1A"),
    (UK, "area", "M1 1AE", "M"),
    (UK, "", "GIR 0AA", "GIR0AA"),
    (UK, "", "ZZ99 3VZ", None),  # no fixed abode
    (UK, "", "SW1A 1A", None),
    (UK, "", "SW1A 1CA", None),  # C is never in the inward part
    (AU, "", "800", "0800"),
    (AU, "area", "2600", "26"),
    (AU, "", "0100", None),
    (AU, "", "26000", None),
    (SEX, "", "Female", "f"),
    (SEX, "", "1", "m"),
    (SEX, "", "9", None),
    (CODE, "", "ab-12/C ", "ab12c"),
    (TEXT, "", "12  The St., Épping", "12 the st epping"),
    (TEXT, "words", "Epping the Epping", "epping the"),
]


@pytest.mark.parametrize(("kind", "form", "text", "clean"), KNOWN)
def test_known_values(kind: FieldKind, form: str, text: str, clean: str | None) -> None:
    assert cleaned(kind, form, text) == clean


@given(st.integers(0, 999_999_999))
def test_numbers_are_valid_by_their_check_digit_alone(first: int) -> None:
    """Modulus 11, worked out here; the library also knows which dates Scotland's numbers begin."""
    total = sum(weight * int(c) for weight, c in zip(range(10, 1, -1), f"{first:09}", strict=True))
    check = (11 - total % 11) % 11
    scottish = nhs_number.REGION_SCOTLAND.contains_number(f"{first:09}0")
    for digit in range(10):
        text = f"{first:09}{digit}"
        if len(set(text)) > 1 and not scottish:
            assert (cleaned(NHS, "", text) == text) == (digit == check)


@given(st.sampled_from([(kind, form) for kind in FORMS for form in ("", *FORMS[kind])]), st.text())
def test_any_text_has_a_form_or_none(of: tuple[FieldKind, str], text: str) -> None:
    kind, form = of
    found = cleaned(kind, form, text)
    assert found is None or (found and "\x1f" not in found)
    if found is not None and not form and kind is not SEX:
        assert cleaned(kind, "", found) == found


def test_digits_of_impossible_dates_are_compared_too() -> None:
    assert digits(DATE, "19451304", 8) == "19451304"
    assert digits(DATE, "13/04/1945", 8) == "19450413"
    assert digits(CODE, "12-34", 4) == "1234"
    assert digits(CODE, "12-3", 4) is None
    assert digits(CODE, "12a4", 4) is None


@given(st.text(min_size=1, max_size=80))
def test_sets_of_features_are_small_and_never_empty(text: str) -> None:
    found = features.bigrams("surname", text)
    assert 1 <= found.bit_count() <= features.MOST_SET
    assert found < 1 << features.BUCKETS
    assert found == features.bigrams("surname", text)


def test_digits_have_a_bit_at_each_place() -> None:
    assert features.digits("90") == 1 << 9 | 1 << 10
    assert [features.word(features.digits("0000000"), i, 2) for i in range(2)] == [
        0,
        sum(1 << 10 * i for i in range(7)),
    ]
