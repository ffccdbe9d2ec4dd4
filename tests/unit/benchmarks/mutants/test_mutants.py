"""Mutants of scripts: each is one change on one line, never in a comment, and tried in a fork."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.harness.results import Part
from benchmarks.mutants import modules, summary
from benchmarks.mutants.explained import explained
from benchmarks.mutants.lua import Mutant, mutants, script_names
from benchmarks.mutants.reach import Reach, noted
from stack.process import ROOT
from tasks.ledger import scripts
from tasks.ledger.scripts import script_text
from tests.unit.tasks.ledger.test_script_libraries import Client

SCRIPT = """-- a > b or c
if a > 0 then
  redis.call('RPUSH', key, 1)
end
"""
WITHOUT = {
    *("jobs.delete", "ledger.dead_letters.delete", "ledger.pauses.pause", "ledger.pauses.resume"),
    *("idle", "ledger.queue.note_idle", "tags"),
}
"""Scripts in which there is nothing to change."""


def found(name: str) -> list[Mutant]:
    return [*mutants(name, script_text(name))]


def test_mutant_changes_one_thing_and_no_comment() -> None:
    texts = [mutant.applied(SCRIPT).splitlines() for mutant in mutants("some", SCRIPT)]
    assert [[line for line in text if line not in SCRIPT] for text in texts] == [
        ["if a >= 0 then"],
        ["  redis.call('LPUSH', key, 1)"],
        ["  do end"],
    ]


def test_scripts_of_the_ledger_have_mutants() -> None:
    assert {"ledger.queue.reserve", "messages", "jobs.begin", "jobs.jobs"} <= {*script_names()}
    for name in script_names():
        assert found(name) or name in WITHOUT, name


def test_mutants_include_the_bytes_that_a_refusal_gives_back() -> None:
    names = [mutant.name for mutant in found("ledger.predictions.accept")]
    assert any("'bytes', 0 - bytes_added) -> do end" in name for name in names)
    assert len(names) == len(set(names))


def test_explained_mutants_exist() -> None:
    existing = {mutant.key for name in script_names() for mutant in found(name)}
    for where, change in explained().keys() - existing:
        # mutmut is not installed here: a line of the module has to be what the mutant changes.
        source = ROOT.joinpath(*where.split(".")).with_suffix(".py").read_text()
        lines = " ".join(line.strip() for line in source.splitlines())
        assert change.partition(" -> ")[0] in lines, (where, change)


def test_script_is_noted_with_its_libraries_once_it_is_run() -> None:
    class Registering(Client):
        def register_script(self, script: object) -> object:
            return scripts.Script(self, str(script))

    seen: set[str] = set()
    with noted(seen):
        script = scripts.load_script(Registering(), "ledger.predictions.states")
        assert seen == set()
        assert script.sha
        assert seen == {"ledger.predictions.states", "messages"}


def test_tests_that_run_a_script_are_known_the_quickest_first() -> None:
    seconds = {"slow": 3.0, "quick": 1.0, "other": 0.1}
    run = {"slow": {"accept"}, "quick": {"accept", "settle"}, "other": {"settle"}}
    assert Reach(seconds, run).tests("accept") == ["quick", "slow"]


TESTED = """
from redis import Redis
from tasks.ledger import scripts

class Registering(Redis):
    def register_script(self, text):
        return scripts.Script(self, text)

def test_script():
    script = scripts.load_script(Registering(), "ledger.predictions.records")
    assert script.sha
    assert "size > most and" in script.script

def test_of_another_script():
    pass
"""
SURVEY = """
import sys, json, pytest
from benchmarks.mutants.forking import ForkingLoop
from benchmarks.mutants.lua import mutants
from tasks.ledger.scripts import script_text

told = {}
def note(mutant, alive):
    told[mutant.change] = alive
