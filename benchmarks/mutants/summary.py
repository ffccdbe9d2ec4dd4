"""The tables of a survey: how many mutants the tests notice, and which they do not."""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Literal

from msgspec.structs import replace

from benchmarks.harness.results import Cell, Check, Part, Table
from benchmarks.mutants.explained import explained
from benchmarks.mutants.lua import Mutant

State = Literal["killed", "explained", "lives"]
FLOOR = 0.8
"""Share of the mutants that the tests have to notice."""
NOTICED = "killed", "timeout", "segfault", "caught by type check"
"""What mutmut says of mutants that the tests notice."""
UNNOTICED = "No reason is known, either: a test is missing, or a reason in `explained.toml`."


def of_scripts(lives: Mapping[Mutant, bool]) -> Part:
    """The mutants of scripts, each with whether it lives."""
    reasons = explained()
    states: dict[Mutant, State] = {
        mutant: "killed" if not alive else "explained" if mutant.key in reasons else "lives"
        for mutant, alive in lives.items()
    }
    counts = _table(
        "Mutants of the ledger's scripts", "script", ((m.script, s) for m, s in states.items())
    )
    known = [[f"`{m.name}`", reasons[m.key]] for m, state in states.items() if state == "explained"]
    living = [[f"`{m.name}`"] for m, state in states.items() if state == "lives"]
    tables = [counts, Table("Mutants that live for a reason", ["mutant", "reason"], known)]
    if living:
        tables.append(Table("Mutants that no test notices", ["mutant"], living))
    unexplained = Check("live without a reason", len(living), "at most", 0)
    return Part("lua", tables, [_killed_share(states.values()), unexplained])


def of_modules(told: str, change: Callable[[str], str], chosen: Collection[str] = ()) -> Part:
    """The mutants of modules, from what `mutmut results` prints of each.

    ``change`` is given the name of a mutant that lives, and tells what it changes. ``chosen``: only
    these modules; all if empty.
    """
    reasons = explained()
    all_results = dict(line.strip().rsplit(": ", 1) for line in told.splitlines())
    results = {n: s for n, s in all_results.items() if not chosen or _module(n) in chosen}
    keys = {
        name: (_module(name), change(name)) for name, what in results.items() if what not in NOTICED
    }
    states: dict[str, State] = {
        name: "killed" if name not in keys else "explained" if keys[name] in reasons else "lives"
        for name in results
    }
    known: list[list[Cell]] = [
        [f"`{_function(name)}: {key[1]}`".replace("|", r"\|"), reasons[key]]
        for name, key in keys.items()
        if key in reasons
    ]
    functions = Counter(_function(name) for name, state in states.items() if state == "lives")
    rows: list[list[Cell]] = [[f"`{name}`", many] for name, many in sorted(functions.items())]
    counts = _table(
        "Mutants of Python modules",
        "module",
        ((_module(name), state) for name, state in states.items()),
    )
    reasoned = Table("Mutants that live for a reason", ["mutant", "reason"], known)
    living = Table(
        "Functions with mutants that no test notices", ["function", "many"], rows, UNNOTICED
    )
    return Part("python", [counts, reasoned, living], [_killed_share(states.values())])


def updated(before: Part, part: Part, chosen: Collection[str]) -> Part:
    """The record of all modules, with the figures of the chosen ones replaced by new ones."""
    tables = []
    for old, new in zip(before.tables, part.tables, strict=True):
        kept = [row for row in old.rows if row[0] != "all" and not _is_of(row[0], chosen)]
        added = [row for row in new.rows if row[0] != "all"]
        tables.append(replace(new, rows=sorted([*kept, *added], key=lambda row: str(row[0]))))
    counts = tables[0]
    total, killed, reasoned, living = (
        sum(int(row[at]) for row in counts.rows) for at in range(1, 5)
    )
    rows = [*counts.rows, ["all", total, killed, reasoned, living]]
    note = f"This run measured {', '.join(chosen)}. Others keep the figures of the record before."
    tables[0] = replace(counts, rows=rows, note=note)
    share = Check("killed share", killed / max(total, 1), "at least", FLOOR)
    return replace(part, tables=tables, checks=[share])


def _is_of(cell: Cell, chosen: Collection[str]) -> bool:
    """Whether a row that begins with this cell is of one of the modules."""
    name = str(cell).strip("`") + "."
    return any(name.startswith(f"{module}.") for module in chosen)


def _module(mutant: str) -> str:
    return mutant.rpartition(".")[0]


def _function(mutant: str) -> str:
    """`a.b.xǁOneǁtwo__mutmut_3` is in `a.b.One.two`, and `a.b.x_two__mutmut_3` in `a.b.two`."""
    module, _, mangled = mutant.rpartition("__mutmut_")[0].rpartition(".")
    return f"{module}." + mangled.removeprefix("x").strip("ǁ").replace("ǁ", ".").removeprefix("_")


def _table(title: str, what: str, found: Iterable[tuple[str, State]]) -> Table:
    counts: dict[str, Counter[State]] = defaultdict(Counter)
    for name, state in found:
        counts[name][state] += 1
    rows: list[list[Cell]] = [
        [name, each.total(), each["killed"], each["explained"], each["lives"]]
        for name, each in sorted(counts.items())
    ]
    total = sum(counts.values(), Counter[State]())
    rows.append(["all", total.total(), total["killed"], total["explained"], total["lives"]])
    return Table(title, [what, "all", "killed", "live for a reason", "live"], rows)


def _killed_share(states: Collection[State]) -> Check:
    killed = sum(state == "killed" for state in states)
    return Check("killed share", killed / max(len(states), 1), "at least", FLOOR)
