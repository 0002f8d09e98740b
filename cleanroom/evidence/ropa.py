"""One member's record of processing activities in a room: the fields of GDPR, Article 30."""

from collections.abc import Iterator

from cleanroom.contract.columns import TableTerms
from cleanroom.evidence import releases
from cleanroom.evidence.facts import Facts
from cleanroom.evidence.markdown import blank, bullets, code, document, plain


def ropa(facts: Facts) -> str:
    """Return the record as Markdown.

    Args:
        facts: with the member whose record it is.
    """
    title = f"Record of processing activities of {facts.member}: room {facts.terms.room.name}"
    return document(title, _parts(facts))


def _parts(facts: Facts) -> Iterator[tuple[str, str]]:
    room = facts.terms.room
    yield "", plain(facts.source)
    yield "Names and contacts", bullets(_contacts(facts))
    yield "Purposes", bullets(_purposes(facts))
    yield "Categories of persons", blank("whose data these are")
    yield "Categories of personal data", bullets(_data(facts))
    yield "Recipients", bullets(_recipients(facts))
    yield (
        "Transfers to third countries or international organisations",
        blank("which, and with what safeguards, or that there are none"),
    )
    yield "Time limits for erasure", f"The contract says {room.retention_days} days."
    yield "Security measures", bullets((*_measures(facts), *releases.rules(facts.terms)))


def _contacts(facts: Facts) -> Iterator[str]:
    for name, member in facts.terms.members.items():
        acts_as = member.acts_as or blank("controller, joint controller or processor")
        who = "this record's" if name == facts.member else "another"
        yield f"{code(name)}, {who} member, {acts_as}: {blank('full name and contact details')}"
    yield f"representative: {blank('name and contact details, or that there is none')}"
    yield f"data protection officer: {blank('name and contact details')}"


def _purposes(facts: Facts) -> Iterator[str]:
    room = facts.terms.room
    yield plain(room.purpose)
    for name, meaning in room.purposes.items():
        yield f"{code(name)}: {plain(meaning)}"
    yield f"lawful basis: {plain(room.lawful_basis)}"
    terms = facts.terms.members.get(facts.member)
    if terms is not None and terms.acts_as == "processor":
        others = [n for n, m in facts.terms.members.items() if "controller" in (m.acts_as or "")]
        yield f"on behalf of: {', '.join(map(code, others)) or blank('which controllers')}"


def _data(facts: Facts) -> Iterator[str]:
    """Name what this member holds, or what it receives shares or results of."""
    own = set(facts.terms.tables_of(facts.member))
    for name, table in facts.terms.tables.items():
        how = "own rows" if name in own else "only shares, ciphertexts, masked sums or results"
        yield f"{code(name)} ({how}): {_columns(table)}"


def _columns(table: TableTerms) -> str:
    return ", ".join(
        f"{code(name)}{' (special category)' if terms.special_category else ''}"
        for name, terms in table.columns.items()
    )


def _recipients(facts: Facts) -> Iterator[str]:
    yield from (f"{code(name)}: released results" for name in facts.recipients)
    for name in facts.terms.computing:
        yield f"{code(name)}: one of three secret shares"
    yield "the coordinator: who asks what and when; no row, share or key"


def _measures(facts: Facts) -> Iterator[str]:
    yield (
        "channels: TLS 1.3 with mutual authentication against the certificates that the signed "
        "contract pins"
    )
    yield "every request, ruling and report is signed (Ed25519) and bound to this contract"
    yield "each owner's own process rules on every plan, and refuses by default"
    yield (
        "what a process keeps between sessions is sealed (AES-256-GCM) under a key that its owner "
        "alone may read"
    )
    alike: dict[str, list[str]] = {}
    for card in facts.cards:
        alike.setdefault(card.does, []).append(code(card.name))
    yield from (f"{', '.join(names)}: {plain(does)}" for does, names in alike.items())