name = "ledger.predictions.records"
loop = ForkingLoop(mutants(name, script_text(name)), note, 2)
options = ["-q", "-s", "-p", "no:schemathesis", "-c", "/dev/null", "--rootdir"]
assert pytest.main([*options, sys.argv[1], sys.argv[1]], plugins=[loop]) == 0
print("told", json.dumps(told))
"""


def test_mutants_are_tried_in_forks_by_the_tests_that_run_their_script(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(TESTED)
    before = script_text("ledger.predictions.records")
    told = subprocess.run(
        [sys.executable, "-c", SURVEY, tmp_path], cwd=ROOT, check=True, capture_output=True
    ).stdout
    alive = json.loads(told.rpartition(b"told ")[2])
    assert {change for change in alive if not alive[change]} == {
        "if size > most and i > 1 then break end -> if size >= most and i > 1 then break end",
        "if size > most and i > 1 then break end -> if size > most or i > 1 then break end",
    }
    assert len(alive) == len(found("ledger.predictions.records"))
    assert script_text("ledger.predictions.records") == before


def cells(part: Part, title: str) -> list[list[object]]:
    (table,) = [table for table in part.tables if table.title == title]
    return [[*row] for row in table.rows]


def test_summary_counts_mutants_of_scripts_and_names_those_that_live() -> None:
    known = next(m for name in script_names() for m in found(name) if m.key in explained())
    other = next(m for m in found("ledger.predictions.records") if m.key not in explained())
    killed = found("ledger.predictions.accept")[0]
    part = summary.of_scripts({known: True, other: True, killed: False})
    assert cells(part, "Mutants of the ledger's scripts")[-1] == ["all", 3, 1, 1, 1]
    assert cells(part, "Mutants that no test notices") == [[f"`{other.name}`"]]
    assert not part.holds


def test_summary_reads_what_mutmut_tells() -> None:
    part = summary.of_modules(
        "    a.b.x\u01c1One\u01c1two__mutmut_1: survived\n"
        "    a.b.x_three__mutmut_2: killed\n"
        "    a.b.x__four__mutmut_3: no tests\n",
        {
            "a.b.x\u01c1One\u01c1two__mutmut_1": "x -> y",
            "a.b.x__four__mutmut_3": "y -> z",
        }.__getitem__,
    )
    assert cells(part, "Mutants of Python modules") == [["a.b", 3, 1, 0, 2], ["all", 3, 1, 0, 2]]
    living = cells(part, "Functions with mutants that no test notices")
    assert living == [["`a.b.One.two`", 1], ["`a.b._four`", 1]]


def test_summary_tells_why_a_mutant_of_a_module_lives(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = """# a.b.x_one__mutmut_1: survived
--- a/b.py
+++ a/b.py
@@ -1,3 +1,3 @@
 def one(x):
     return (
-        x | 1
+        x | 2
     )"""
    monkeypatch.setattr(summary, "explained", lambda: {("a.b", "x | 1 -> x | 2"): "it is even"})
    part = summary.of_modules(
        "    a.b.x_one__mutmut_1: survived\n", lambda _: modules.change(shown)
    )
    assert cells(part, "Mutants of Python modules")[-1] == ["all", 1, 0, 1, 0]
    known = cells(part, "Mutants that live for a reason")
    assert known == [[r"`a.b.one: x \| 1 -> x \| 2`", "it is even"]]


def test_summary_of_some_modules_keeps_the_figures_of_the_others() -> None:
    def of(told: str, *chosen: str) -> Part:
        return summary.of_modules(told, lambda _: "x -> y", chosen)

    before = of(
        "    a.b.x_one__mutmut_1: survived\n"
        "    a.b.x_one__mutmut_2: killed\n"
        "    a.bc.x_two__mutmut_1: survived\n"
    )
    now = of(
        "    a.b.x_one__mutmut_1: killed\n"
        "    a.b.x_one__mutmut_2: killed\n"
        "    a.bc.x_two__mutmut_1: not checked\n",
        "a.b",
    )
    part = summary.updated(before, now, ["a.b"])
    assert cells(part, "Mutants of Python modules") == [
        ["a.b", 2, 2, 0, 0],
        ["a.bc", 1, 0, 0, 1],
        ["all", 3, 2, 0, 1],
    ]
    living = cells(part, "Functions with mutants that no test notices")
    assert living == [["`a.bc.two`", 1]]
    assert part.checks[0].ratio == 2 / 3
    assert part.tables[0].note.startswith("This run measured a.b. Others keep")
