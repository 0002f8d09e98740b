"""The data protection impact assessment of a room, as far as contract and records know it.

Rule: the steps of the ICO's template (need, processing, consultation, necessity, risks, measures,
sign-off). What a person has to judge stays blank.
"""

from collections.abc import Iterator

from cleanroom.contract.columns import ColumnTerms, TableTerms
from cleanroom.contract.terms import Role
from cleanroom.evidence import releases
from cleanroom.evidence.facts import Facts
from cleanroom.evidence.markdown import blank, bullets, code, document, plain, table
from protocols.card import Card

_SEES = {
    Role.INPUT: "its own rows, plans, its own log",
    Role.COMPUTING: "one of three replicated shares: uniform words; plans and padded sizes",
    Role.RESULT: "released results",
}


def dpia(facts: Facts) -> str:
    """Return the assessment as Markdown."""
    return document(f"Data protection impact assessment: {facts.terms.room.name}", _parts(facts))


def _parts(facts: Facts) -> Iterator[tuple[str, str]]:
    yield "", plain(facts.source)
    yield "1. Why an assessment is needed", blank("what makes a high risk to persons likely here")
    yield "2. The processing: purpose", bullets(_purpose(facts))
    yield "3. The processing: parties", _parties(facts)
    for name, of in facts.terms.tables.items():
        yield f"4. The processing: table {code(name)}", _table(facts, name, of)
    yield "5. The processing: signed queries and models", bullets(_offers(facts))
    yield "6. Consultation", blank("whose views were sought, of persons concerned too, or why not")
    yield "7. Necessity and proportionality", bullets(_necessity(facts))
    yield "8. Measures: how results are released", bullets(_released(facts))
    yield "9. Measures: privacy budgets", releases.budgets(facts)
    yield "10. What was run", releases.ran(facts)
    yield "11. Measures: techniques", _techniques(facts)
    yield "12. Residual risks", _risks(facts)
    for card in facts.cards:
        yield f"Card {card.name}: {card.title}", _card(card)
    yield "13. Sign-off", bullets(_sign_off())


def _purpose(facts: Facts) -> Iterator[str]:
    room = facts.terms.room
    yield f"purpose: {plain(room.purpose)}"
    for name, meaning in room.purposes.items():
        yield f"purpose {code(name)}: {plain(meaning)}"
    yield f"lawful basis: {plain(room.lawful_basis)}"
    yield f"retention: {room.retention_days} days"
    yield f"the contract expires on {room.expires}"
    yield f"categories of persons: {blank('whose data these are')}"


def _parties(facts: Facts) -> str:
    rows = []
    for name, member in facts.terms.members.items():
        acts_as = member.acts_as or blank("controller, joint controller or processor")
        sees = "; ".join(_SEES[role] for role in member.roles)
        rows.append((code(name), ", ".join(member.roles), acts_as, sees))
    sees = "who asks what and when, sizes; ciphertexts and masked sums without keys"
    rows.append(("the coordinator", "relay", blank("its legal role"), sees))
    return table(("party", "roles", "acts as", "sees"), rows)


def _table(facts: Facts, name: str, of: TableTerms) -> str:
    owners = ", ".join(code(owner) for owner in facts.terms.owners(name))
    most = f"at most {of.max_rows_per_person}" if of.max_rows_per_person else "any number of"
    at = f"at most {of.owners_per_person}" if of.owners_per_person else "any of the"
    about = bullets(
        (
            f"rows of {owners}, at most {of.max_rows} of each",
            f"a person is one {code(of.person)}, with {most} rows at one owner, at {at} owners",
            f"recipients may be told before they ask: {', '.join(of.profile) or 'nothing'}",
        )
    )
    rows = [_column(column, terms) for column, terms in of.columns.items()]
    head = ("column", "type", "values", "special category", "recipient may use it for")
    return f"{about}\n\n{table(head, rows)}"


def _column(name: str, terms: ColumnTerms) -> tuple[str, ...]:
    granted = [
        f"{code(recipient)}{f' for {code(purpose)}' if purpose else ''}: {', '.join(rights)}"
        for recipient, purpose, rights in terms.granted()
        if rights
    ]
    special = "yes" if terms.special_category else "no"
    return code(name), terms.type, _values(terms), special, "; ".join(granted) or "nothing"


