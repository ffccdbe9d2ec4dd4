"""Sends notifications to the apprise URLs of ``PREDICTQ_NOTIFY``, such as ``mailto://…``.

The URLs hold passwords: logs and messages name no more of one than its scheme and its number.
"""

import logging
import os

from telemetry.log_throttle import LogThrottle

log = logging.getLogger(__name__)
NOTIFY_VARIABLE = "PREDICTQ_NOTIFY"


class Notifier:
    """The channels by which operators are told."""

    def __init__(self, urls: list[str]) -> None:
        self._urls = urls
        self._throttle = LogThrottle()

    @classmethod
    def from_environment(cls) -> "Notifier":
        """The URLs of ``PREDICTQ_NOTIFY``, separated by blanks."""
        return cls(os.environ.get(NOTIFY_VARIABLE, "").split())

    @property
    def channels(self) -> list[str]:
        """The part of each URL that may be shown: no secrets."""
        return [f"{url.partition(':')[0][:20]} (URL {n})" for n, url in enumerate(self._urls, 1)]

    def send(self, title: str, body: str) -> bool:
        """Send to every channel; whether one took it. None raises."""
        failed = self.send_to_all(title, body)
        if failed and (count := self._throttle.count()):
            log.error("%d notifications failed, the latest to: %s", count, ", ".join(failed))
        # One is enough: another attempt would repeat it where it has arrived.
        return len(failed) < len(self._urls)

    def send_to_all(self, title: str, body: str) -> list[str]:
        """Send to every channel; returns those that failed."""
        sent = zip(self.channels, self._urls, strict=True)
        return [channel for channel, url in sent if not _send(url, title, body)]


def _send(url: str, title: str, body: str) -> bool:
    # Here, as importing it takes a third of a second and 20 MB.
    import apprise  # noqa: PLC0415 - see above

    # Its lines quote addresses.
    logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)
    channel = apprise.Apprise()
    try:
        return bool(channel.add(url) and channel.notify(body=body, title=title))
    except Exception:  # noqa: BLE001 - of any of a hundred services; the text may quote the URL
        return False
