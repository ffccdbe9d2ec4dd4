"""The author of a change and the reason, for the history of a model."""

import getpass
from collections.abc import Callable
from typing import Any

import click

from registry.history import Cause

why_option: Callable[[Callable[..., Any]], Callable[..., Any]] = click.option(
    "--why", default="", help="Reason, for the history."
)


def cause_of(why: str = "") -> Cause:
    """The cause of a change that the user of this process makes."""
    try:
        return Cause(getpass.getuser(), why)
    except (KeyError, OSError):  # the account has no name, as in some containers
        return Cause("a user without a name", why)
