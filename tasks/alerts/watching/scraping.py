"""Reads `/metrics` of the API."""

from functools import partial
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import urlsplit

from tasks.alerts.rules.selectors import MetricSample, read_samples

SCRAPE_TIMEOUT = 5.0
"""Seconds for connecting, and for each read."""
MAX_SCRAPE_BYTES = 64 * 2**20
UP = "up"
"""As Prometheus calls it: 1 if the target answered the scrape."""
REDIS_UP = "predictq_redis_up"
SCRAPE_JOB = "predictq-api"
"""The job of the API in Prometheus's configuration."""


class Scraper:
    """Scrapes one API."""

    def __init__(self, url: str, names: frozenset[str], key: str = "") -> None:
        """``names``: of the samples that are wanted. ``key``: with the scope ``metrics``, where
        every request needs one.
        """
        parts = urlsplit(url)
        kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        self._connect = partial(kind, parts.hostname or "", parts.port, timeout=SCRAPE_TIMEOUT)
        self._path = f"{parts.path.rstrip('/')}/metrics"
        self._names = names
        self._headers = {"authorization": f"Bearer {key}"} if key else {}

    def scrape(self) -> dict[str, list[MetricSample]]:
        """The samples by name, with `up`; that alone if the API does not answer."""
        try:
            found = read_samples(self._text(), self._names)
        except (OSError, HTTPException, ValueError):
            return _up(0.0)
        return found | _up(1.0)

    def _text(self) -> str:
        connection = self._connect()
        try:
            connection.request("GET", self._path, headers=self._headers)
            answer = connection.getresponse()
            body = answer.read(MAX_SCRAPE_BYTES)
        finally:
            connection.close()
        if answer.status != HTTPStatus.OK:
            raise ValueError(f"/metrics: HTTP {answer.status}")
        return body.decode()


def _up(value: float) -> dict[str, list[MetricSample]]:
    return {UP: [MetricSample(UP, {"job": SCRAPE_JOB}, value)]}
