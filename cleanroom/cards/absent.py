"""Cards of what isn't here, so that nobody has to guess."""

from protocols.card import Card, Maturity, Technique


def _absent(name: str, technique: Technique, instead: str) -> Card:
    nothing = ("Not implemented: nothing is promised.",)
    return Card(
        name=name,
        title=technique.value,
        technique=technique,
        maturity=Maturity.ABSENT,
        does=instead,
        assumes=nothing,
        honest=nothing,
        leaks=nothing,
        not_covered=nothing,
        endpoint=nothing[0],
        metadata=nothing[0],
        inference=nothing[0],
    )


TEE = _absent(
    "tee",
    Technique.TEE,
    "Nothing runs in an enclave and no attestation is checked: members trust their own machines, "
    "and what leaves them is shared, encrypted or masked.",
)
ZKP = _absent(
    "zkp",
    Technique.ZKP,
    "No member proves anything about its rows or its computing in zero knowledge: openings, "
    "inputs' shares and sums carry checks, and all else is semi-honest.",
)
