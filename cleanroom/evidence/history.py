"""What a log tells of a member's past: how often what was asked, done and refused."""

from collections import Counter
from collections.abc import Iterable

from cleanroom.audit.record import Kind, Record
from cleanroom.evidence.facts import Ran


def ran(records: Iterable[Record]) -> tuple[Ran, ...]:
    """Count a log's sessions by kind, recipient and purpose, and refusals by their codes."""
    done: dict[tuple[str, str, str], set[str]] = {}
    refused: dict[tuple[str, str, str], Counter[str]] = {}
    for record in records:
        if record.protocol is None or record.who is None:
            continue
        key = (record.protocol, record.who, record.purpose or "")
        sessions, codes = done.setdefault(key, set()), refused.setdefault(key, Counter())
        if record.kind in (Kind.FINISHED, Kind.RECEIVED) and record.session is not None:
            sessions.add(record.session)
        elif record.kind is Kind.FAILED or record.accepted is False:
            codes.update(record.codes or ())
    return tuple(Ran(*key, len(done[key]), refused[key]) for key in sorted(done))
