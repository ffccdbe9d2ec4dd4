"""All exhibits by name."""

from benchmarks.zoo import answers
from benchmarks.zoo.exhibit import Make
from benchmarks.zoo.exhibits import guide_linear, guide_other, notebooks, people

GROUPS: dict[str, tuple[Make, ...]] = {
    "as people have them": (*people.EXHIBITS, *answers.EXHIBITS),
    "of the user guide": (*guide_linear.EXHIBITS, *guide_other.EXHIBITS),
    "of notebooks": notebooks.EXHIBITS,
}
BY_NAME: dict[str, Make] = {make.__name__: make for group in GROUPS.values() for make in group}
