"""A client that answers with its own numbers."""

import numpy as np
from flwr.app import ArrayRecord, Context, Message, MetricRecord, RecordDict
from flwr.clientapp import ClientApp

app = ClientApp()


@app.train()
def train(message: Message, context: Context) -> Message:
    """Return a line, `partition-id` + 1 times as steep."""
    (model,) = message.content["arrays"].to_numpy_ndarrays()
    numbers = np.linspace(-1, 1, model.size) * (int(context.node_config["partition-id"]) + 1)
    metrics = MetricRecord({"num-examples": 1})
    content = RecordDict({"arrays": ArrayRecord([numbers]), "metrics": metrics})
    return Message(content, reply_to=message)
