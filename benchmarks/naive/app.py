"""The two views of every tutorial, and a health check."""

from typing import Any

from flask import Flask, request

from benchmarks.naive.tasks import predict

app = Flask(__name__)


@app.post("/predict/async")
def submit() -> tuple[dict[str, Any], int]:
    task = predict.delay(request.get_json()["features"])
    return {"id": task.id}, 202


@app.get("/predict/result/<task_id>")
def look_up(task_id: str) -> tuple[dict[str, Any], int]:
    result = predict.AsyncResult(task_id)
    if not result.ready():
        return {"id": task_id}, 202
    return {"id": task_id, "predictions": result.get()}, 200


@app.get("/health")
def health() -> dict[str, Any]:
    return {}
