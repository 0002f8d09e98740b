"""What a recipient's calls stand on: plans of its own, and how they are run in the room.

Rule: everything that a `Room` needs of the network and of keys, and nothing that a caller reads.
"""

import datetime as dt
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from cleanroom.config import MemberConfig
from cleanroom.contract.document import Contract
from cleanroom.engine import Engine, Numbers, Violation, standard
from cleanroom.errors import (
    CleanroomError,
    ConfigInvalid,
    PolicyDenied,
    StateUnavailable,
    UnsupportedQuery,
)
from cleanroom.flower.apps import APPROVED
from cleanroom.plan.plan import Plan, Protocol
from cleanroom.plan.profile import ProfilePlan
from cleanroom.plan.question import Question
from cleanroom.plan.scoring import ScorePlan
from cleanroom.plan.training import TrainPlan
from cleanroom.policy.matter import Rows, Spent
from cleanroom.policy.own import NONE
from cleanroom.query.compile import with_min_group
from cleanroom.query.profile import compile_profile
from cleanroom.query.scoring import compile_scoring
from cleanroom.query.ways import Ways
from cleanroom.recipient.answers import Answer, TrainedModel
from cleanroom.recipient.asking import Asker, Progress
from cleanroom.recipient.loop import Loop
from cleanroom.recipient.own_rows import OwnRows
from cleanroom.recipient.remembering import Remembering
from cleanroom.recipient.stored import Stored
from cleanroom.session.member import Membership
from cleanroom.storage.kept_key import KeptKey
from cleanroom.storage.state import State

if TYPE_CHECKING:
    from cleanroom.execution.profile import Told
    from cleanroom.learning.job import Job
    from cleanroom.plan.sheet import Sheet
    from cleanroom.recipient.course import Course
    from cleanroom.recipient.explanation import Explanation
    from cleanroom.session.receipt import Receipt

T = TypeVar("T")
M = TypeVar("M")
DEADLINE_S = 600
TRAINING_DEADLINE_S = 6 * 3600
MAX_DEADLINE_S = 86_400  # as long as a signed request may say


