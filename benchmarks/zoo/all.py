"""All exhibits by name."""

from benchmarks.zoo import answers, guide_linear, guide_other, notebooks, people
from benchmarks.zoo.exhibit import Make

GROUPS: dict[str, tuple[Make, ...]] = {
    "as people have them": (*people.EXHIBITS, *answers.EXHIBITS),
    "of the user guide": (*guide_linear.EXHIBITS, *guide_other.EXHIBITS),
    "of notebooks": notebooks.EXHIBITS,
}
BY_NAME: dict[str, Make] = {make.__name__: make for group in GROUPS.values() for make in group}
