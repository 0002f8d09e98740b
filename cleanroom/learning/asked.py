"""What an owner is asked in one training, checked and answered as words: so often, so large.

Rule: the recipient's questions are data; whatever isn't a step of the plan is refused by naming
the recipient, and whatever is wrong with this owner's own numbers by naming the owner.
"""

from cleanroom.errors import CleanroomError, DataMismatch, MessageInvalid, PeerMisbehaved
from cleanroom.learning.answers import AnswerRefused, words_of
from cleanroom.learning.step import Closing, Owner, Step
from cleanroom.learning.wire import from_bytes
from cleanroom.plan.training import TrainPlan
from protocols.rounds import U64


class Asked:
    """Answers the steps of one training.

    Attributes:
        steps: how many were answered.
    """

    def __init__(self, plan: TrainPlan, me: str, owner: Owner) -> None:
        self._plan, self._me, self._owner = plan, me, owner
        self.steps = 0
        self._round = 1

    def words(self, question: bytes) -> U64:
        """Return this owner's summand, in words of fixed point.

        Raises:
            PeerMisbehaved: if the recipient asks for more, or other things, than was agreed.
            DataMismatch: if this owner's numbers can't enter a sum.
        """
        step = self._step(question)
        self.steps += 1
        try:
            answer = self._owner.answer(step)
            return words_of(step, answer, len(self._plan.owners))
        except AnswerRefused as error:
            what, remedy = f"its own numbers were refused: {error}", "Check its rows."
            raise DataMismatch(what, party=self._me, remedy=remedy) from None
        except CleanroomError as error:
            if not error.party:
                error.party = self._plan.recipient if _is_asked_wrongly(error) else self._me
            raise

    def close(self) -> None:
        """Give back what the owner holds: it is asked no more."""
        if isinstance(self._owner, Closing):
            self._owner.close()

    def _step(self, question: bytes) -> Step:
        recipient, plan = self._plan.recipient, self._plan
        if self.steps >= plan.max_steps:
            raise PeerMisbehaved(f"asks for more than {plan.max_steps} sums", party=recipient)
        try:
            step = from_bytes(question, plan.max_words)
        except MessageInvalid as error:
            raise PeerMisbehaved(f"asks {error.message}", party=recipient) from None
        if step.round > plan.max_rounds:
            raise PeerMisbehaved(f"asks for more than {plan.max_rounds} rounds", party=recipient)
        if step.round < self._round:
            raise PeerMisbehaved(f"goes back behind round {self._round}", party=recipient)
        self._round = step.round
        return step


def _is_asked_wrongly(error: CleanroomError) -> bool:
    return isinstance(error, MessageInvalid) or error.code == "step-refused"
