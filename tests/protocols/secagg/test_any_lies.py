"""Whatever a server asks of whom in which order, with the help of two members: what it can open.

The server holds all signatures and shares of its helpers, and every reply of the five honest
members of seven. It can open a secret of which it has `threshold` shares.
"""

from contextlib import suppress
from dataclasses import dataclass, field
from itertools import combinations

from hypothesis import example, given, settings
from hypothesis import strategies as st
from secure_sums import Sums, sums

from protocols.secagg import deals, messages
from protocols.secagg.errors import Misbehaved
from protocols.secagg.messages import HEAD_BYTES, SIGNATURE_BYTES, Kind

N, THRESHOLD, HELPERS = 7, 5, ("m000", "m001")  # 2 * 5 - 7 = 3 helpers would be too many
NAMES = tuple(f"m{i:03d}" for i in range(N))
HONEST = NAMES[len(HELPERS) :]
LEFT_OUT = [set(some) for size in (0, 1, 2) for some in combinations(HONEST, size)]
GROUPS = [tuple(name for name in NAMES if name not in some) for some in LEFT_OUT]
QUESTION = b"q"


@dataclass
class Liar:
    """Counts the shares that honest members gave away, of each member's two secrets."""

    session: Sums = field(default_factory=lambda: sums(N, THRESHOLD, 1))
    signed: dict[tuple[int, int], dict[str, bytes]] = field(default_factory=dict)
    asked: dict[str, int] = field(default_factory=dict)
    own: dict[str, set[str]] = field(default_factory=lambda: {n: set() for n in NAMES})
    recovery: dict[str, set[str]] = field(default_factory=lambda: {n: set() for n in NAMES})

    def __post_init__(self) -> None:
        deal = messages.head(Kind.DEAL, 1)
        roster = self.session.roster
        self.dealt = {
            name: deals.Deal(roster, name, self.session.reply(name, deal)[HEAD_BYTES:])
            for name in NAMES
        }
        for place, participants in enumerate(GROUPS):
            what = roster.asked(1, participants, QUESTION)
            for other, survivors in enumerate(GROUPS):
                statement = roster.statement(what, survivors)
                self.signed[place, other] = {
                    name: self.session.members[name].sign(statement)
                    for name in HELPERS
                    if name in survivors
                }

    def act(self, kind: Kind, name: str, group: int) -> None:
        roster = self.session.roster
        head = messages.head(kind, 1) + roster.flags(GROUPS[group])
        if kind == Kind.ASK:
            reply = self.session.reply(name, head + QUESTION)
            self.asked[name] = group
            end = len(reply) - deals.deal_bytes(roster)
            self.signed[group, group][name] = reply[end - SIGNATURE_BYTES : end]
            return
        asked = self.asked.get(name, 0)
        if kind == Kind.SIGN:
            reply = self.session.reply(name, head)
            self.signed[asked, group][name] = reply[HEAD_BYTES:]
            return
        held = self.signed[asked, group]
        missing = [n for n in GROUPS[group] if n not in held][: max(0, THRESHOLD - len(held))]
        held = held | dict.fromkeys(missing, bytes(SIGNATURE_BYTES))
        signatures = [held[n] for n in NAMES if n in held]
        sealed = [self.dealt[dealer].sealed(name) for dealer in GROUPS[asked]]
        self.session.reply(name, b"".join([head, roster.flags(held), *signatures, *sealed]))
        for dealer in GROUPS[asked]:
            given_away = self.own if dealer in GROUPS[group] else self.recovery
            given_away[dealer].add(name)

    def opened(self, shares: dict[str, set[str]]) -> set[str]:
        """Return whose secret has enough shares, with those of the helpers."""
        return {name for name in NAMES if len(shares[name] | set(HELPERS)) >= THRESHOLD}


TARGETS = st.lists(st.integers(0, len(GROUPS) - 1), min_size=5, max_size=5)
FLAGS = st.lists(st.booleans(), min_size=5, max_size=5)


# Three members that each get out by three votes, though nobody leaves out more than two.
SCATTERED = [
    LEFT_OUT.index({f"m00{digit}" for digit in pair}) for pair in ("45", "46", "56", "46", "45")
]
AGAINST_ONE = [LEFT_OUT.index({"m006"})] * 4 + [0]


@settings(max_examples=60, deadline=None)
@example(SCATTERED, [False] * 5, True, False)
@example(SCATTERED, [False] * 5, False, False)
@example(AGAINST_ONE, [True] * 5, False, False)
@given(TARGETS, FLAGS, st.booleans(), st.booleans())
def test_never_both_secrets_of_one_and_never_a_sum_over_too_few(
    targets: list[int], full_first: list[bool], own_last: bool, one_left_out: bool
) -> None:
    """Each member is to help with the list that the server picked for it, or with the full one."""
    liar, wanted = Liar(), dict(zip(HONEST, targets, strict=True))
    steps = [(Kind.ASK, name, int(one_left_out)) for name in HONEST[one_left_out:]]
    steps += [
        (Kind.UNMASK, n, int(one_left_out))
        for n, now in zip(HONEST, full_first, strict=True)
        if now
    ]
    for name, target in wanted.items():
        others = [group for group in targets if group != target]
        signed = [*others, target] if own_last else [target, *others]
        steps += [(Kind.SIGN, name, group) for group in signed]
    steps += [(Kind.UNMASK, name, target) for name, target in wanted.items()]
    steps += [(Kind.UNMASK, name, 0) for name in HONEST]
    for step in steps:
        with suppress(Misbehaved):
            liar.act(*step)
    stayed, gone = liar.opened(liar.own), liar.opened(liar.recovery)
    assert not stayed & gone
    assert not stayed or len(stayed) >= THRESHOLD or len(stayed | gone) < N - one_left_out


def test_the_server_above_can_open_an_honest_sum() -> None:
    """Else the test above would prove nothing."""
    liar = Liar()
    survivors = GROUPS[1]
    for name in HONEST:
        liar.act(Kind.ASK, name, 0)
    for kind in (Kind.SIGN, Kind.UNMASK):
        for name in HONEST:
            if name in survivors:
                liar.act(kind, name, 1)
    assert liar.opened(liar.own) == set(survivors)
    assert liar.opened(liar.recovery) == {"m002"}
