"""HTTP server: pushes requests to Redis, and returns results from Redis."""

import os
import uuid
from typing import Any

import msgspec
import redis
from flask import Flask, Response, request

app = Flask(__name__)
client = redis.Redis.from_url(os.environ["REDIS_URL"])


@app.post("/predict/async")
def submit() -> Response:
    task_id = str(uuid.uuid4())
    features = msgspec.json.decode(request.get_data())["features"]
    client.lpush("queue", msgspec.json.encode((task_id, features)))
    return _answer({"id": task_id}, 202)


@app.get("/predict/result/<task_id>")
def look_up(task_id: str) -> Response:
    found: Any = client.get(task_id)
    if found is None:
        return _answer({"id": task_id}, 202)
    return _answer({"id": task_id, "predictions": msgspec.Raw(found)}, 200)


@app.get("/health")
def health() -> Response:
    return _answer({}, 200)


def _answer(body: dict[str, Any], status: int) -> Response:
    return Response(msgspec.json.encode(body), status, content_type="application/json")
