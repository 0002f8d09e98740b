"""A plan on shares with all three parties in this process: what a room does, without a network."""

from collections.abc import Mapping

from cleanroom.execution.compute import compute
from cleanroom.execution.contribute import Contribution, contribute
from cleanroom.execution.outcome import Opened, reconstruct
from cleanroom.plan.plan import Plan
from cleanroom.sources.database import Database
from protocols.rounds import Party
from protocols.simulate import Transcript, contexts, simulate


def run_on_shares(
    plan: Plan, databases: Mapping[str, Database], transcript: Transcript | None = None
) -> Opened:
    """Let every owner contribute and all parties compute; return what the recipient opens."""
    parts: list[dict[int, Contribution]] = [{}, {}, {}]
    for owner, database in databases.items():
        for triple in contribute(plan, owner, database, b"k" * 16):
            for party in Party:
                parts[party][triple[party].leaf] = triple[party]
    seed = plan.hash.encode()
    steps = [compute(ctx, plan, parts[ctx.me]) for ctx in contexts(seed)]
    return reconstruct(plan, simulate(steps, transcript=transcript))
