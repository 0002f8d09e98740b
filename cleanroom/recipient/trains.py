"""A room as one of its members holds it in Python: what it may have trained.

Rule: what a caller may call. The calls behind it are the client's.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from cleanroom.recipient.asking import Progress
from cleanroom.recipient.client import TRAINING_DEADLINE_S
from cleanroom.recipient.standing import Standing

if TYPE_CHECKING:
    from cleanroom.recipient.course import OnRound
    from cleanroom.recipient.explanation import Explanation
    from cleanroom.recipient.joined_job import Given
    from cleanroom.recipient.trained import Trained


class Trains(Standing):
    """Models of all owners' rows."""

    def explain_training(self, job: "Given", *, offline: bool = False) -> "Explanation":
        """Return who would learn what from a training, at which cost, and how each member rules.

        Owners compile and rule, and stop there: nothing is read, charged or computed.

        Args:
            offline: ask nobody; so it is, too, if the coordinator can't be reached.

        Raises:
            ConfigInvalid, UnknownName, UnsupportedQuery, TrainingImpossible: as the message says.
        """
        from cleanroom.plan.sheet_of_training import sheet_of_training
        from cleanroom.recipient import joined_job, learning

        client, asked = self._client, joined_job.job_of(job)
        if isinstance(asked, joined_job.JoinedJob):
            return joined_job.explained(client, asked, offline=offline)
        plan = learning.explained(client, asked)
        sheet = sheet_of_training(plan, self.contract.terms)
        return client.explained(plan, sheet, offline=offline)

    def train(
        self,
        job: "Given",
        *,
        folder: Path | str | None = None,
        resume: bool = False,
        deadline_s: int = TRAINING_DEADLINE_S,
        on_progress: Callable[[str, str], None] | None = None,
        on_round: "OnRound | None" = None,
    ) -> "Trained":
        """Train a model on all owners' rows, which stay where they are.

        Every step's sums over all owners are opened to this member, and nothing of one owner. A
        model of kind joined_linear or joined_logistic is fitted on rows that owners join on secret
        shares: the coefficients alone are opened, no round is told, and none can be gone on from.

        Args:
            job: path of a TOML file, or a dict of the same shape.
            folder: where the training can go on from after a crash of any process, as far as
                its last finished round; private to this user.
            resume: go on from what the folder holds of the same job and contract, if anything.
            deadline_s: whole seconds until the session is given up everywhere, at most a day.
            on_progress: called on another thread with (stage, member).
            on_round: called on another thread with a round that ended, and its loss and metrics.

        Raises:
            PolicyDenied: naming every rule of the contract that forbids it.
            TrainingImpossible: naming why these rows determine no such model.
            PeerUnavailable: naming who left, if too few owners stayed.
            CleanroomError: as `sql`.
        """
        from cleanroom.recipient import joined_job, learning

        client, asked = self._client, joined_job.job_of(job)
        progress: Progress = on_progress or (lambda _stage, _member: None)
        where = None if folder is None else Path(folder)
        watch = on_round or (lambda _round, _report: None)
        if isinstance(asked, joined_job.JoinedJob):
            return joined_job.train(client, asked, where, progress, deadline_s, resume=resume)
        return learning.train(client, asked, where, watch, progress, deadline_s, resume=resume)
