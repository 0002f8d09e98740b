"""All cards by name, and how they read."""

from collections.abc import Iterable, Iterator, Mapping

from cleanroom.cards import absent, flows, links, noisy, questions, records, sums, trainings
from cleanroom.errors import UnknownName
from protocols.card import Card, Maturity, Technique
from protocols.dp.card import CARD as DP
from protocols.he.card import CARD as HE
from protocols.merkle.card import CARD as MERKLE
from protocols.plaintext.card import CARD as PLAINTEXT
from protocols.rep3.card import CARD as REP3
from protocols.secagg.card import CARD as SECAGG

CARDS: Mapping[str, Card] = {
    card.name: card
    for card in (
        REP3,
        HE,
        SECAGG,
        DP,
        MERKLE,
        PLAINTEXT,
        sums.MASKS,
        questions.PRIVATE,
        questions.SCORING,
        questions.SDC,
        noisy.NOISY,
        questions.GATES,
        flows.PROPAGATION,
        links.LINKAGE,
        records.PROFILE,
        records.LOG,
        *trainings.cards(),
        absent.TEE,
        absent.ZKP,
    )
}


def card(name: str) -> Card:
    """Return the card of a name.

    Raises:
        UnknownName: if nothing is called so.
    """
    found = CARDS.get(name)
    if found is None:
        remedy = "'cleanroom cards' lists all."
        raise UnknownName(f"no protocol is called {name!r}", remedy=remedy)
    return found


def with_foundations(names: Iterable[str]) -> tuple[Card, ...]:
    """Return the cards of these names and of all that they rest on, each once."""
    found: dict[str, Card] = {}
    waiting = list(names)
    while waiting:
        one = card(waiting.pop(0))
        if one.name not in found:
            found[one.name] = one
            waiting.extend(one.rests_on)
    return tuple(found.values())


def text(one: Card) -> str:
    """Return a card to be read."""
    blocks = (
        ("Assumes", one.assumes),
        ("Who must be honest", one.honest),
        ("Leaks besides the result", one.leaks),
        ("Not covered", one.not_covered),
        (
            "Residual risks",
            (
                f"endpoint: {one.endpoint}",
                f"metadata: {one.metadata}",
                f"inference from results: {one.inference}",
            ),
        ),
        ("Rests on", tuple(f"{name}: {card(name).title}" for name in one.rests_on)),
        ("Tests", one.tests),
        ("Source", one.source),
    )
    head = [f"{one.name}: {one.title}", f"{one.technique}; {one.maturity}", "", one.does]
    for title, lines in blocks:
        if lines:
            head += ["", title, *(f"  {line}" for line in lines)]
    return "\n".join(head)


def status_table() -> str:
    """Return README's table: each technology that regulators name, and what there is of it."""
    head = ["| technology | status | what (`cleanroom explain NAME`) |", "|---|---|---|"]
    return "\n".join([*head, *_statuses()])


def _statuses() -> Iterator[str]:
    for technique in Technique:
        if technique is Technique.NONE:
            continue
        of_it = [one for one in CARDS.values() if one.technique is technique]
        there = any(one.maturity is Maturity.TESTED for one in of_it)
        names = ", ".join(f"`{one.name}`" for one in of_it)
        status = "implemented" if there else "not implemented"
        yield f"| {technique.value} | {status} | {names} |"
