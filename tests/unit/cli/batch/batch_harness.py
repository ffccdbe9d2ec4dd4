"""The command `predictq batch`, and what a fake server answers to it."""

from click.testing import CliRunner

from cli.main import main
from tests.unit.fake_server import job

BAD = b'{"line": 7, "custom_id": null, "code": "invalid", "message": "no number"}\n'
COUNTS = {"total": 10, "succeeded": 10, "failed": 0, "pending": 0, "running": 0, "cancelled": 0}
DONE = job(status="completed", counts=COUNTS, ended_at=1795240802.5)
FLAWED = DONE | {"status": "completed_with_errors", "counts": COUNTS | {"failed": 7}}


def batch(*words):
    return CliRunner().invoke(main, ["batch", *map(str, words)])
