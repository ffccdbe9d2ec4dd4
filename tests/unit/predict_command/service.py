"""A service that computes, for `predictq predict` to be run against."""

import threading

from click.testing import CliRunner

from cli.predict import predict
from tests.unit.stand_in import pending, succeeded


class Service:
    """Answers each submission, at the second look, with what `answer` makes of its rows."""

    def __init__(self, answer):
        self.answer = answer
        self.submissions = []
        self.flying = set()
        self.most_flying = 0
        self.looks = {}
        self.lock = threading.Lock()

    def __call__(self, asked):
        with self.lock:
            return self.submit(asked.body) if asked.method == "POST" else self.look(asked.path)

    def submit(self, body):
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
        return succeeded([self.answer(row) for row in features], number)


def run(*arguments, stdin=None):
    return CliRunner().invoke(predict, [str(part) for part in arguments], input=stdin)


def write(path, text):
    path.write_text(text)
    return path
