"""The rules of release in plain words, for contracts, sheets and results.

Rule: derived from the contract alone.
"""

from collections.abc import Iterator

from cleanroom.contract.privacy import PrivacyTerms


def rules_of(privacy: PrivacyTerms) -> Iterator[str]:
    """Yield what is done to results besides the threshold on persons, under "sdc"."""
    if privacy.min_members > 1:
        yield f"rows of a table of several members come from at least {privacy.min_members} of them"
    if privacy.top_two < 100:
        yield f"the two largest contributors have at most {privacy.top_two} % of a sum"
    if privacy.p_percent:
        closest = f"more closely than {privacy.p_percent} %"
        yield f"no contributor can tell the largest one's part of a sum {closest}"
    if privacy.complementary == "on":
        yield "further groups are withheld where totals would tell one"
    if privacy.redact:
        yield f"counts up to {privacy.redact} are withheld"
    if privacy.round_to > 1:
        yield f"counts are rounded to {_multiple(privacy)}"


def _multiple(privacy: PrivacyTerms) -> str:
    if privacy.rounding == "nearest":
        return f"the nearest multiple of {privacy.round_to}"
    base, half = privacy.round_to, privacy.round_to - privacy.round_to // 2
    return f"midpoints of runs of {base}: 0, {half}, {half + base}, ..."
