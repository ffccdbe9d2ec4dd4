"""Reports visits: a table, and the messages of refusals."""

from collections.abc import Iterator, Sequence

from benchmarks.zoo.doors import DOORS
from benchmarks.zoo.visiting import SAMPLES, Visit

COLUMNS = ("model", "sample", *DOORS)


def text(visits: Sequence[Visit]) -> str:
    """The report as Markdown: table, figures and messages."""
    lines = [COLUMNS, ["---"] * len(COLUMNS), *map(_row, visits)]
    table = "\n".join("| " + " | ".join(line) + " |" for line in lines)
    words = "\n".join(line for visit in visits for line in _words(visit))
    return f"{_figures(visits)}\n\n{table}\n\n{words}\n"


def _row(visit: Visit) -> list[str]:
    doors = [str(found) for found in visit.doors.values()] or ["not registered"]
    return [visit.name, visit.sample, *doors, *[""] * (len(DOORS) - len(doors))]


def _figures(visits: Sequence[Visit]) -> str:
    models = len({visit.name for visit in visits})
    lines = [f"{models} models, registered in {len(visits)} ways: {_counted(visits)}."]
    for sample in SAMPLES:
        mine = [visit for visit in visits if visit.sample == sample]
        lines.append(f"- sample {sample}: {len(mine)}, {_counted(mine)}")
    return "\n".join(lines)


def _counted(visits: Sequence[Visit]) -> str:
    counts = {
        "equal by every door": sum(visit.is_equal for visit in visits),
        "refused somewhere": sum(v.is_right and not v.is_equal for v in visits),
        "of these not registered": sum(not visit.doors for visit in visits),
        "answered otherwise somewhere": sum(not visit.is_right for visit in visits),
        "of these said to be unknown": sum(v.is_unknown and not v.is_right for v in visits),
    }
    return ", ".join(f"{count} {what}" for what, count in counts.items())


def _words(visit: Visit) -> Iterator[str]:
    what = f"- {visit.name}, sample {visit.sample}"
    if visit.registered != "registered":
        yield f"{what}: {visit.registered:.300}"
    if visit.lost:
        yield f"{what}: it does not offer {', '.join(visit.lost)}"
    for door, found in visit.doors.items():
        if found.words:
            yield f"{what}, {door}: {found.words:.300}"
