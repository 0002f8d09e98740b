"""A room as one of its members holds it in Python: the queries that the contract offers.

Rule: what a caller may call.
"""

from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Any

from cleanroom.plan.plan import Protocol
from cleanroom.recipient.client import DEADLINE_S
from cleanroom.recipient.queries import Manner, Query
from cleanroom.recipient.result import Result
from cleanroom.recipient.standing import Standing

if TYPE_CHECKING:
    import pandas as pd

    from cleanroom.recipient.explanation import Explanation


class Templates(Standing):
    """Queries that every member approved when it signed the contract."""

    def template(
        self,
        name: str,
        values: Mapping[str, Any] | None = None,
        /,
        *,
        private: Mapping[str, Any] | None = None,
        protocol: Protocol | None = None,
        without: Collection[str] = (),
        purpose: str = "",
        epsilon: float | None = None,
        min_group: int = 1,
        fresh: bool = False,
        deadline_s: int = DEADLINE_S,
        on_progress: Callable[[str, str], None] | None = None,
        **parameters: Any,
    ) -> Result:
        """Run one of the contract's templates: `room.template("by_month", month=3)`.

        Args:
            values: of parameters whose names are those of the arguments below.
            private: of the private parameters in the template's query, if it has some; all
                members see `values` and `parameters`, nobody sees these.
            protocol, without, purpose, epsilon, min_group, fresh, deadline_s, on_progress: as in
                `sql`.

        Raises:
            TemplateRefused: naming the template or parameter, and what it may be.
            CleanroomError: as `sql`.
        """
        manner = Manner(protocol, without, purpose, epsilon, min_group)
        query = self._query(name, {**(values or {}), **parameters}, manner)
        return query.ask(private, deadline_s, on_progress, fresh=fresh)

    def explain_template(
        self,
        name: str,
        values: Mapping[str, Any] | None = None,
        /,
        *,
        protocol: Protocol | None = None,
        without: Collection[str] = (),
        purpose: str = "",
        epsilon: float | None = None,
        min_group: int = 1,
        offline: bool = False,
        **parameters: Any,
    ) -> "Explanation":
        """Return who would learn what from a template, and how each member rules on it.

        Raises:
            TemplateRefused, UnsupportedQuery, UnknownName, OverflowPossible: as the message says.
        """
        manner = Manner(protocol, without, purpose, epsilon, min_group)
        query = self._query(name, {**(values or {}), **parameters}, manner)
        return query.explain(offline=offline)

    def templates(self) -> "pd.DataFrame":
        """Return a row for each template that this member may ask, with its parameters."""
        import pandas as pd

        rows = [
            {
                "template": name,
                "parameters": ", ".join(f"{p} {of}" for p, of in template.parameters.items()),
                "sql": template.sql.strip(),
            }
            for name, template in self.contract.terms.templates.items()
            if self._client.name in template.recipients
        ]
        return pd.DataFrame(rows, columns=["template", "parameters", "sql"])

    def _query(self, name: str, values: Mapping[str, Any], manner: Manner) -> Query:
        from cleanroom.sql.templates import filled, use_of

        use = use_of(name, values, self.contract.terms)
        return Query.of(self._client, filled(use, self.contract.terms), manner, use)
