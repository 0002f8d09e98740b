"""Linkages that all members sign: how it is found which rows of two tables are of one person.

Rule: shape and validation of one `[linkages.NAME]`. What a kind of field and its forms mean is
`cleanroom.linkage`; `rules` names the version of it that every owner must run.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import TYPE_CHECKING, Annotated, Literal, Self, TypeAlias

from pydantic import BeforeValidator, Field, model_validator

from cleanroom.contract.fields import Name, Strict
from cleanroom.contract.types import Kind
from protocols.rep3.scoring import WINDOW

if TYPE_CHECKING:
    from cleanroom.contract.columns import TableTerms

RULES = 1  # the version of cleaning that this release runs
LEFT, RIGHT, RUNG = "left_id", "right_id", "rung"  # a linkage's columns in SQL
DIGITS = 12  # the longest number that is compared digit by digit
MOST_LEFT = 1 << 14  # rows of a side of which all pairs are compared

Side: TypeAlias = Literal["left", "right"]
SIDES: tuple[Side, ...] = ("left", "right")
Weight: TypeAlias = Annotated[Decimal, Field(ge=-100, le=100, allow_inf_nan=False)]
Level: TypeAlias = Annotated[
    str, BeforeValidator(str), Field(pattern=r"^(1|1\.0|0\.\d{1,2}|[1-9]\d?/[1-9]\d?)$")
]
Rung: TypeAlias = Annotated[tuple[str, ...], Field(min_length=1, max_length=12)]


class FieldKind(StrEnum):
    """The kinds of fields, each with its rules of cleaning."""

    NHS_NUMBER = "nhs_number"
    NAME = "name"
    DATE = "date"
    POSTCODE_UK = "postcode_uk"
    POSTCODE_AU = "postcode_au"
    SEX = "sex"
    CODE = "code"
    TEXT = "text"


FORMS: Mapping[FieldKind, tuple[str, ...]] = {
    FieldKind.NHS_NUMBER: (),
    FieldKind.NAME: ("soundex", "metaphone", "initial", "start"),
    FieldKind.DATE: ("day_month", "month_year", "day_year", "swapped", "year"),
    FieldKind.POSTCODE_UK: ("outward", "area"),
    FieldKind.POSTCODE_AU: ("area",),
    FieldKind.SEX: (),
    FieldKind.CODE: ("start",),
    FieldKind.TEXT: ("words", "start"),
}
WRITTEN = (FieldKind.NAME, FieldKind.TEXT, FieldKind.CODE, FieldKind.POSTCODE_UK)
NUMBERED = {FieldKind.NHS_NUMBER: 10, FieldKind.DATE: 8, FieldKind.POSTCODE_AU: 4}  # digits
_NUMBERS = (FieldKind.NHS_NUMBER, FieldKind.POSTCODE_AU, FieldKind.CODE, FieldKind.SEX)


@dataclass(frozen=True, slots=True, order=True)
class Form:
    """What of a field is compared: 'surname', 'surname.soundex'; 'a+b' is both in any order.

    Attributes:
        form: "" for the cleaned value itself.
        other: the second of two fields; "" for one alone.
    """

    field: str
    form: str = ""
    other: str = ""

    @classmethod
    def parse(cls, text: str, fields: Mapping[str, "FieldTerms"]) -> "Form":
        """Read a form.

        Raises:
            ValueError: naming what is unknown.
        """
        first, plus, other = text.partition("+")
        field, dot, form = first.partition(".")
        for name in (field, *([other] if plus else [])):
            if name not in fields:
                raise ValueError(f"{text!r}: no field {name!r}; there are {', '.join(fields)}")
        kind = fields[field].kind
        if dot and form not in FORMS[kind]:
            known = ", ".join(FORMS[kind]) or "none"
            raise ValueError(f"{text!r}: a {kind} has no form {form!r}; it has {known}")
        if plus and (dot or field == other or fields[other].kind is not kind):
            raise ValueError(f"{text!r}: two different fields of one kind, without forms")
        return cls(field, form, other)

    def column(self, linkage: str) -> str:
        """Return the column in which the owner's database keeps this form of one field."""
        return f"#{linkage}.{self.field}" + (f".{self.form}" if self.form else "")


