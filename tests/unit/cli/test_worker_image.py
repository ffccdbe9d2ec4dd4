"""The worker image can register models without the client and a web framework."""

import subprocess
import sys

from stack.process import ROOT

WITHOUT = ("predictq", "httpx2", "flask", "granian")
SCRIPT = f"""
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {WITHOUT!r}:
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Absent())
import cli.main, cli.models.add, cli.models.check, cli.models.remove
"""


def test_registry_commands_need_no_client() -> None:
    subprocess.run([sys.executable, "-c", SCRIPT], cwd=ROOT, check=True, timeout=60)
