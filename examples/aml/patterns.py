"""Labelled laundering: seven typologies over persons with accounts at several banks.

Rule: a pattern is a list of payments between persons, each from one of the payer's accounts to
one of the receiver's; nobody is part of two patterns. The shapes are those of AMLSim.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TypeAlias

import numpy as np
import pandas as pd

from examples.aml.background import DAY_MINUTES
from examples.aml.world import TYPOLOGIES

Person: TypeAlias = tuple[int, ...]
Payment: TypeAlias = tuple[int, int, float, float]  # from, to, amount, minutes after the first


@dataclass(frozen=True)
class Crew:
    """Persons for one pattern, and what is drawn for it.

    Attributes:
        banks: of each account.
        limit: the reporting limit, which payments stay below but those of cycles.
    """

    draw: np.random.Generator
    persons: Iterator[Person]
    banks: Mapping[int, str]
    limit: float

    def some(self, low: int, high: int) -> list[Person]:
        found = list(islice(self.persons, int(self.draw.integers(low, high + 1))))
        if len(found) < low:
            raise ValueError("too few customers for so many patterns")
        return found

    def elsewhere(self, person: Person, other: int) -> int:
        """Return an account at another bank than that of `other`, if the person has one."""
        found = (one for one in person if self.banks[one] != self.banks[other])
        return next(found, person[0])

    def below(self) -> float:
        """Return an amount that nobody has to report."""
        return float(self.draw.uniform(0.35, 0.97) * self.limit)

    def hours(self, low: float, high: float) -> float:
        return float(self.draw.uniform(low, high) * 60)

    def kept(self, amount: float) -> float:
        """Return what goes on after a cut."""
        return amount * float(self.draw.uniform(0.92, 0.99))


def fan_in(crew: Crew) -> Iterator[Payment]:
    """Many pay one person, spread over its accounts, within six days."""
    (hub,) = crew.some(1, 1)
    for i, source in enumerate(crew.some(6, 10)):
        yield source[-1], hub[i % len(hub)], crew.below(), crew.hours(0, 140)


def fan_out(crew: Crew) -> Iterator[Payment]:
    """One person pays many, from all its accounts, within six days."""
    (hub,) = crew.some(1, 1)
    for i, target in enumerate(crew.some(6, 10)):
        yield hub[i % len(hub)], target[0], crew.below(), crew.hours(0, 140)


def cycle(crew: Crew) -> Iterator[Payment]:
    """Money comes back to its account after three or four payments, less a cut each time."""
    first, *others = crew.some(3, 4)
    ring = [first[0]]
    for person in others:
        ring.append(crew.elsewhere(person, ring[-1]))
    amount, minute = float(crew.draw.uniform(0.6, 3) * crew.limit), 0.0
    for account, after in zip(ring, ring[1:] + ring[:1], strict=True):
        yield account, after, amount, minute
        amount, minute = crew.kept(amount), minute + crew.hours(2, 30)


def scatter_gather(crew: Crew) -> Iterator[Payment]:
    """One pays many, and each of them passes it on to the same other."""
    source, sink = crew.some(2, 2)
    for i, middle in enumerate(crew.some(4, 7)):
        yield from _through(crew, source[i % len(source)], middle, sink[i % len(sink)])


def gather_scatter(crew: Crew) -> Iterator[Payment]:
    """Many pay one, who pays the same to many others within two days."""
    (hub,) = crew.some(1, 1)
    sources, targets = crew.some(4, 6), crew.some(4, 6)
    total = 0.0
    for i, source in enumerate(sources):
        amount = crew.below()
        total += amount
        yield source[-1], hub[i % len(hub)], amount, crew.hours(0, 40)
    for i, target in enumerate(targets):
        yield hub[-1 - i % len(hub)], target[0], crew.kept(total) / len(targets), crew.hours(41, 84)


def stack(crew: Crew) -> Iterator[Payment]:
    """Two layers on end: each of the first pays the middle, each of the middle passes it on."""
    first, middle, last = crew.some(2, 3), crew.some(3, 4), crew.some(2, 3)
    for source in first:
        for between in middle:
            target = last[crew.draw.integers(len(last))]
            yield from _through(crew, source[-1], between, target[0])


def bipartite(crew: Crew) -> Iterator[Payment]:
    """Each of some pays each of some others."""
    sources, targets = crew.some(3, 4), crew.some(3, 4)
    for i, source in enumerate(sources):
        for target in targets:
            yield source[-1], target[i % len(target)], crew.below(), crew.hours(0, 140)


def _through(crew: Crew, source: int, middle: Person, target: int) -> Iterator[Payment]:
    """Pay somebody who pays on within two days, from another of its accounts if it has one."""
    amount, minute = crew.below(), crew.hours(0, 96)
    yield source, middle[0], amount, minute
    yield middle[-1], target, crew.kept(amount), minute + crew.hours(2, 44)


SHAPES: dict[str, Callable[[Crew], Iterator[Payment]]] = {
    "fan_in": fan_in,
    "fan_out": fan_out,
    "cycle": cycle,
    "scatter_gather": scatter_gather,
    "gather_scatter": gather_scatter,
    "stack": stack,
    "bipartite": bipartite,
}


def payments(
    draw: np.random.Generator, accounts: pd.DataFrame, each: int, days: int, limit: float
) -> pd.DataFrame:
    """Return the payments of `each` patterns of every typology, labelled.

    Args:
        accounts: of which persons at several banks are taken, as far as there are enough.

    Raises:
        ValueError: if there are too few customers for so many patterns.
    """
    banks = dict(zip(accounts.id.tolist(), accounts.bank.tolist(), strict=True))
    crew, parts = Crew(draw, _persons(draw, accounts), banks, limit), []
    for pattern in range(each * len(TYPOLOGIES)):
        typology = TYPOLOGIES[pattern % len(TYPOLOGIES)]
        rows = list(SHAPES[typology](crew))
        part = pd.DataFrame(rows, columns=["src", "dst", "amount", "minute"])
        start = int(draw.integers(0, (days - 9) * DAY_MINUTES))
        part["minute"] = (part.minute + start).astype(int)
        parts.append(part.assign(pattern=pattern, typology=typology))
    found = pd.concat(parts, ignore_index=True)
    return found.assign(amount=found.amount.round(2))


def _persons(draw: np.random.Generator, accounts: pd.DataFrame) -> Iterator[Person]:
    """Yield each customer's accounts once, two of three times somebody with several."""
    by_customer: Sequence[Person] = [tuple(g) for _, g in accounts.groupby("customer").id]
    shuffled = [by_customer[i] for i in draw.permutation(len(by_customer))]
    several = iter([person for person in shuffled if len(person) > 1])
    single = iter([person for person in shuffled if len(person) == 1])
    while True:
        first, second = (several, single) if draw.random() < 0.67 else (single, several)
        person = next(first, None) or next(second, None)
        if person is None:
            return
        yield person
