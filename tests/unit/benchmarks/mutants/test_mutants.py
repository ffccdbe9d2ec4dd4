"""Mutants of scripts: each is one change on one line, and never in a comment."""

from pathlib import Path

from benchmarks.mutants.lua import mutants
from tasks.ledger import scripts

HERE = Path(scripts.__file__).parent
SCRIPT = """-- a > b or c
if a > 0 then
  redis.call('RPUSH', key, 1)
end
"""


def test_mutant_changes_one_thing_and_no_comment(tmp_path: Path) -> None:
    path = tmp_path / "some.lua"
    path.write_text(SCRIPT)
    found = [mutant.applied(SCRIPT).splitlines() for mutant in mutants(path)]
    assert [[line for line in text if line not in SCRIPT] for text in found] == [
        ["if a >= 0 then"],
        ["  redis.call('LPUSH', key, 1)"],
        ["  do end"],
    ]


def test_scripts_of_the_ledger_have_mutants() -> None:
    for path in HERE.glob("*.lua"):
        if path.name not in ("delete.lua", "pause.lua", "resume.lua", "tags.lua", "workers.lua"):
            assert any(mutants(path)), path.name


def test_mutants_include_the_bytes_that_a_refusal_gives_back() -> None:
    names = [mutant.name for mutant in mutants(HERE / "accept.lua")]
    assert any("'bytes', 0 - bytes_added) -> do end" in name for name in names)
    assert len(names) == len(set(names))
