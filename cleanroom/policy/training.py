"""Rules of trainings.

Rule: each owner's numbers are hidden among those of as many others as the contract asks. Kinds
whose steps open sums of few rows keep as many rows together as hold `min_group` persons. Under
release = 'dp' every sum is noisy, within the contract's epsilon and the owner's budget. How many
persons an owner has is its own process's to check.
"""

import json
from collections.abc import Iterator

from cleanroom.plan.training import Noise, TrainPlan
from cleanroom.policy.budgets import budget, charged_alike
from cleanroom.policy.gates import gates_alone
from cleanroom.policy.matter import Matter, Rule
from cleanroom.policy.model import Code, Violation
from protocols.secagg.roster import safe_threshold


def _owners(matter: Matter[TrainPlan]) -> Iterator[Violation]:
    plan, asked = matter.plan, matter.terms.privacy.min_contributors
    needed = plan.least - (plan.recipient in plan.owners)
    if len(plan.others) >= max(needed, asked):
        return
    message = (
        f"a training on the rows of {len(plan.others)} owners besides {plan.recipient}: "
        f"{', '.join(plan.others) or 'nobody'}; each is hidden among {max(needed, asked)} at least"
    )
    if len(plan.others) >= max(asked, safe_threshold(len(plan.owners))):
        remedy = "Ask with a smaller min_owners."
    elif plan.without:
        remedy = "Leave nobody out, or have a table of more members in the contract."
    else:
        remedy = f"Have all sign a contract in which {max(needed, asked)} other members hold it."
    others, rule = ", ".join(plan.others), "privacy.min_contributors"
    yield Violation(Code.TOO_FEW_CONTRIBUTORS, others, message, remedy, rule)


def _released(matter: Matter[TrainPlan]) -> Iterator[Violation]:
    plan, terms = matter.plan, matter.terms
    if terms.privacy.release != "dp":
        yield from gates_alone(terms)
    elif plan.noise is None:
        message = f"a {plan.kind} model of exact sums, where release = 'dp' asks for noise"
        remedy = "Train a kind whose name begins with 'private_'."
        yield Violation(Code.NOISE_MISSING, "", message, remedy, "privacy.release")


def _together(matter: Matter[TrainPlan]) -> Iterator[Violation]:
    """Refuse sums of so few rows that fewer than `min_group` persons may have them.

    `least` of a kind says how many rows its sums are of, where they aren't of all. Persons count
    as in each owner's own table: nobody knows who has rows at two owners.
    """
    plan, terms = matter.plan, matter.terms
    asked, persons = json.loads(plan.job)["model"].get("least"), terms.privacy.min_group
    if asked is None or persons == 1:
        return
    limits = [
        terms.tables[name].max_rows_per_person for name in plan.tables if name in terms.tables
    ]
    known = [limit for limit in limits if limit is not None]
    needed = 1 + (persons - 1) * max(known, default=1)
    if len(known) < len(limits):
        who = "a person may have any number of rows"
        remedy = f"Have all sign a contract with max_rows_per_person; 1 allows least = {persons}."
    elif asked < needed:
        who = f"a person may have {max(known, default=1)} of them"
        remedy = f"Ask with least = {needed} under [model]."
    else:
        return
    message = f"{plan.kind} sums of {asked} rows, where min_group asks for {persons} persons and "
    yield Violation(Code.GROUP_TOO_SMALL, "", message + who, remedy, "privacy.min_group")


def _noisy(matter: Matter[TrainPlan]) -> Iterator[Violation]:
    plan, noise, privacy = matter.plan, matter.plan.noise, matter.terms.privacy
    if noise is None:
        return
    if noise.epsilon > privacy.epsilon or noise.delta > privacy.delta:
        message = (
            f"epsilon {noise.epsilon:g} and delta {noise.delta:g} asked; "
            f"{privacy.epsilon:g} and {privacy.delta:g} allowed"
        )
        remedy = f"Ask with epsilon = {privacy.epsilon:g} and delta = {privacy.delta:g}."
        yield Violation(Code.EPSILON_TOO_LARGE, "", message, remedy, "privacy.epsilon")
    sure = plan.least - (plan.recipient in plan.owners)
    if noise.honest > sure:
        message = f"the noise of {noise.honest} owners counted on, where {sure} may be left"
        remedy = f"Ask with honest = {sure} in dp."
        yield Violation(Code.NOISE_NOT_ENOUGH, "", message, remedy, "privacy.epsilon")
    yield from _at_owners(matter, noise)
    if plan.held_out:
        message = "persons held out, of whom exact figures would be opened beside noisy sums"
        yield Violation(Code.NOISE_MISSING, "", message, "Ask with holdout = 0.", "privacy.release")


def _at_owners(matter: Matter[TrainPlan], noise: Noise) -> Iterator[Violation]:
    """Refuse noise for persons at fewer owners than they may be at: all, or as the contract says.

    What the job says of it only adds noise.
    """
    n = len(matter.plan.owners)
    for name in matter.plan.tables:
        table = matter.terms.tables.get(name)
        agreed = None if table is None else table.owners_per_person
        needed, rule = min(agreed or n, n), f"tables.{name}.owners_per_person"
        if noise.owners >= needed:
            continue
        said = "nothing, so all" if agreed is None else str(agreed)
        message = f"noise for persons at {noise.owners} owners, where {name} says {said}"
        remedy = f"Ask with owners_per_person = {needed} in dp."
        if agreed is None:
            remedy = f"{remedy[:-1]}, or have all sign owners_per_person = {noise.owners}."
        yield Violation(Code.NOISE_NOT_ENOUGH, "", message, remedy, rule)


RULES: tuple[Rule[TrainPlan], ...] = (_owners, _released, _together, _noisy, charged_alike, budget)
