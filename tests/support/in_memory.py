"""A plan on shares or ciphertexts, all parties in this process: a room without a network."""

import hashlib
from collections.abc import Mapping

from ciphertexts import pair_secrets, summed

from cleanroom.execution import cells
from cleanroom.execution.compute import compute
from cleanroom.execution.contribute import Contribution, contribute
from cleanroom.execution.outcome import Opened, reconstruct
from cleanroom.plan.plan import Plan
from cleanroom.sources.database import Database
from protocols.dp.words import Words
from protocols.he.bfv import Encryptor, SecretKey
from protocols.he.contribution import contribute as encrypt
from protocols.he.contribution import totals
from protocols.he.parameters import parameters_of
from protocols.rounds import Party
from protocols.simulate import Transcript, contexts, simulate

SEAL = b"s" * 32


def run_on_shares(
    plan: Plan,
    databases: Mapping[str, Database],
    transcript: Transcript | None = None,
    noise: str = "",
) -> Opened:
    """Let every owner contribute and all parties compute; return what the recipient opens.

    Args:
        noise: that of a noisy plan follows from it.
    """
    parts: list[dict[int, Contribution]] = [{}, {}, {}]
    for owner, database in databases.items():
        for triple in contribute(plan, owner, database, b"k" * 16):
            for party in Party:
                parts[party][triple[party].leaf] = triple[party]
    seed = plan.hash.encode()
    words = [Words(hashlib.sha256(f"{noise}|{party}".encode()).digest()) for party in Party]
    steps = [compute(ctx, plan, parts[ctx.me], words[ctx.me]) for ctx in contexts(seed)]
    return reconstruct(plan, simulate(steps, transcript=transcript))


def run_on_ciphertexts(plan: Plan, databases: Mapping[str, Database]) -> Opened:
    """Let every owner encrypt its cells; return what the recipient opens of the sum."""
    key = SecretKey(parameters_of(plan.ciphertexts.parameters))
    reach = plan.ciphertexts.reach
    owners = [owner for owner in databases if owner in {leaf.member for leaf in plan.leaves}]
    parts = {}
    for owner, shared in pair_secrets(owners).items():
        numbers = cells.add_up(plan, owner, databases[owner], b"k" * 16)
        encryptor, bound = Encryptor(key.public), (owner, shared, plan.hash, SEAL)
        parts[owner] = list(encrypt(encryptor, numbers, reach, *bound))
    added = summed(parts, key.parameters)
    found = totals(key, added, plan.ciphertexts.numbers, reach, owners, plan.hash, SEAL)
    return cells.read(plan, found)
