"""A room as one of its members holds it in Python: fits of joined rows, and scores.

Rule: what a caller may call. The calls behind it are the client's.
"""

from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING

from cleanroom.errors import OverflowPossible, UnsupportedQuery
from cleanroom.plan.grouping import ITERATIONS, FitKind
from cleanroom.plan.plan import Protocol
from cleanroom.recipient.asking import Progress
from cleanroom.recipient.client import DEADLINE_S
from cleanroom.recipient.queries import Manner, Query
from cleanroom.recipient.regression import Model, Regression
from cleanroom.recipient.result import Result
from cleanroom.recipient.trains import Trains

if TYPE_CHECKING:
    from cleanroom.recipient.explanation import Explanation
    from cleanroom.recipient.joined import JoinedModel


class Fits(Trains):
    """Regressions of one query's sums or of joined rows, and scores under others' models."""

    def linear_regression(
        self,
        table: str,
        target: str,
        features: Sequence[str],
        *,
        where: str | None = None,
        protocol: Protocol | None = None,
        without: Collection[str] = (),
        purpose: str = "",
        deadline_s: int = DEADLINE_S,
        on_progress: Callable[[str, str], None] | None = None,
    ) -> Regression:
        """Fit `target` as a linear function of `features` over all owners' rows of a table.

        Rows with NULL in one of these columns are left out.

        Args:
            features: numbers, BOOLEAN, and TEXT with declared values, each of which but the first
                gets a coefficient of its own.
            where: an SQL condition on the table's rows.
            protocol, without, purpose, deadline_s, on_progress: as in `sql`.

        Raises:
            CleanroomError: as `sql`; UnsupportedQuery also if features depend on each other.
        """
        if self.contract.terms.privacy.release == "dp":
            remedy = "Train a model of kind 'private_linear'."
            raise UnsupportedQuery("a regression from noisy sums", remedy=remedy)
        model = Model.of(self.contract.terms, table, target, features)
        try:
            text = model.sql(where)
            query = Query.of(self._client, text, Manner(protocol, without=without, purpose=purpose))
            found = query.ask(None, deadline_s, on_progress)
        except OverflowPossible as error:
            raise model.overflow(error) from None
        return model.fitted(found)

    def explain_train_joined(
        self,
        sql: str,
        *,
        target: str,
        model: FitKind = "logistic",
        iterations: int = ITERATIONS,
        l2: float = 1.0,
        purpose: str = "",
        offline: bool = False,
    ) -> "Explanation":
        """Return who would learn what from `train_joined`, at which cost, and all rulings on it.

        Args:
            offline: as in `explain`.

        Raises:
            UnsupportedQuery, UnknownName, OverflowPossible: as the message says.
        """
        from cleanroom.sql.fitting import statement

        text = statement(sql, target, model, iterations, l2)
        query = Query.of(self._client, text, Manner("mpc", purpose=purpose))
        return query.explain(offline=offline)

    def train_joined(
        self,
        sql: str,
        *,
        target: str,
        model: FitKind = "logistic",
        iterations: int = ITERATIONS,
        l2: float = 1.0,
        purpose: str = "",
        deadline_s: int = DEADLINE_S,
        on_progress: Callable[[str, str], None] | None = None,
    ) -> "JoinedModel":
        """Fit a regression on rows that owners join in secret, each with its own columns.

        All is computed on secret shares. No row and no intermediate is opened, only the
        coefficients, and these only if min_group persons stand behind the joined rows.

        Args:
            sql: a SELECT of rows with a join between owners. Its columns are the features:
                numbers, BOOLEAN, and TEXT with declared values; none may be NULL.
            target: the column that is learnt: of a "logistic" model BOOLEAN or 0 and 1.
            iterations: from 1 to 500, fixed beforehand.
            l2: l2 / 2 times the squared coefficients of standardised features is added to the
                summed loss, as scikit-learn does with C = 1 / l2; from 0 to 1000.
            purpose: as in `sql`.

        Raises:
            PolicyDenied: naming every rule of the contract that forbids it.
            TrainingImpossible: if too few persons stand behind the joined rows.
            CleanroomError: as `sql`.
        """
        from cleanroom.recipient.joined import JoinedModel
        from cleanroom.sql.fitting import statement

        text = statement(sql, target, model, iterations, l2)
        query = Query.of(self._client, text, Manner("mpc", purpose=purpose))
        return JoinedModel.of(model, query.ask(None, deadline_s, on_progress))

    def explain_score(
        self, *, model: str, table: str, purpose: str = "", offline: bool = False
    ) -> "Explanation":
        """Return who would learn what from a scoring, at which cost, and its owner's ruling.

        The model's owner rules on it as if it were of one row; nothing is counted.

        Args:
            offline: as in `explain`.

        Raises:
            UnknownName, UnsupportedQuery: as the message says.
        """
        from cleanroom.plan.sheet_of_scoring import sheet_of_scoring

        plan = self._client.score_plan(model, table, purpose)
        sheet = sheet_of_scoring(plan, self.contract.terms)
        return self._client.explained(plan, sheet, offline=offline)

    def score(
        self,
        *,
        model: str,
        table: str,
        purpose: str = "",
        deadline_s: int = DEADLINE_S,
        on_progress: Callable[[str, str], None] | None = None,
    ) -> Result:
        """Score this member's own rows under another's model, which neither shows the other.

        The rows travel encrypted; the scores come to this member alone. A model's weights follow
        from the scores of one row more than it has features, so its owner limits how many rows
        it scores, and the contract says for whom.

        Args:
            model: of the contract, 'member.model'; table: one whose rows this member holds.
            purpose: as in `sql`.

        Returns:
            A row for each of the table's, in the file's order: the person column, and `score`.

        Raises:
            PolicyDenied: naming every rule of the contract that forbids it.
            CleanroomError: as `sql`.
        """
        progress: Progress = on_progress or (lambda _stage, _member: None)
        plan = self._client.score_plan(model, table, purpose)
        return Result(self._client.score(plan, deadline_s, progress))
