"""A contract's linkages on plaintext, by other code than the product's: the pairs to compare with.

Rule: pandas and numpy on whole tables that nobody has together but this comparison. A table's first
column is the owner's own number of a person.
"""

import datetime as dt
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

import jellyfish
import numpy as np
import pandas as pd

IDS = ("left_id", "right_id")
Terms = Mapping[str, Any]
Numbers = np.ndarray[Any, np.dtype[np.int64]]


def linked(left: pd.DataFrame, right: pd.DataFrame, terms: Terms) -> pd.DataFrame:
    """Link rows that are, rung by rung, the only ones of either side with a key; then alike ones.

    Args:
        terms: the contract's table [linkages.NAME].

    Returns:
        one row a pair: left_id, right_id, rung.
    """
    clean = [_clean(table, terms["fields"]) for table in (left, right)]
    asked = {form for rung in terms["ladder"] for form in rung}
    sides = [pd.DataFrame({form: _form(form, side) for form in asked}) for side in clean]
    found = []
    for rung, forms in enumerate(terms["ladder"], start=1):
        keys = [side[forms].dropna().drop_duplicates(keep=False) for side in sides]
        pairs = (k.rename_axis(n).reset_index() for k, n in zip(keys, IDS, strict=True))
        both = next(pairs).merge(next(pairs), on=forms).loc[:, list(IDS)]
        sides = [side.drop(both[n]) for side, n in zip(sides, IDS, strict=True)]
        found.append(both.assign(rung=rung))
    if "fuzzy" in terms:
        rest = [every.loc[side.index] for every, side in zip(clean, sides, strict=True)]
        found.append(_alike(rest[0], rest[1], terms).assign(rung=len(terms["ladder"]) + 1))
    whole: pd.DataFrame = pd.concat(found, ignore_index=True)
    return whole


def _clean(table: pd.DataFrame, fields: Terms) -> pd.DataFrame:
    rows = table.set_index(table.columns[0])
    columns = {
        name: rows[name].map(CLEAN[terms["kind"]], na_action="ignore")
        for name, terms in fields.items()
    }
    dates = (name for name, terms in fields.items() if terms["kind"] == "date")
    as_typed = {f"{name} as typed": rows[name] for name in dates}
    return pd.DataFrame({**columns, **as_typed})


def _form(form: str, clean: pd.DataFrame) -> pd.Series:
    field, _, how = form.partition(".")
    if how == "soundex":
        return clean[field].map(jellyfish.soundex, na_action="ignore")
    first, plus, second = form.partition("+")
    if not plus:
        return clean[first]
    pair = clean[[first, second]].dropna()
    either = [" ".join(sorted(both)) for both in zip(pair[first], pair[second], strict=True)]
    return pd.Series(either, pair.index).reindex(clean.index)


# --- what no rung links: similarity, weighed ----------------------------------------------------


def _alike(left: pd.DataFrame, right: pd.DataFrame, terms: Terms) -> pd.DataFrame:
    """Return pairs that reach the threshold and are the only best ones of both their rows."""
    score = np.zeros((len(left), len(right)), dtype=np.int64)
    for one in terms["fuzzy"]["compare"]:
        score += _weights(left, right, terms["fields"][one["form"]]["kind"], one)
    best = score >= np.maximum(score.max(axis=1, keepdims=True), terms["fuzzy"]["threshold"])
    best &= score == score.max(axis=0, keepdims=True)
    best &= (best.sum(axis=1, keepdims=True) == 1) & (best.sum(axis=0, keepdims=True) == 1)
    rows, columns = np.nonzero(best)
    return pd.DataFrame({"left_id": left.index[rows], "right_id": right.index[columns]})


def _weights(left: pd.DataFrame, right: pd.DataFrame, kind: str, one: Terms) -> Numbers:
    """Weigh how alike each pair is: twice what both have, by all that they have."""
    field = f"{one['form']} as typed" if kind == "date" else one["form"]
    pieces = _digits if kind in ("date", "nhs_number", "postcode_au") else _bigrams
    had, others = _pieces(left[field], pieces).align(_pieces(right[field], pieces), axis=1)
    mine, theirs = (found.fillna(0).to_numpy(dtype=np.int64) for found in (had, others))
    both, every = 2 * mine @ theirs.T, mine.sum(axis=1)[:, None] + theirs.sum(axis=1)
    levels = map(Fraction, one["levels"])
    reached = [both * level.denominator >= level.numerator * every for level in levels]
    weights = np.select(reached, one["weights"][:-1], one["weights"][-1])
    known = left[field].notna().to_numpy()[:, None] & right[field].notna().to_numpy()
    return np.where(known, weights, 0)


def _pieces(values: pd.Series, pieces: Callable[[str], set[str]]) -> pd.DataFrame:
    """Return 0 and 1: which pieces each value has."""
    having = values.dropna().map(lambda text: sorted(pieces(text))).explode()
    return pd.get_dummies(having, dtype=int).groupby(level=0).sum().reindex(values.index)


def _bigrams(text: str) -> set[str]:
    padded = f"_{text}_"
    return {padded[i : i + 2] for i in range(len(padded) - 1)}


def _digits(text: str) -> set[str]:
    return {f"{place}{digit}" for place, digit in enumerate(text)}


# --- what is valid --------------------------------------------------------------------------


def _name(text: str) -> str | None:
    return "".join(c for c in text.lower() if c.isalpha()) or None


def _date(text: str) -> str | None:
    try:
        return dt.date.fromisoformat(text).isoformat()
    except ValueError:
        return None


def _nhs_number(text: str) -> str | None:
    *nine, check = map(int, text)
    total = sum(digit * weight for digit, weight in zip(nine, range(10, 1, -1), strict=True))
    return text if -total % 11 == check else None


CLEAN: dict[str, Callable[[str], str | None]] = {
    "name": _name,
    "text": lambda text: " ".join(text.lower().split()) or None,
    "date": _date,
    "postcode_au": lambda text: text if text.isdigit() and text >= "0200" else None,
    "nhs_number": _nhs_number,
    "sex": str,
}
