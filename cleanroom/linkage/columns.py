"""Which cleaned columns an owner's database keeps beside those of a table, and how they are made.

Rule: derived from the contract alone, so that every party writes the same SQL over them. The
names can't be written in a query.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

from cleanroom.contract.linkages import (
    NUMBERED,
    CompareTerms,
    FieldKind,
    FieldTerms,
    Form,
    LinkageTerms,
    Side,
)
from cleanroom.linkage import cleaning, features

Feature: TypeAlias = Literal["bigrams", "digits"]


@dataclass(frozen=True, slots=True)
class Compared:
    """One comparison of the probabilistic pass, at one owner.

    Attributes:
        feature: None: equal or not.
        bits: of its features; most: how many of them may be set.
    """

    form: Form
    feature: Feature | None
    bits: int
    most: int

    def column(self, linkage: str, word: int) -> str:
        """Return the database's column that holds one word of its features."""
        return f"{self.form.column(linkage)}:{self.feature}.{word}"

    @property
    def words(self) -> int:
        return -(-self.bits // features.WORD)


@dataclass(frozen=True, slots=True)
class Cleaned:
    """One column that an owner's database keeps beside a table's own.

    Attributes:
        name, source: of the column, and of the contract's column that it is made of.
        compared, word: whose features' word it holds; None: the clean text itself.
    """

    name: str
    source: str
    field: FieldTerms
    form: Form
    compared: Compared | None = None
    word: int = 0

    @property
    def type(self) -> str:
        return "VARCHAR" if self.compared is None else "UBIGINT"

    def text(self, raw: str | None) -> str | None:
        """Return the clean form of a value."""
        if raw is None or raw.strip().casefold() in self._missing:
            return None
        return cleaning.cleaned(self.field.kind, self.form.form, raw)

    def features(self, raw: str | None) -> int | None:
        """Return a word of the features of a value."""
        compared = self.compared
        if compared is None or raw is None or raw.strip().casefold() in self._missing:
            return None
        if compared.feature == "digits":
            kind, n = self.field.kind, compared.most
            found = cleaning.digits(kind, raw, n)
            bits = None if found is None else features.digits(found)
        else:
            found = self.text(raw)
            salt = f"{self.form.field}.{self.form.form}"
            bits = None if found is None else features.bigrams(salt, found)
        return None if bits is None else features.word(bits, self.word, compared.words)

    @property
    def _missing(self) -> frozenset[str]:
        return frozenset(value.strip().casefold() for value in self.field.missing)


def compared_of(linkage: LinkageTerms) -> tuple[Compared, ...]:
    """Return the comparisons of a linkage's probabilistic pass, in the contract's order."""
    asked = () if linkage.fuzzy is None else linkage.fuzzy.compare
    pairs = zip(linkage.compared(), asked, strict=True)
    return tuple(_compared(form, one, linkage.fields[form.field].kind) for form, one in pairs)


def _compared(form: Form, one: CompareTerms, kind: FieldKind) -> Compared:
    if not one.levels:
        return Compared(form, None, features.WORD, features.WORD)
    n = one.digits or (None if form.form else NUMBERED.get(kind))
    if n is None:
        return Compared(form, "bigrams", features.BUCKETS, features.MOST_SET)
    return Compared(form, "digits", features.PER_DIGIT * n, n)


def columns_of(name: str, linkage: LinkageTerms, side: Side) -> Iterator[Cleaned]:
    """Yield what the owner of one side keeps for a linkage."""
    compared = compared_of(linkage)
    forms = [form for rung in linkage.rung_forms() for form in rung]
    forms += [one.form for one in compared if one.feature is None]
    if block := linkage.block_forms():
        forms += [*block, compared[0].form]
    single = [one for form in forms for one in parts_of(form)]
    for form in dict.fromkeys(single):
        yield _cleaned(linkage, side, form.column(name), form)
    for one in compared:
        if one.feature is not None:
            for word in range(one.words):
                made = _cleaned(linkage, side, one.column(name, word), one.form)
                yield Cleaned(made.name, made.source, made.field, made.form, one, word)


def parts_of(form: Form) -> tuple[Form, ...]:
    """Return the forms of single fields that a form is made of."""
    return (form,) if not form.other else (Form(form.field), Form(form.other))


def _cleaned(linkage: LinkageTerms, side: Side, name: str, form: Form) -> Cleaned:
    return Cleaned(name, linkage.column(form.field, side), linkage.fields[form.field], form)