def _values(terms: ColumnTerms) -> str:
    missing = ", may be missing" if terms.nullable else ""
    if terms.values is not None:
        return f"{len(terms.values)} declared values{missing}"
    if terms.bounds is not None:
        low, high = terms.bounds
        return f"{plain(low)} to {plain(high)}{missing}"
    return f"up to {terms.max_bytes} bytes{missing}" if terms.max_bytes else f"any{missing}"


def _offers(facts: Facts) -> Iterator[str]:
    for name, gate in facts.terms.gates.items():
        to = ", ".join(code(recipient) for recipient in gate.to) or "nobody"
        own = ", and each owner of matching rows" if gate.owners else ""
        how = f"at most {gate.max_rows} rows, {gate.per_day} times a day"
        yield f"gate {code(name)}, {how}, to {to}{own}: {plain(gate.sql)}"
    for name, of in facts.terms.propagations.items():
        to = ", ".join(code(recipient) for recipient in of.to)
        how = f"up to {of.max_rounds} rounds, {of.per_day} times a day, to {to}, each of its own"
        yield f"propagation {code(name)} along {code(of.payments)}, {how}"
    for name, linkage in facts.terms.linkages.items():
        to = ", ".join(code(recipient) for recipient in linkage.to)
        sides = f"{code(linkage.left)} and {code(linkage.right)}"
        yield f"linkage {code(name)} of persons of {sides} by {linkage.rungs} rungs, for {to}"
    for name, template in facts.terms.templates.items():
        to = ", ".join(code(recipient) for recipient in template.recipients)
        yield f"template {code(name)} for {to}: {plain(template.sql)}"
    for name, model in facts.terms.models.items():
        who = ", ".join(f"{code(a)} its {', '.join(map(code, t))}" for a, t in model.scores.items())
        yield f"model {code(name)} of {model.kind} form; may have scored: {who or 'nobody'}"


def _necessity(facts: Facts) -> Iterator[str]:
    yield "columns that the contract doesn't name never leave their owner's loader"
    yield "deny by default: a use of a column without its right is refused by each owner's process"
    for name, column in facts.unused():
        yield f"{code(name)}.{code(column)}: nobody may use it; ask whether it has to be there"
    yield blank("why the purpose can't be reached with fewer columns, persons or recipients")
    yield blank("how persons are told, and how they exercise their rights")


def _released(facts: Facts) -> Iterator[str]:
    yield from releases.rules(facts.terms)
    for key, value in facts.own_policy.items():
        yield f"{code(facts.member)} is stricter than the contract: {plain(key)} = {plain(value)}"


def _techniques(facts: Facts) -> str:
    rows = [(code(c.name), c.title, c.technique.value, c.maturity.value) for c in facts.cards]
    return table(("card", "what", "technology", "maturity"), rows)


def _risks(facts: Facts) -> str:
    judged = (blank("likelihood"), blank("severity"), blank("measure, and who answers for it"))
    rows = []
    for card in facts.cards:
        risks = (("endpoint", card.endpoint), ("metadata", card.metadata))
        for kind, risk in (*risks, ("inference", card.inference)):
            rows.append((code(card.name), kind, plain(risk), *judged))
    return table(("card", "risk", "what is left", "likelihood", "severity", "measure"), rows)


def _card(card: Card) -> str:
    said = (
        *(f"assumes: {plain(line)}" for line in card.assumes),
        *(f"who must be honest: {plain(line)}" for line in card.honest),
        *(f"leaks: {plain(line)}" for line in card.leaks),
        *(f"not covered: {plain(line)}" for line in card.not_covered),
    )
    return f"{plain(card.does)}\n\n{bullets(said)}"


def _sign_off() -> Iterator[str]:
    yield blank("advice of the data protection officer, and whether it was followed")
    yield blank("whether the supervisory authority has to be consulted first")
    yield blank("who accepts the residual risks, and when this is reviewed")
