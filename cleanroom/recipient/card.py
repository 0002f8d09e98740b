"""A model's card: what it was trained on, under which agreement, how good it is. Markdown.

Rule: public facts of plan and receipt, and figures over all owners; nothing of one owner.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cleanroom.budget.account import gaussian
from cleanroom.learning.facts import Column
from cleanroom.plan.training import Noise, TrainPlan
from cleanroom.recipient.joined_job import JoinedPlan

if TYPE_CHECKING:
    from cleanroom.recipient.trained import Trained


def card(trained: "Trained") -> str:
    """Write the card of a model."""
    plan = trained.plan
    lines = _joined(trained, plan) if isinstance(plan, JoinedPlan) else _lines(trained, plan)
    return "\n".join(lines) + "\n"


def _joined(trained: "Trained", plan: JoinedPlan) -> Iterator[str]:
    """Tell of a model of joined rows: what was opened is the model."""
    asked, spec = plan.asked.job, plan.asked.model
    yield from (f"# {plan.name}", "", asked.purpose, "")
    yield f"A {spec.fit} regression on rows that {', '.join(plan.owners)} joined in secret."
    yield from ("", "## Rows", "", "```sql", asked.rows, "```", "", f"- target: {asked.target}")
    yield from ("", "## Figures", "")
    yield f"After {spec.iterations} iterations with l2 = {spec.l2:g}; no loss or test was opened."
    yield ""
    for name, value in getattr(trained.model, "coefficients", {}).items():
        yield f"- {name}: {value:.6g}"
    yield from ("", "## What its recipient learned", "")
    yield "These coefficients: rows and every intermediate stayed secret shares."
    yield "They were opened exactly: no noise, as of differential privacy, protects anybody."
    yield from ("", "## Agreement", "")
    yield from (f"- contract {plan.plan.contract_hash}", f"- plan {plan.hash}")


def _lines(trained: "Trained", plan: TrainPlan) -> Iterator[str]:
    stayed = [name for name in plan.owners if name not in trained.left]
    yield f"# {plan.name}"
    yield from ("", plan.reason, "")
    yield f"A {plan.kind} model, trained on rows that stayed with {', '.join(stayed)}."
    if trained.left:
        yield f"{', '.join(trained.left)} left on the way."
    yield from ("", "## Rows", "", "```sql", plan.sql, "```", "")
    for column in plan.facts.features:
        yield f"- {_column(column)}"
    for role, known in (("target", plan.facts.target), ("time", plan.facts.time)):
        if known is not None:
            yield f"- {role}: {_column(known)}"
    if plan.held_out:
        yield f"- {plan.held_out / (1 << 32):.0%} of the persons were held out for the test"
    yield from ("", "## Figures")
    yield from _figures(trained)
    if trained.attacked is not None:
        yield ""
        yield f"An attacker by loss tells {trained.attacked.rate:.2%} of the rows that trained from"
        yield "others at 1 % false alarms, where guessing tells 1 %; other attacks may do better."
    yield from ("", "## What its recipient learned", "")
    yield f"The sums of {trained.stats.rounds} steps over all owners, and nothing of one owner."
    if plan.noise is None:
        yield "They were opened exactly: no noise, as of differential privacy, protects anybody."
    else:
        yield from _private(trained.model, plan.noise)
    yield from ("", "## Agreement", "")
    yield f"- contract {plan.contract_hash}"
    yield f"- plan {plan.hash}"


def _figures(trained: "Trained") -> Iterator[str]:
    """Tell how the training ended, and apart from that what the test gave."""
    tests = {} if trained.evaluation is None else trained.evaluation.figures
    ended = {name: value for name, value in trained.metrics.items() if name not in tests}
    if not trained.metrics:
        yield from ("", "None was opened.")
    if ended:
        after = f"After {len(trained.rounds)} rounds, of" if trained.rounds else "Of"
        yield from ("", f"{after} the rows that trained:", "")
        yield from (f"- {name}: {value:.6g}" for name, value in ended.items())
    if trained.evaluation is not None:
        yield from ("", f"Of {trained.evaluation.rows} rows held out, over all owners:", "")
        yield from (f"- {name}: {value:.6g}" for name, value in tests.items())


def _private(model: object, noise: Noise) -> Iterator[str]:
    """Tell what noise protects whom, and what dp-accounting says of noise of that size."""
    told = getattr(model, "privacy", {})
    yield f"All of them together are epsilon = {noise.epsilon:g}, "
    yield f"delta = {noise.delta:g} differentially private: {told['unit']}."
    yield ""
    yield f"- noise: {told['noise']}; that of {noise.honest} owners alone suffices"
    yield f"- sampling: {told['sampling']}"
    sums = []
    for name, step in told["steps"].items():
        sums.append((step["multiplier"], step["times"]))
        yield (
            f"- {name}, {step['times']} times: rows clipped to {step['clip']:.4g}; noise of "
            f"{step['multiplier']:.4g} times what one person can change"
        )
    found = gaussian(sums, noise.delta)
    yield (
        f"- continuous Gaussian noise of that size, by dp-accounting: epsilon = "
        f"{found.renyi:.4g} (Renyi divergence), {found.loss_distribution:.4g} (privacy loss "
        "distribution)"
    )


def _column(column: Column) -> str:
    missing = ", may be missing" if column.nullable else ""
    if column.kind == "category":
        return f"{column.name}: one of {', '.join(column.values)}{missing}"
    return f"{column.name}: {column.low:g} to {column.high:g}{missing}"
