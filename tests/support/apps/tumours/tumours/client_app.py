"""An owner's half."""

from flwr.app import ArrayRecord, ConfigRecord, Context, Message, MetricRecord, RecordDict
from flwr.clientapp import ClientApp

from tumours import task

app = ClientApp()


@app.train()
def train(message: Message, context: Context) -> Message:
    x, y = task.load(context)
    arrays = message.content["arrays"]
    rate = context.run_config["local.rate"] * message.content["config"].get("decay", 1.0)
    weights = list(arrays.to_numpy_ndarrays())
    new = task.train(weights, x, y, context.run_config["local.epochs"], rate)
    seen = context.state.get("seen", ConfigRecord({"rounds": 0}))
    seen["rounds"] += 1
    context.state["seen"] = seen
    metrics = {"num-examples": len(y), "loss": task.loss(new, x, y), "seen": seen["rounds"]}
    update = ArrayRecord(dict(zip(arrays.keys(), ArrayRecord(new).values(), strict=True)))
    reply = RecordDict({"arrays": update, "metrics": MetricRecord(metrics)})
    return Message(reply, reply_to=message)


@app.evaluate()
def evaluate(message: Message, context: Context) -> Message:
    x, y = task.load(context)
    weights = message.content["arrays"].to_numpy_ndarrays()
    right = float(((task.predict(weights, x)[1] > 0.5) == y).mean())
    metrics = {"num-examples": len(y), "loss": task.loss(weights, x, y), "accuracy": right}
    return Message(RecordDict({"metrics": MetricRecord(metrics)}), reply_to=message)


@app.query()
def ages(message: Message, context: Context) -> Message:
    x, _ = task.load(context)
    counts = [int((x[:, 0] > edge).sum()) for edge in message.content["config"]["edges"]]
    return Message(RecordDict({"metrics": MetricRecord({"counts": counts})}), reply_to=message)


@app.query("misbehave")
def misbehave(message: Message, context: Context) -> Message:
    """Do what the room must not allow; `how` says what."""
    import os
    import socket
    import subprocess
    import time
    from pathlib import Path

    {
        "socket": lambda: socket.create_connection(("127.0.0.1", 9)),
        "file": lambda: Path("/etc/passwd").read_text(),
        "process": lambda: subprocess.run(["true"], check=True),
        "hang": lambda: time.sleep(60),
        "memory": lambda: bytearray(1 << 40),
        "tell": lambda: (_ for _ in ()).throw(ValueError("a patient's name")),
        "end": lambda: os._exit(3),
        "nothing": lambda: None,
    }[message.content["config"]["how"]]()
    return Message(RecordDict({"metrics": MetricRecord({"done": 1})}), reply_to=message)
