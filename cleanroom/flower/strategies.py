"""Which of Flower's strategies need no more than the weighted mean of all replies.

Rule: runs where the ServerApp runs, before its first message. A strategy that would silently give
something else than with individual replies is refused.
"""

from collections.abc import Callable
from typing import Any

from flwr.serverapp import strategy as flower
from flwr.serverapp.strategy import Result, Strategy
from flwr.serverapp.strategy.strategy_utils import aggregate_metricrecords

MEAN_ONLY: tuple[type[Strategy], ...] = (
    flower.FedAvg,
    flower.FedAvgM,
    flower.FedProx,
    flower.FedAdagrad,
    flower.FedAdam,
    flower.FedYogi,
)
_PRIVACY = "clips or adds noise outside of the secure sum: use the job's own privacy"
INDIVIDUAL: dict[type[Strategy], str] = {
    flower.Krum: "compares every update with every other",
    flower.MultiKrum: "compares every update with every other",
    flower.Bulyan: "compares every update with every other",
    flower.FedMedian: "takes the median of all updates",
    flower.FedTrimmedAvg: "leaves out the largest and smallest of all updates",
    flower.QFedAvg: "weights every update by its own loss and norm",
    flower.FedXgbBagging: "puts every owner's trees into the model",
    flower.FedXgbCyclic: "passes the trees of one owner to the next",
    flower.DifferentialPrivacyServerSideFixedClipping: _PRIVACY,
    flower.DifferentialPrivacyServerSideAdaptiveClipping: _PRIVACY,
    flower.DifferentialPrivacyClientSideFixedClipping: _PRIVACY,
    flower.DifferentialPrivacyClientSideAdaptiveClipping: _PRIVACY,
}


_NODES = ("min_available_nodes", "min_train_nodes", "min_evaluate_nodes")
_READING = ("aggregate_train", "aggregate_evaluate", "_check_and_log_replies", "start")


class StrategyRefused(Exception):
    """A strategy that the room can't serve, and why."""


def check(strategy: Strategy, weighted_by: str, owners: int, *, own_aggregation: bool) -> None:
    """Refuse a strategy that needs more than the mean, other weights, or more nodes than owners.

    Raises:
        StrategyRefused: with its name and the reason.
    """
    name = type(strategy).__name__
    for kind, reason in INDIVIDUAL.items():
        if isinstance(strategy, kind):
            raise StrategyRefused(f"{name} {reason}; only the weighted mean of all is opened")
    weight = getattr(strategy, "weighted_by_key", weighted_by)
    if weight != weighted_by:
        raise StrategyRefused(f"{name} weights by '{weight}', the job by '{weighted_by}'")
    nodes = max(getattr(strategy, name, 0) for name in _NODES)
    if nodes > owners:
        raise StrategyRefused(f"{name} waits for {nodes} nodes, of which there are {owners}")
    if not own_aggregation and not _flowers_own(strategy):
        raise StrategyRefused(
            f"{name} aggregates by code of its own: if that needs only the weighted mean, say"
            " own_aggregation = true in the job"
        )


def _flowers_own(strategy: Strategy) -> bool:
    """Whether everything that reads replies is Flower's and takes their weighted mean."""
    return (
        isinstance(strategy, flower.FedAvg)
        and all(
            any(getattr(type(strategy), name) is getattr(kind, name) for kind in MEAN_ONLY)
            and name not in vars(strategy)
            for name in _READING
        )
        and strategy.train_metrics_aggr_fn is aggregate_metricrecords
        and strategy.evaluate_metrics_aggr_fn is aggregate_metricrecords
    )


class Watch:
    """Checks every strategy of this process when it starts, and keeps what strategies return.

    Flower's base class is changed for the process, which runs this one app and nothing else.
    """

    def __init__(self, weighted_by: str, owners: int, *, own_aggregation: bool) -> None:
        """Take what the job says of aggregation, and how many owners there are."""
        self.results: list[Result] = []
        self._may_send = own_aggregation
        start: Callable[..., Result] = Strategy.start

        def checked(strategy: Strategy, *args: Any, **kwargs: Any) -> Result:
            check(strategy, weighted_by, owners, own_aggregation=own_aggregation)
            self._may_send = True
            self.results.append(start(strategy, *args, **kwargs))
            return self.results[-1]

        Strategy.start = checked  # type: ignore[method-assign, assignment]

    def before_sending(self) -> None:
        """Refuse messages that no checked strategy sends.

        Raises:
            StrategyRefused: unless the job says that the app aggregates by itself.
        """
        if not self._may_send:
            raise StrategyRefused(
                "the ServerApp sends messages without one of Flower's strategies: if it needs only"
                " the weighted mean, say own_aggregation = true in the job"
            )
