"""A contract's weights, learnt from two files that one party has: no room, no shares.

Rule: INSECURE by nature, so for rows that may meet: a public or synthetic set, or an owner's own
records and a second copy of them. What is learnt tells how often fields differ, of nobody.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from hashlib import sha256

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cleanroom.contract.linkages import SIDES, FuzzyTerms, LinkageTerms, Side
from cleanroom.errors import UnknownName, UnsupportedQuery
from cleanroom.linkage.columns import Cleaned, columns_of, compared_of, parts_of
from cleanroom.linkage.features import WORD
from protocols.plaintext.agreement import learn
from protocols.plaintext.linkage import Sets, reached

MOST_PAIRS = 1 << 25
LIMIT = 15  # no weight is larger: whole ones of a dozen fields then fit a byte
_DOUBT = 100  # a pair at the threshold is of one person with odds of 100 to 1


@dataclass(frozen=True, slots=True)
class Learnt:
    """Weights of a linkage's comparisons, in the contract's order, and the threshold."""

    linkage: str
    terms: LinkageTerms
    weights: tuple[tuple[int, ...], ...]
    threshold: int

    def toml(self) -> str:
        """Return the lines for the contract."""
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        fuzzy = _fuzzy(self.terms)
        table = f"linkages.{self.linkage}.fuzzy"
        yield f"[{table}]\nthreshold = {self.threshold}\nmax_left = {fuzzy.max_left}"
        if fuzzy.block is not None:
            block = ", ".join(f'"{form}"' for form in fuzzy.block)
            yield f"block = [{block}]\nwindow = {fuzzy.window}"
        for one, weights in zip(fuzzy.compare, self.weights, strict=True):
            yield f'[[{table}.compare]]\nform = "{one.form}"'
            if one.digits is not None:
                yield f"digits = {one.digits}"
            if one.levels:
                yield "levels = [" + ", ".join(f'"{level}"' for level in one.levels) + "]"
            yield f"weights = [{', '.join(map(str, weights))}]"


def learn_weights(name: str, terms: LinkageTerms, rows: Mapping[Side, pd.DataFrame]) -> Learnt:
    """Learn the weights of a linkage's probabilistic pass from all pairs of two sides' rows.

    Nobody has to say which rows are of one person; about as many should be as are in the smaller
    side, some with errors as they are to be expected.

    Args:
        rows: each side's, with the columns of the linkage's fields, as text.

    Raises:
        UnsupportedQuery: without a probabilistic pass, or for too many pairs.
    """
    fuzzy = _fuzzy(terms)
    if len(rows["left"]) * len(rows["right"]) > MOST_PAIRS:
        raise UnsupportedQuery(f"more than {MOST_PAIRS} pairs", remedy="Take fewer rows.")
    left, right = (list(sets_of(name, terms, side, rows[side])) for side in SIDES)
    dice = [sorted(one.dice) or [Fraction(1)] for one in fuzzy.compare]
    sides = zip(left, right, dice, strict=True)
    levels = [reached(mine, theirs, ascending) for mine, theirs, ascending in sides]
    found = learn(levels, [len(one) + 1 for one in dice], min(map(len, rows.values())))
    weights = tuple(tuple(_whole(field)) for field in found.weights)
    return Learnt(name, terms, weights, max(1, round(math.log2(_DOUBT) - found.prior)))


def _fuzzy(terms: LinkageTerms) -> FuzzyTerms:
    if terms.fuzzy is None:
        raise UnsupportedQuery(
            "the linkage has no [fuzzy] part",
            remedy="Name the fields and levels to compare there, with any weights.",
        )
    return terms.fuzzy


def _whole(field: NDArray[np.float64]) -> list[int]:
    """Round weights, and put them in the contract's order, the highest level first."""
    return [int(weight) for weight in np.clip(np.rint(field[::-1]), -LIMIT, LIMIT)]


def sets_of(name: str, terms: LinkageTerms, side: Side, rows: pd.DataFrame) -> Iterator[Sets]:
    """Yield what each comparison compares, as the owner of that side would share it."""
    cleaned = {one.name: one for one in columns_of(name, terms, side)}
    for one in compared_of(terms):
        if one.feature is None:
            columns = [cleaned[part.column(name)] for part in parts_of(one.form)]
            yield _bits([[_hashed(texts)] for texts in _texts(columns, rows)])
        else:
            words = [cleaned[one.column(name, word)] for word in range(one.words)]
            yield _bits([[w.features(raw) for w in words] for raw in _raw(words[0], rows)])


def _texts(columns: list[Cleaned], rows: pd.DataFrame) -> Iterator[list[str | None]]:
    """Yield each row's clean values of one or two columns."""
    for raws in zip(*(_raw(one, rows) for one in columns), strict=True):
        yield [one.text(raw) for one, raw in zip(columns, raws, strict=True)]


def _raw(column: Cleaned, rows: pd.DataFrame) -> list[str | None]:
    if column.source not in rows:
        raise UnknownName(f"the file has no column {column.source!r}")
    values = rows[column.source].astype("object")
    return [None if missing else str(v) for v, missing in zip(values, values.isna(), strict=True)]


def _hashed(texts: list[str | None]) -> int | None:
    known = sorted(text for text in texts if text is not None)
    if len(known) < len(texts):
        return None
    return int.from_bytes(sha256("\0".join(known).encode()).digest()[: WORD // 8], "little")


def _bits(values: list[list[int | None]]) -> Sets:
    there = np.array([None not in words for words in values], dtype=np.bool_)
    whole = np.array([[word or 0 for word in words] for words in values], dtype="<u8")
    return Sets(np.unpackbits(whole.view(np.uint8), axis=1).astype(np.bool_), there)