class Client:
    """A member that asks. Thread-safe; close it after use."""

    def __init__(
        self,
        member: Membership,
        engine: Engine | None = None,
        tables: Mapping[str, Path] | None = None,
        state: Callable[[], State] | None = None,
        opt_outs: Path | None = None,
    ) -> None:
        """Stand in a room as a member.

        Args:
            tables: this member's own rows, which are read when their scores are first asked for.
            state: opens what this member keeps; without, nothing is kept.
            opt_outs: this member's list of persons whose rows are in none of them.
        """
        days = member.contract.terms.room.retention_days
        self._stored = None if state is None else Stored(state, days)
        self._member = member
        self._state = state
        self._own_rows = OwnRows(member, tables or {}, state, opt_outs)
        self._engine = engine or standard()
        self._remembering = None if state is None else Remembering(state, member.name)
        keep = None if self._remembering is None else self._remembering.keep
        self._asker = Asker(member, self._engine, keep)
        self._loop = Loop(member.name)

    @classmethod
    def of(cls, config: Path | str) -> "Client":
        """Stand in the room that a client's TOML file names; no connection is made yet.

        Raises:
            ConfigInvalid, IdentityInvalid, ContractInvalid, NotAuthorised: naming what doesn't
                hold.
        """
        loaded = MemberConfig.load(config)
        APPROVED.add(loaded.apps)
        member = Membership.load(loaded.identity, loaded.contract)
        room = member.contract.terms.room.name

        def state() -> State:
            return State.open(loaded.state, loaded.keys, room)

        return cls(member, tables=loaded.tables, state=state, opt_outs=loaded.opt_outs)

    @property
    def name(self) -> str:
        return self._member.name

    @property
    def contract(self) -> Contract:
        return self._member.contract

    def ways(self, question: Question) -> Ways:
        """Return how a query may run, by either protocol, under a contract that still holds."""
        if not isinstance(question.sql, str):
            what = f"a query is a text, not a {type(question.sql).__name__}"
            raise UnsupportedQuery(what, remedy="Pass one SELECT statement as a str.")
        contract = self._member.contract
        contract.check(dt.datetime.now(dt.UTC).date())

        def compiled(protocol: Protocol) -> Plan:
            asked = replace(question, protocol=protocol)
            return self._engine.compile(asked, contract.terms, contract.hash)

        return Ways(compiled, with_min_group(contract.terms, question.min_group))

    def gate_plan(self, name: str, purpose: str = "") -> Plan:
        """Plan a gate under a contract that still holds.

        Raises:
            UnknownName: if the contract has no gate of this name.
            UnsupportedQuery: if it has no part for this member.
        """
        contract = self._member.contract
        contract.check(dt.datetime.now(dt.UTC).date())
        gate = contract.terms.gates.get(name)
        text = "" if gate is None else gate.sql
        question = Question(text, self.name, purpose=purpose, gate=name)
        return self._engine.compile(question, contract.terms, contract.hash)

    def explained(
        self, plan: Plan | ScorePlan | TrainPlan, sheet: "Sheet", *, offline: bool
    ) -> "Explanation":
        """Add to a sheet how every member rules on its plan; nothing is run or charged.

        Where the room can't be reached, or with `offline`, it is how the contract alone rules.
        """
        from cleanroom.recipient.explanation import Explanation

        why = None
        if not offline:
            try:
                return Explanation.of_rulings(sheet, self._run(self._asker.rehearse(plan)))
            except CleanroomError as error:
                why = error
        return Explanation.of_contract(sheet, self._ruled(plan), why)

    def allowed(self, found: Plan | CleanroomError) -> Plan | CleanroomError:
        """Return a plan that the contract allows, or why it isn't one."""
        if not isinstance(found, Plan) or not (refused := self._ruled(found)):
            return found
        return PolicyDenied(refused[0].message, remedy=refused[0].remedy)

    def _ruled(self, plan: Plan | ScorePlan | TrainPlan) -> Sequence[Violation]:
        terms, today = self._member.contract.terms, dt.datetime.now(dt.UTC).date()
        asked = Rows(plan, 1) if isinstance(plan, ScorePlan) else plan
        return self._engine.check(asked, terms, NONE, Spent(), today)

    def score_plan(self, model: str, table: str, purpose: str = "") -> ScorePlan:
        """Plan a scoring under a contract that still holds."""
        contract, me = self._member.contract, self._member.name
        contract.check(dt.datetime.now(dt.UTC).date())
        return compile_scoring(model, table, contract.terms, contract.hash, me, purpose)

    def ask(
        self,
        plan: Plan,
        deadline_s: int,
        progress: Progress,
        weights: Numbers | None,
        *,
        fresh: bool = False,
    ) -> Answer:
        """Run a query's plan in the room, or return what the same noisy question gave before.

        Args:
            fresh: run it in any case.
        """
        _check_deadline(deadline_s)
        if self._stored is None:
            return self._run(self._asker.ask(plan, deadline_s, progress, weights))
        kept = None if fresh else self._stored.find(plan)
        if kept is not None:
            return self._asker.again(plan, kept)
        answer = self._run(self._asker.ask(plan, deadline_s, progress, weights))
        self._stored.keep(plan, answer.columns, answer.receipt)
        return answer

    def score(self, plan: ScorePlan, deadline_s: int, progress: Progress) -> Answer:
        """Run a scoring's plan over this member's own rows."""
        _check_deadline(deadline_s)
        rows = self._own_rows.read(plan)
        return self._run(self._asker.score(plan, rows, deadline_s, progress))

    def profile_plan(self, table: str, purpose: str) -> ProfilePlan:
        """Plan a table's profile under a contract that still holds."""
        contract, me = self._member.contract, self._member.name
        contract.check(dt.datetime.now(dt.UTC).date())
        return compile_profile(table, contract.terms, contract.hash, me, purpose)

    def profile(
        self, plan: ProfilePlan, deadline_s: int, progress: Progress
    ) -> "tuple[dict[str, Told], Receipt]":
        """Have the owners of a table tell what they may."""
        _check_deadline(deadline_s)
        return self._run(self._asker.profile(plan, deadline_s, progress))

    def train_plan(self, job: "Job") -> TrainPlan:
        """Plan a training under a contract that still holds."""
        from cleanroom.query.training import compile_training

        contract, me = self._member.contract, self._member.name
        contract.check(dt.datetime.now(dt.UTC).date())
        return compile_training(job, contract.terms, contract.hash, me)

    def train(
        self, plan: TrainPlan, course: "Course[M]", deadline_s: int, progress: Progress
    ) -> TrainedModel[M]:
        """Run a training's plan in the room."""
        _check_deadline(deadline_s)
        return self._run(self._asker.train(plan, course, deadline_s, progress))

    def kept_key(self, name: str, about: tuple[str, ...]) -> KeptKey:
        """Return the key of a file that tells of some of the contract's tables.

        Raises:
            StateUnavailable: if this client keeps nothing.
        """
        if self._state is None:
            raise StateUnavailable("this client keeps no state", party=self.name)
        return KeptKey(self._state, name, about)

    def online(self) -> tuple[str, ...]:
        """Return who attends the room."""
        return self._run(self._asker.online())

    def close(self) -> None:
        """End whatever runs and release the thread."""
        if self._loop.closed:
            return
        if self._stored is not None:
            self._stored.close()
        self._loop.close()
        if self._remembering is not None:
            self._remembering.close()

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return self._loop.run(work)


def _check_deadline(deadline_s: int) -> None:
    if type(deadline_s) is not int or not 1 <= deadline_s <= MAX_DEADLINE_S:
        what = f"deadline_s: whole seconds from 1 to {MAX_DEADLINE_S}"
        raise ConfigInvalid(what, remedy="Ask with such a deadline.")
