"""Subqueries that aren't merged away: what each becomes below the query that it stands in."""

from collections.abc import Mapping

from sqlglot import exp

from cleanroom.contract.terms import Terms
from cleanroom.query.inner_rows import lower_rows
from cleanroom.query.inner_summands import are_tested, check_branches, check_inner, check_rows
from cleanroom.query.lower import lower_view
from cleanroom.query.placing import place
from cleanroom.query.sources import AS_PROVEN, Agreed
from cleanroom.query.unions import lower_union
from cleanroom.sql.bind import bind
from cleanroom.sql.inner_rows import bind_rows
from cleanroom.sql.scope import Nest
from cleanroom.sql.unions import branches
from cleanroom.sql.view import LocalView, View
from cleanroom.sql.windows import has_windows


def nest_of(terms: Terms, agreed: Agreed = AS_PROVEN) -> Nest:
    """Return what compiles a subquery that isn't merged away, however deep it stands."""
    tested = are_tested(terms)

    def nest(
        select: exp.Select | exp.SetOperation, ctes: Mapping[str, exp.CTE]
    ) -> View | LocalView:
        if isinstance(select, exp.SetOperation):
            parts = [bind_rows(branch, terms, nest, ctes).query for branch in branches(select)]
            if tested:
                check_branches(parts)
            return lower_union([(p, place(p, agreed)) for p in parts], terms.privacy.min_group)
        if has_windows(select):
            rows = bind_rows(select, terms, nest, ctes)
            if tested:
                check_rows(rows)
            return lower_rows(rows, place(rows.query, agreed), terms.privacy.min_group)
        query = bind(select, terms, nest, ctes)
        if tested:
            check_inner(query)
        return lower_view(query, place(query, agreed), terms.privacy.min_group)

    return nest
