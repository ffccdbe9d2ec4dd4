"""The author of a change and the reason, for the history of a model."""

import getpass

from predictq.arguments import text


def cause(why: str) -> dict[str, str]:
    """The fields of a request for a change: the author and the reason."""
    try:
        by = {"by": getpass.getuser()}
    except (KeyError, OSError):  # the account has no name
        by = {}
    return by | {"why": text("why", why)}
