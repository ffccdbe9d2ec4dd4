"""Selectors of Prometheus, and the samples that they select."""

import re
from collections.abc import Iterator, Mapping

import msgspec
from prometheus_client.parser import text_string_to_metric_families

_selector = re.compile(r"([a-z_:][a-z0-9_:]*)(?:\{(.*)\})?")
_matcher = re.compile(r'([a-z_]+)(=~|!=|=)"([^"]*)"')


class MetricSample(msgspec.Struct, frozen=True):
    """The value of one series."""

    name: str
    labels: Mapping[str, str]
    value: float


class Selector(msgspec.Struct, frozen=True):
    """A metric's name, and what its labels must be."""

    text: str
    """The selector in the syntax of Prometheus."""
    name: str
    matchers: tuple[tuple[str, str, str], ...]
    """Label, operator (``=``, ``!=`` or ``=~``) and value."""

    def select(self, samples: Mapping[str, list[MetricSample]]) -> Iterator[MetricSample]:
        """The samples that it selects. ``samples`` are given by metric name."""
        for sample in samples.get(self.name, ()):
            if all(_fits(sample.labels.get(m[0], ""), *m[1:]) for m in self.matchers):
                yield sample


def parse_selector(text: str) -> Selector:
    """Read a selector such as ``metric{label="value"}``; raises `ValueError`."""
    found = _selector.fullmatch(text)
    matchers = tuple(_matcher.findall(found[2] or "")) if found else ()
    if not found or ",".join(f'{label}{op}"{value}"' for label, op, value in matchers) != (
        found[2] or ""
    ):
        raise ValueError(f"not a selector: {text}")
    return Selector(text, found[1], matchers)


def read_samples(exposition: str, names: frozenset[str]) -> dict[str, list[MetricSample]]:
    """The samples with these names of an answer of `/metrics`, by name."""
    # Only these lines are parsed: a thousand versions have 60,000 lines of histograms.
    lines = [line for line in exposition.splitlines() if _name_of(line) in names]
    found: dict[str, list[MetricSample]] = {}
    for family in text_string_to_metric_families("\n".join([*lines, ""])):
        for each in family.samples:
            found.setdefault(each.name, []).append(MetricSample(each.name, each.labels, each.value))
    return found


def _name_of(line: str) -> str:
    return line.partition("{")[0].partition(" ")[0]


def _fits(given: str, operator: str, wanted: str) -> bool:
    if operator == "=~":
        return re.fullmatch(wanted, given) is not None
    return (given == wanted) == (operator == "=")