class FieldTerms(Strict):
    """One field: where either table has it, and how it is cleaned.

    Attributes:
        kind: which rules clean it; what they don't know as valid is missing.
        left, right: its column in either table; by default one of the field's own name.
        missing: further values that stand for none, as the owners' files have them.
    """

    kind: FieldKind
    left: Name | None = None
    right: Name | None = None
    missing: Annotated[tuple[str, ...], Field(max_length=64)] = ()


class CompareTerms(Strict):
    """One comparison of the probabilistic pass.

    Attributes:
        form: what is compared.
        levels: Dice similarities, 0.8 or "4/5", in descending order; none: equal or not. Of names,
            codes and texts these are of their sets of bigrams; of dates, NHS numbers and Australian
            postcodes the share of equal digits.
        digits: of a code: compare it digit by digit; a value of another length is missing.
        weights: log2 of how much likelier a pair of one person reaches each level, then none.
            A pair of which either value is missing weighs 0 here.
    """

    form: str
    levels: Annotated[tuple[Level, ...], Field(max_length=4)] = ()
    digits: Annotated[int, Field(ge=2, le=DIGITS, strict=True)] | None = None
    weights: Annotated[tuple[Weight, ...], Field(min_length=2, max_length=5)]

    @property
    def dice(self) -> tuple[Fraction, ...]:
        return tuple(map(Fraction, self.levels))

    @model_validator(mode="after")
    def _one_each(self) -> Self:
        if len(self.weights) != max(len(self.levels), 1) + 1:
            raise ValueError("weights: one for each level, and one for pairs below all of them")
        if list(self.dice) != sorted(set(self.dice), reverse=True) or max(self.dice, default=1) > 1:
            raise ValueError("levels must descend, from 1 at most")
        if any((weight * 10) % 1 for weight in self.weights):
            raise ValueError("weights: at most one decimal")
        if self.digits is not None and not self.levels:
            raise ValueError("digits: only with levels")
        return self


class FuzzyTerms(Strict):
    """The probabilistic pass over rows that no rung linked.

    Attributes:
        compare: the fields, whose weights are added up.
        threshold: the least total of a pair; each side must be the other's only best partner.
        max_left: public bound on the rows of either side that may be left; with more a query fails.
        block: what pairs must have in common to be compared: forms, as of a rung. Without it all
            pairs are compared.
        window: public: rows of both sides are put in the order of blocks and, in a block, of a
            hash of what is compared first; each is compared with so many that follow it.
    """

    compare: Annotated[tuple[CompareTerms, ...], Field(min_length=1, max_length=16)]
    threshold: Annotated[Weight, Field(gt=0)]
    max_left: Annotated[int, Field(ge=1, le=1 << 20, strict=True)]
    block: Rung | None = None
    window: Annotated[int, Field(ge=1, le=WINDOW, strict=True)] | None = None

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        if (self.block is None) is not (self.window is None):
            raise ValueError("block and window: neither without the other")
        if self.block is None and self.max_left > MOST_LEFT:
            raise ValueError(f"max_left: at most {MOST_LEFT} without a block")
        return self


