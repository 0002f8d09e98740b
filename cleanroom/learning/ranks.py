"""Curves from histograms of scores by class: how well scores rank, and how sure that is.

Rule: arithmetic on opened counts. Scores in one bin count as tied; the error that this may cause
is told with each figure.
"""

import math

import numpy as np

from cleanroom.learning.facts import Floats


def area_under_roc(negatives: Floats, positives: Floats) -> tuple[float, float]:
    """Return the chance that a positive ranks above a negative, and how far off it may be.

    Args:
        negatives, positives: (bins,) counts, from the lowest scores to the highest.
    """
    pairs = float(negatives.sum() * positives.sum())
    below = np.cumsum(negatives) - negatives
    tied = float(negatives @ positives) / 2
    return float(below @ positives + tied) / pairs, tied / pairs


def average_precision(negatives: Floats, positives: Floats) -> tuple[float, float]:
    """Return the area under the steps of precision over recall, and how far off it may be."""
    positive, negative = positives[::-1], negatives[::-1]
    found, wrong = np.cumsum(positive), np.cumsum(negative)
    total, any_found = found[-1], positive > 0
    precision = found[any_found] / (found + wrong)[any_found]
    area = float(positive[any_found] @ precision / total)
    place = np.arange(1, round(float(total)) + 1)
    each = positive.astype(np.int64)
    best = place / (place + np.repeat(wrong - negative, each))
    worst = place / (place + np.repeat(wrong, each))
    least, most = float(worst.sum() / total), float(best.sum() / total)
    return area, max(most - area, area - least)


def concordance(censored: Floats, happened: Floats) -> tuple[float, float]:
    """Return the chance that of two rows the one with the sooner event has the higher risk.

    Args:
        censored, happened: (cells, bins) counts of rows without and with an event, by the last
            event time that they reached and their risk, from the lowest to the highest.

    Returns:
        the share (ties of risk count half), and how far off bins may have put it; NaN if no two
        rows can be compared.
    """
    leaving = censored + happened
    later = np.cumsum(leaving[::-1], axis=0)[::-1] - happened
    below = np.cumsum(later, axis=1) - later
    pairs = float((happened.sum(axis=1) * later.sum(axis=1)).sum())
    tied = float((happened * later).sum()) / 2
    if not pairs:
        return math.nan, math.nan
    return (float((happened * below).sum()) + tied) / pairs, tied / pairs


def roc(negatives: Floats, positives: Floats) -> tuple[Floats, Floats]:
    """Return false and true positive rates as the threshold falls, from 0 to 1."""
    wrong, found = np.cumsum(negatives[::-1]), np.cumsum(positives[::-1])
    steps = np.append(True, (negatives + positives)[::-1] > 0)
    rates = np.append(0.0, wrong / wrong[-1]), np.append(0.0, found / found[-1])
    return rates[0][steps], rates[1][steps]


def groups(counts: Floats, wanted: int) -> list[slice]:
    """Cut bins into runs of about equally many rows."""
    reached = np.cumsum(counts) / counts.sum()
    ends = [int(np.searchsorted(reached, k / wanted - 1e-12)) + 1 for k in range(1, wanted + 1)]
    starts = [0, *ends[:-1]]
    runs = [slice(a, b) for a, b in zip(starts, ends, strict=True)]
    return [run for run in runs if counts[run].sum() > 0]
