"""A stack with something on every page of the console."""

import random
import time
from typing import Any

import redis

from tests.support.stack import LiveStack, until

IRIS = [5.8, 2.8, 5.1, 2.4]
HEADER = "sepal length (cm),sepal width (cm),petal length (cm),petal width (cm)\n"
GOOD_LINE, BAD_LINE = "5.8,2.8,5.1,2.4\n", "5.8,2.8,wide,2.4\n"


def sign_in_path(stack: LiveStack) -> str:
    """A one-time address, as `predictq console` prints it."""
    key = (stack.home / "local.key").read_text().strip()
    answer = stack.http.post("/console/codes", headers={"authorization": f"Bearer {key}"})
    assert answer.status_code == 200, answer.text
    path: str = answer.json()["path"]
    return path


def succeeded(stack: LiveStack) -> str:
    """The id of a prediction that succeeded."""
    task_id: str = stack.submit("iris", IRIS)["id"]
    assert stack.outcome(task_id)["status"] == "succeeded"
    return task_id


def dead_letters(stack: LiveStack, many: int = 1) -> None:
    """Messages that no worker can read."""
    with redis.Redis.from_url(stack.redis_url) as client:
        before = stack.http.get("/stats").json()["dead_letters"]
        for n in range(many):
            client.lpush("predict", f"not a message <b>{n}</b>".encode())
        until(
            lambda: stack.http.get("/stats").json()["dead_letters"] == before + many, "dead letters"
        )


def batch_job(stack: LiveStack, rows: int = 40) -> str:
    """The id of a job that completed with a bad row."""
    lines = HEADER + BAD_LINE + GOOD_LINE * rows
    files: Any = {"file": ("flowers.csv", lines.encode(), "text/csv")}
    answer = stack.http.post("/predict/batch", files=files, data={"model": "iris"})
    assert answer.status_code == 202, answer.text
    job_id: str = answer.json()["id"]
    ended = ("completed", "completed_with_errors", "failed")
    path = f"/predict/batch/{job_id}"
    until(lambda: stack.http.get(path).json()["status"] in ended, "the end of the job", 60)
    return job_id


def load(stack: LiveStack, seconds: float) -> None:
    """Predictions of two models at an uneven pace, so that charts have a shape."""
    chance, end = random.Random(7), time.monotonic() + seconds
    models = ("iris", "breast-cancer")
    rows = {m: stack.http.get(f"/models/{m}").json()["details"][-1]["example"] for m in models}
    while time.monotonic() < end:
        for _ in range(chance.randrange(1, 12)):
            model = chance.choice(models)
            stack.submit(model, rows[model])
        time.sleep(chance.random() / 4)