class LinkageTerms(Strict):
    """Which rows of two tables are of one person, without anybody seeing it.

    Attributes:
        left, right: tables of one owner each, with one row a person.
        rules: version of the rules by which owners clean.
        fields: by the name that the ladder uses.
        ladder: composite keys, the first one first: rows that are the only ones of either side
            with a key are linked, and the others go on to the next.
        fuzzy: what follows for rows that no rung linked.
        to: recipients whose queries may use it.
    """

    left: str
    right: str
    rules: Annotated[int, Field(ge=1, strict=True)]
    fields: Annotated[Mapping[Name, FieldTerms], Field(min_length=1, max_length=32)]
    ladder: Annotated[tuple[Rung, ...], Field(min_length=1, max_length=32)]
    fuzzy: FuzzyTerms | None = None
    to: Annotated[tuple[Name, ...], Field(min_length=1)]

    @property
    def rungs(self) -> int:
        """How many rungs there are, the probabilistic pass counted as one."""
        return len(self.ladder) + (self.fuzzy is not None)

    @property
    def rungs_in_words(self) -> tuple[str, ...]:
        """What each rung links by; rung 1 first."""
        rungs = tuple(", ".join(rung) for rung in self.ladder)
        return rungs if self.fuzzy is None else (*rungs, "similar")

    def table(self, side: Side) -> str:
        return self.left if side == "left" else self.right

    def column(self, field: str, side: Side) -> str:
        """Return the column that holds a field in one of the tables."""
        terms = self.fields[field]
        return (terms.left if side == "left" else terms.right) or field

    @property
    def columns(self) -> tuple[tuple[str, str], ...]:
        """The tables and columns that it compares."""
        pairs = ((side, field) for side in SIDES for field in self.fields)
        return tuple((self.table(side), self.column(field, side)) for side, field in pairs)

    def rung_forms(self) -> tuple[tuple[Form, ...], ...]:
        """Return the ladder's forms, one tuple a rung."""
        return tuple(tuple(Form.parse(f, self.fields) for f in rung) for rung in self.ladder)

    def block_forms(self) -> tuple[Form, ...]:
        """Return what pairs of the probabilistic pass must have in common; none: nothing."""
        block = None if self.fuzzy is None else self.fuzzy.block
        return tuple(Form.parse(form, self.fields) for form in block or ())

    def compared(self) -> tuple[Form, ...]:
        """Return the forms of the probabilistic pass."""
        found = () if self.fuzzy is None else self.fuzzy.compare
        forms = tuple(Form.parse(one.form, self.fields) for one in found)
        for form, one in zip(forms, found, strict=True):
            kind = self.fields[form.field].kind
            by_digits = kind in NUMBERED and not form.form
            if one.levels and (form.other or not (kind in WRITTEN or by_digits)):
                raise ValueError(f"fuzzy: {one.form!r} has no levels, it is only equal or not")
            if one.digits is not None and (kind is not FieldKind.CODE or form.form):
                raise ValueError(f"fuzzy: {one.form!r} has no number of digits, only codes have")
        return forms

    def check_table(self, side: Side, table: "TableTerms") -> None:
        """Check that a table can be linked.

        Raises:
            ValueError: saying what doesn't hold.
        """
        name = self.table(side)
        if table.members is not None:
            raise ValueError(f"{side}: {name} is held by several members; link one owner's table")
        if table.max_rows_per_person != 1:
            raise ValueError(f"{side}: {name} needs max_rows_per_person = 1")
        for field, terms in self.fields.items():
            column = self.column(field, side)
            if column not in table.columns:
                raise ValueError(f"fields.{field}.{side}: {name} has no column {column!r}")
            kind = table.columns[column].sql_type.kind
            fits = kind is Kind.TEXT or (kind is Kind.DATE and terms.kind is FieldKind.DATE)
            if not fits and not (kind is Kind.INTEGER and terms.kind in _NUMBERS):
                raise ValueError(f"fields.{field}.{side}: a {terms.kind} is no {kind}")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.rules != RULES:
            raise ValueError(f"rules: this release cleans by version {RULES}")
        if self.left == self.right:
            raise ValueError("right: the same table twice")
        seen: set[frozenset[Form]] = set()
        for rung, forms in enumerate(self.rung_forms(), start=1):
            if frozenset(forms) in seen or len(set(forms)) < len(forms):
                raise ValueError(f"ladder: rung {rung} repeats itself or another one")
            seen.add(frozenset(forms))
        compared = self.compared()
        if len(set(compared)) < len(compared):
            raise ValueError("fuzzy: a form is compared twice")
        block = self.block_forms()
        if len(set(block)) < len(block):
            raise ValueError("fuzzy: block repeats a form")
        self._check_scores()
        return self

    def _check_scores(self) -> None:
        """Check that weights and levels are numbers that can be computed with on shares."""
        from cleanroom.linkage.likeness import similar_of

        similar = similar_of(self)
        try:
            _ = None if similar is None else similar.scoring
        except ValueError as error:
            raise ValueError(f"fuzzy: {error}") from None


def of_table(
    linkages: Mapping[str, LinkageTerms], table: str
) -> Iterator[tuple[str, LinkageTerms, Side]]:
    """Yield the linkages that a table is a side of."""
    for name, linkage in linkages.items():
        for side in SIDES:
            if linkage.table(side) == table:
                yield name, linkage, side
