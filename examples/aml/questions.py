"""What banks and the supervisor ask, and what makes a gate's row a bank's own on pooled rows.

Rule: the gates' texts are in the contract, which all signed; these are the free questions.
"""

from cleanroom import Bars, Grid
from examples.aml.world import BANKS

A, B, C = BANKS
OF_TWO = "COUNT(*) FILTER ('{}' IN ({}.member, {}.member)) > 0"
GATES = {  # of each gate who asks it here, and when a row is theirs
    "flagged": (BANKS, "COUNT(*) FILTER (member = '{}') > 0"),
    "fan_in": ((A,), OF_TWO.format("{}", "a", "b")),
    "fan_out": ((B,), OF_TWO.format("{}", "a", "b")),
    "through": ((C,), OF_TWO.format("{}", "i", "o")),
    "cycle_3": ((A,), "'{}' IN (a.member, b.member, c.member)"),
    "cycle_4": ((B,), "'{}' IN (a.member, b.member, c.member, d.member)"),
    "shared": ((C,), "c.member = '{}'"),
}
SUSPECTED, KNOWN, PAID = (
    "Suspicions by typology and corridor",
    "Flagged customers by how many banks flag them",
    "Payments by corridor",
)
COUNTS = {  # what the supervisor asks
    SUSPECTED: """\
SELECT typology, corridor, COUNT(*) AS reports, COUNT(DISTINCT customer) AS persons,
    SUM(amount) AS amount
FROM reports GROUP BY typology, corridor ORDER BY typology, corridor""",
    KNOWN: """\
SELECT banks, COUNT(*) AS customers
FROM (SELECT customer, COUNT(DISTINCT member) AS banks FROM flags GROUP BY customer) AS f
GROUP BY banks ORDER BY banks""",
    PAID: """\
SELECT corridor, COUNT(*) AS payments, SUM(amount) AS amount
FROM credits GROUP BY corridor ORDER BY corridor""",
}
CHARTS: dict[str, Bars | Grid] = {
    SUSPECTED: Grid("typology", "corridor", "reports"),
    KNOWN: Bars("banks", "customers"),
    PAID: Bars("corridor", "amount"),
}
