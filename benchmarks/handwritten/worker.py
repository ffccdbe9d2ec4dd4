"""Worker loop: pop up to 64 requests, call the model once, write results in one pipeline."""

import os
from typing import Any

import joblib
import msgspec
import numpy as np
import redis

BATCH = 64
"""Greatest number of requests per model call."""


def main() -> None:
    model = joblib.load(os.environ["MODEL"])
    client = redis.Redis.from_url(os.environ["REDIS_URL"])
    while True:
        _answer(client, model, [msgspec.json.decode(text) for text in _pop(client)])


def _pop(client: Any) -> list[bytes]:
    return client.rpop("queue", BATCH) or [client.brpop(["queue"])[1]]


def _answer(client: Any, model: Any, batch: list[tuple[str, list[list[float]]]]) -> None:
    predictions = model.predict(np.concatenate([rows for _, rows in batch])).tolist()
    with client.pipeline(transaction=False) as pipe:
        start = 0
        for task_id, rows in batch:
            pipe.set(task_id, msgspec.json.encode(predictions[start : start + len(rows)]))
            start += len(rows)
        pipe.execute()


if __name__ == "__main__":
    main()
