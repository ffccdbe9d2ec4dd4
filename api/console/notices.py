"""The notices of pages after an act: the address names a notice, whose text is here.

If the address had the text itself, any link could make the console show any text.
"""

import re
from urllib.parse import quote

from flask import Response

TEXTS = {
    "cancelled": "Cancelled, unless it had an outcome before.",
    "paused": "Paused: new submissions are refused, and what waits is parked.",
    "resumed": "Resumed: parked messages go back to their queue.",
    "job-cancelled": "Cancelled: no further chunk starts, and running ones are finished.",
    "job-resumed": "Resumed at the first unfinished chunk.",
    "job-deleted": "Deleted, with its own files.",
    "replayed": "{} replayed, {} refused.",
    "deleted": "{} deleted.",
    "key-revoked": "Revoked: within five seconds no process takes it.",
}
"""Name of a notice → its text, with a placeholder `{}` for each number."""
_notice = re.compile(r"([a-z-]{1,20})((?:\.\d{1,7}){0,2})", re.ASCII)


def notice_text(given: str) -> str:
    """The text of the notice that an address names; empty for an unknown one."""
    found = _notice.fullmatch(given)
    text = TEXTS.get(found[1], "") if found else ""
    numbers = found[2].split(".")[1:] if found else []
    return text.format(*numbers) if text.count("{}") == len(numbers) else ""


def see_other(path: str, notice: str, *numbers: int) -> Response:
    """Send the browser to a page after an act, so that reloading does not repeat the act.

    ``path`` is percent-encoded here.
    """
    response = Response(status=303)
    named = ".".join([notice, *map(str, numbers)])
    response.headers["Location"] = f"{quote(path)}?notice={named}"
    return response
