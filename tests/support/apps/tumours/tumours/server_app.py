"""The recipient's half."""

import numpy as np
from flwr.app import ArrayRecord, ConfigRecord, Context, Message, MessageType, RecordDict
from flwr.serverapp import Grid, ServerApp, strategy

from tumours import task

app = ServerApp()


@app.main()
def main(grid: Grid, context: Context) -> None:
    config = context.run_config
    if config["strategy"] == "none":
        count(grid, context)
        return
    first = task.first(config["features"], config["hidden"], np.random)
    arrays = ArrayRecord(dict(zip(task.NAMES, ArrayRecord(first).values(), strict=True)))
    settings = {"min_available_nodes": 3, "fraction_train": config.get("fraction", 1.0)}
    chosen = getattr(strategy, config["strategy"])(**settings)
    chosen.start(grid, arrays, config["rounds"], train_config=ConfigRecord({"decay": 0.9}))


def count(grid: Grid, context: Context) -> None:
    """Ask a query without a strategy, and add up its replies."""
    for how in context.run_config.get("how", "nothing").split():
        content = RecordDict({"config": ConfigRecord({"edges": [0.0, 0.5], "how": how})})
        kind = MessageType.QUERY if how == "count" else "query.misbehave"
        replies = list(
            grid.send_and_receive([Message(content, n, kind) for n in grid.get_node_ids()])
        )
        key = "counts" if how == "count" else "done"
        total = np.sum([reply.content["metrics"][key] for reply in replies], axis=0)
        context.state["total"] = ArrayRecord([np.asarray(total)])
