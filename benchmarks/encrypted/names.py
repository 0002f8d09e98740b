"""The homomorphic benchmarks by name, and the sizes that a report measures."""

from collections.abc import Callable

from benchmarks.encrypted import in_a_room, questions, questions_in_a_room, sums
from benchmarks.measure import Asked, Line

ENCRYPTED: dict[str, Callable[[Asked], Line]] = {
    "he_group_by": sums.group_by,
    "he_group_by_wide": sums.group_by_wide,
    "he_many_owners": sums.many_owners,
    "he_private_filter": questions.private_filter,
    "he_score": questions.scores,
}
IN_A_ROOM: dict[str, Callable[[Asked], Line]] = {
    "he_query": in_a_room.query,
    "he_query_wide": in_a_room.query_wide,
    "he_query_many": in_a_room.query_of_many,
    "he_private_filter_room": questions_in_a_room.private_filter,
    "he_score_room": questions_in_a_room.scores,
}
SIZES = {
    "he_group_by": (1_000_000,),
    "he_group_by_wide": (1_000_000,),
    "he_many_owners": (1_000_000,),
    "he_private_filter": (8192, 65536),
    "he_score": (100_000,),
    **dict.fromkeys(("he_query", "he_query_wide", "he_query_many"), (1_000_000,)),
    "he_private_filter_room": (8192,),
    "he_score_room": (100_000,),
}
