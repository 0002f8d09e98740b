"""The side of a model's owner in a scoring: encrypted columns in, encrypted scores out.

Rule: weights stay in this process, and what leaves it is flooded with noise, authenticated and
encrypted for the recipient.
"""

import asyncio
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cleanroom.errors import InternalError, PeerMisbehaved, PlanMismatch
from cleanroom.identity.exchange import Exchange
from cleanroom.party.outward import Outward
from cleanroom.party.run import Run
from cleanroom.party.weights import Weights
from cleanroom.plan.scoring import ScorePlan
from cleanroom.query.scoring import compile_scoring
from cleanroom.session.about import Scoring
from cleanroom.session.conversation import Conversation, Names, binding_of
from cleanroom.session.digest import Digest
from cleanroom.session.statements import Request
from cleanroom.transport.channel import Outgoing
from protocols.he.parameters import parameters_of

if TYPE_CHECKING:
    from protocols.he.score import Block, Model

COINS_BYTES = 32


@dataclass
class ScoreRun(Run):
    """One scoring at the model's owner.

    Attributes:
        exchange: this member's key of the session.
    """

    plan: ScorePlan
    scoring: Scoring
    exchange: Exchange


@dataclass
class Answering:
    """A member's part in scorings under its models.

    Attributes:
        weights: its models by name.
    """

    out: Outward
    weights: Mapping[str, Weights]

    def begin(self, request: Request, scoring: Scoring) -> ScoreRun:
        """Plan the request for ourselves.

        Raises:
            PlanMismatch: if the plan or its members aren't those that were signed.
            UnknownName, UnsupportedQuery: if there is no plan.
        """
        plan = self._compile(request, scoring)
        return ScoreRun(self.out.member, request, plan, scoring, Exchange())

    def _compile(self, request: Request, scoring: Scoring) -> ScorePlan:
        contract, me = self.out.member.contract, self.out.member.name
        asked = request.recipient, request.purpose
        plan = compile_scoring(scoring.model, scoring.table, contract.terms, contract.hash, *asked)
        told = request.plan_hash, request.members, request.sql, request.encryption
        if told != (plan.hash, (plan.owner,), plan.text, None) or plan.owner != me:
            raise PlanMismatch("compiled another plan than the client", party=me)
        return plan

    async def play(self, run: ScoreRun) -> None:
        """Answer every block of the recipient's rows."""
        started = time.monotonic()
        await self.out.stage(run.id, "scoring")
        async with self.out.conversing(run) as call:
            answered = await self._answer(run, call)
        sent, rows = answered.hexdigest(), run.scoring.rows
        await self.out.finished(
            run, "scoring", sent, rows=rows, bytes_sent=answered.n_bytes, started=started
        )

    async def _answer(self, run: ScoreRun, call: Outgoing) -> Digest:
        from protocols.he.score import BLOCK, Block, Model

        recipient, plan, rows = run.request.recipient, run.plan, run.scoring.rows
        binding = binding_of(run.request, run.exchange.public)
        names = Names(recipient, run.scoring.exchange)
        talk = Conversation(call, names, run.exchange, binding)
        weights = self.weights[plan.model]
        model = Model(weights.units, weights.intercept)
        most = parameters_of(plan.parameters).max_bytes
        bounds = tuple(max(feature.reach, 1) for feature in plan.features)
        digest = Digest(binding)
        for index, start in enumerate(range(0, rows, BLOCK)):
            parts = tuple([await talk.receive(most) for _ in plan.features])
            block = Block(index, min(BLOCK, rows - start), bounds, parts)
            answer = await asyncio.to_thread(self._score, block, model, binding, recipient)
            digest.add(answer)
            await talk.send(answer)
        return digest

    def _score(self, block: "Block", model: "Model", binding: str, recipient: str) -> bytes:
        from protocols.he.integers import SumOutOfRange
        from protocols.he.scheme import CiphertextRefused
        from protocols.he.score import score

        try:
            return score(block, model, binding, secrets.token_bytes(COINS_BYTES))
        except CiphertextRefused as error:
            what = f"what it encrypted is refused: {error}"
            raise PeerMisbehaved(what, party=recipient) from None
        except SumOutOfRange:  # its text tells of the weights
            raise InternalError("its model isn't exact", party=self.out.member.name) from None
