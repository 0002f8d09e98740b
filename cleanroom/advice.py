"""Which technique fits a need, which don't, and why: before anybody drafts a contract.

Rule: every reason follows from a card or from what the planner refuses, and costs are those of the
planner on a made-up contract of that size. It advises; the cards say what remains to be decided.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from cleanroom.cards.absent import TEE, ZKP
from cleanroom.contract.privacy import PrivacyTerms
from cleanroom.contract.terms import Terms
from cleanroom.errors import CleanroomError
from cleanroom.plan.cost import Cost, cost_of
from cleanroom.plan.plan import Protocol
from cleanroom.query.compile import compile_query
from protocols.secagg.roster import LEAST_MEMBERS

_HIDDEN = PrivacyTerms().min_contributors
_SQL = {
    "totals": "SELECT kind, COUNT(*), SUM(amount) FROM parts GROUP BY kind",
    "joins": "SELECT a.kind, COUNT(*), SUM(b.amount) FROM o0.a JOIN o1.b ON a.id = b.id GROUP BY 1",
}


class Task(StrEnum):
    """What somebody wants."""

    TOTALS = "totals"
    JOINS = "joins"
    ROWS = "rows"
    MODEL = "model"
    JOINED_MODEL = "joined-model"
    SCORES = "scores"


@dataclass(frozen=True, slots=True)
class Needs:
    """What is wanted, and who trusts whom with what.

    Attributes:
        owners: members that hold rows, besides the recipient.
        rows: of each.
        computing: whether three members run computing processes, no two of which collude.
        hidden: whether owners mustn't learn what is looked for.
        small_groups: whether the recipient may see groups of few persons.
        exact: whether answers have to be exact.
        trusted: whether the recipient's software may be trusted to follow the protocol.
    """

    task: Task
    owners: int
    rows: int
    computing: bool = True
    hidden: bool = False
    small_groups: bool = False
    exact: bool = True
    trusted: bool = True


@dataclass(frozen=True, slots=True)
class Advice:
    """Attributes: fits: names of cards, the cheapest first; rejected: name -> why not."""

    fits: tuple[str, ...]
    rejected: Mapping[str, tuple[str, ...]]
    costs: Mapping[str, Cost]


def advise(needs: Needs) -> Advice:
    """Judge every technique; which of those that fit costs least comes first."""
    obstacles = {name: tuple(_obstacles(name, needs)) for name in _TECHNIQUES}
    costs = dict(_costs(needs))
    fits = [name for name, found in obstacles.items() if not found]
    fits.sort(key=lambda name: costs[name].seconds if name in costs else 0.0)
    rejected = {name: found for name, found in obstacles.items() if found}
    return Advice(tuple(fits), rejected, {name: costs[name] for name in fits if name in costs})


def _obstacles(name: str, needs: Needs) -> Iterator[str]:
    tasks, further = _TECHNIQUES[name]
    if needs.task not in tasks:
        yield f"it gives {' and '.join(_DOES[task] for task in tasks)}"
    else:
        yield from further(needs)


def _rep3(needs: Needs) -> Iterator[str]:
    yield from _computed(needs)
    yield from _in_the_open(needs)
    if not needs.exact:
        yield "answers may be noisy: 'noisy' protects against many questions, too"


def _he(needs: Needs) -> Iterator[str]:
    yield from _in_the_open(needs)
    yield from _opened(needs)
    if not needs.exact:
        yield "answers may be noisy: 'noisy' protects against many questions, too"


def _private(needs: Needs) -> Iterator[str]:
    yield from _opened(needs)
    if not needs.hidden:
        yield "nothing has to be hidden from the owners: others cost less"
    if not needs.trusted:
        yield "owners can't see which weights a recipient encrypts: it has to be trusted"


def _noisy(needs: Needs) -> Iterator[str]:
    yield from _in_the_open(needs)
    if needs.exact:
        yield "its answers have noise on them"
    if needs.task is Task.JOINS:
        yield from _computed(needs)


def _gates(needs: Needs) -> Iterator[str]:
    yield from _computed(needs)


def _training(needs: Needs) -> Iterator[str]:
    yield from _together(needs)
    if not needs.trusted:
        yield "a recipient that alters its software may tell single rows apart by what it asks"
    if not needs.exact:
        yield "the model may be noisy: 'private_logistic' protects every person in it"


def _private_training(needs: Needs) -> Iterator[str]:
    yield from _together(needs)
    if needs.exact:
        yield "its models have noise in them"


def _joined(needs: Needs) -> Iterator[str]:
    yield from _computed(needs)


def _scoring(needs: Needs) -> Iterator[str]:
    if not needs.trusted:
        yield "scores of rows that the recipient makes up read a linear model off"


def _absent(what: str) -> Callable[[Needs], Iterator[str]]:
    def found(needs: Needs) -> Iterator[str]:
        del needs
        yield f"not implemented: {what}"

    return found


_EVERY = tuple(Task)
_TECHNIQUES: Mapping[str, tuple[tuple[Task, ...], Callable[[Needs], Iterator[str]]]] = {
    "rep3": ((Task.TOTALS, Task.JOINS), _rep3),
    "he": ((Task.TOTALS,), _he),
    "private": ((Task.TOTALS,), _private),
    "noisy": ((Task.TOTALS, Task.JOINS), _noisy),
    "gates": ((Task.ROWS,), _gates),
    "logistic": ((Task.MODEL,), _training),
    "private_logistic": ((Task.MODEL,), _private_training),
    "joined_logistic": ((Task.JOINED_MODEL,), _joined),
    "scoring": ((Task.SCORES,), _scoring),
    "tee": (_EVERY, _absent(TEE.does)),
    "zkp": (_EVERY, _absent(ZKP.does)),
}
_DOES = {
    Task.TOTALS: "totals over owners' rows",
    Task.JOINS: "totals over rows that owners join",
    Task.ROWS: "single rows where a secret condition holds",
    Task.MODEL: "models of rows that have the same columns everywhere",
    Task.JOINED_MODEL: "models of rows that owners join",
    Task.SCORES: "scores under another member's model",
}


def _computed(needs: Needs) -> Iterator[str]:
    if not needs.computing:
        yield "three members have to compute, no two of which collude"


def _in_the_open(needs: Needs) -> Iterator[str]:
    if needs.hidden:
        yield "all members read the question"


def _opened(needs: Needs) -> Iterator[str]:
    if not needs.small_groups:
        yield "the recipient sees every cell: nobody can count the persons behind it"
    if needs.owners < _HIDDEN:
        yield f"totals of {needs.owners} owners hide too little: {_HIDDEN} by default"


def _together(needs: Needs) -> Iterator[str]:
    least = max(LEAST_MEMBERS, _HIDDEN)
    if needs.owners < least:
        yield f"sums are over {least} owners or more"


def _costs(needs: Needs) -> Iterator[tuple[str, Cost]]:
    sql = _SQL.get(needs.task)
    protocols: tuple[tuple[str, Protocol], ...] = (("rep3", "mpc"), ("he", "he"))
    for name, protocol in protocols if sql is not None else ():
        try:
            yield name, cost_of(compile_query(sql or "", _terms(needs), "", "asks", protocol))
        except CleanroomError:  # it can't run so: the reasons say why
            continue


def _terms(needs: Needs) -> Terms:
    """Return a contract of this size; nothing of it but its bounds counts."""
    owners = [f"o{i}" for i in range(max(needs.owners, 2))]
    computing = {
        f"c{i}": {"roles": ["computing"], "address": f"localhost:{7001 + i}"} for i in range(3)
    }
    members = {**computing, **{name: {"roles": ["input"]} for name in owners}}
    columns: dict[str, Any] = {
        "id": {"type": "INTEGER", "bounds": [0, 1 << 34]},
        "kind": {"type": "INTEGER", "bounds": [0, 99]},
        "amount": {"type": "DECIMAL(9,2)"},
    }
    table = {"person": "id", "max_rows_per_person": 1, "max_rows": needs.rows, "columns": columns}
    day = {"name": "advice", "version": 1, "retention_days": 1, "expires": "2099-12-31"}
    return Terms.of(
        {
            "room": {**day, "purpose": "advice", "lawful_basis": "made up"},
            "coordinator": {"address": "localhost:7000"},
            "members": {**members, "asks": {"roles": ["result"]}},
            "privacy": {"release": "sdc"},
            "tables": {"parts": {**table, "members": owners}, "o0.a": table, "o1.b": table},
        }
    )
