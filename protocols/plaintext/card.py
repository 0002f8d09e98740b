"""The card of `protocols.plaintext`."""

from protocols.card import Card, Maturity, Technique

CARD = Card(
    name="plaintext",
    title="INSECURE twins on plain rows",
    technique=Technique.NONE,
    maturity=Maturity.INSECURE,
    does="The same operators as rep3 on plain arrays: oracle of the tests, baseline of the "
    "benchmarks. No command, room or process of the product runs it.",
    assumes=("Whoever runs it may see all rows.",),
    honest=("Everybody.",),
    leaks=("Everything, to whoever runs it.",),
    not_covered=("It protects nothing.",),
    endpoint="All rows lie in one process.",
    metadata="Nothing is hidden.",
    inference="Nothing is hidden.",
    tests=("tests/protocols/test_gates.py::test_the_twins_say_that_they_protect_nothing",),
)
