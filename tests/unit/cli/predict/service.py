"""A fake server that computes predictions for `predictq predict`."""

import threading

from click.testing import CliRunner

from cli.predict.command import predict
from tests.unit.fake_server import Answer, outcome, pending, problem, succeeded


def told(*columns, named=True):
    """The server's answer about a model with these columns."""
    signature = {"columns": [*columns], "named": named}
    version = {"version": 1, "signature": signature}
    return {"latest": 1, "versions": [1], "aliases": {"production": 1}, "details": [version]}


UNKNOWN = told() | {"details": []}
"""Its answer about a version with unknown columns."""


def knowing(behave, model=UNKNOWN):
    """The behaviour, extended by an answer about the model."""
    return lambda asked: Answer(200, model) if asked.path.startswith("/models/") else behave(asked)


class Service:
    """Answers each submission at the second look-up, with `answer` of its rows."""

    def __init__(self, answer, model=UNKNOWN):
        self.answer = answer
        self.model = model
        self.refused = self.guilty = object()
        self.submissions = []
        self.flying = set()
        self.most_flying = 0
        self.looks = {}
        self.lock = threading.Lock()

    def __call__(self, asked):
        if asked.path.startswith("/models/"):
            return Answer(200, self.model)
        with self.lock:
            return self.submit(asked.body) if asked.method == "POST" else self.look(asked.path)

    def submit(self, body):
        cells = [[*row.values()] if type(row) is dict else row for row in body["features"]]
        faults = [
            {"loc": ["features", n], "msg": f"row {n + 1}, column 'a': no", "row": n}
            for n, row in enumerate(cells)
            if self.refused in row
        ]
        if faults:
            return problem(422, "invalid_features", faults[:20])
        self.submissions.append(body)
        number = str(len(self.submissions) - 1)
        self.flying.add(number)
        self.most_flying = max(self.most_flying, len(self.flying))
        return pending(number)

    def look(self, path):
        number = path.rpartition("/")[2]
        self.looks[number] = self.looks.get(number, 0) + 1
        if self.looks[number] < 2:
            return pending(number, retry_after="0")
        self.flying.discard(number)
        features = self.submissions[int(number)]["features"]
        if any(self.guilty in row for row in features):
            error = {"code": "model_error", "message": "it raised", "retryable": False}
            return outcome("failed", number, error=error)
        return succeeded([self.answer(row) for row in features], number)


def run(*arguments, stdin=None):
    return CliRunner().invoke(predict, [str(part) for part in arguments], input=stdin)


def write(path, text):
    path.write_text(text)
    return path
