"""The parts of a process's state that a model may change, and how each is read and written."""

import contextlib
import gc
import locale
import os
import signal
import socket
import sys
import time
import warnings
from _signal import getsignal  # type: ignore[import-not-found]  # without enums: 40 times as fast
from collections.abc import Callable
from functools import cache, partial
from importlib import import_module
from typing import Any, NamedTuple

import pandas as pd

_SIGNALS = signal.SIGALRM, signal.SIGCHLD
"""Signals that enforce time limits, and tell of ends."""

_GROUPS = {group: pd.options.d[group] for group in ("compute", "future", "mode")}
"""Groups of pandas' options, as it keeps them; the others are about what it shows."""
_VARIABLES: dict[bytes, bytes] = vars(os.environ)["_data"]
"""The dictionary behind `os.environ`: decoding all variables takes a hundred times as long."""


class StatePart(NamedTuple):
    """One part: a name for messages, and how it is read and written."""

    name: str
    read: Callable[[], Any]
    write: Callable[[Any], Any]
    is_kept: bool = True
    """Whether a version that changed it finds it so at its next call."""


def _set_environment(kept: dict[bytes, bytes]) -> None:
    for name in os.environb.keys() - kept.keys():
        del os.environb[name]
    for name, value in kept.items():
        if os.environb.get(name) != value:
            os.environb[name] = value
    time.tzset()  # the variable TZ


def _set_handlers(kept: dict[signal.Signals, Any]) -> None:
    for number, handler in kept.items():
        if handler is not None:  # one of native code, which Python cannot set
            signal.signal(number, handler)


def _working_directory() -> str:
    with contextlib.suppress(FileNotFoundError):  # a model may have deleted it
        return os.getcwd()
    return ""


def _handlers() -> dict[signal.Signals, Any]:
    return {number: getsignal(number) for number in _SIGNALS}


@cache
def _sklearn() -> Any:
    return import_module("sklearn")  # only a process that loads a model needs it


def _pandas_options() -> dict[str, dict[str, Any]]:
    return {group: options.copy() for group, options in _GROUPS.items()}


def _set_pandas_options(kept: dict[str, dict[str, Any]]) -> None:
    now = _pandas_options()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # some are deprecated
        for group, options in kept.items():
            for name in (name for name, value in options.items() if value != now[group][name]):
                pd.set_option(f"{group}.{name}", options[name])


_set_locale = partial(locale.setlocale, locale.LC_ALL)

CHANGEABLE = (
    StatePart("environment variables", _VARIABLES.copy, _set_environment),
    StatePart("the working directory", _working_directory, os.chdir),
    StatePart("the locale", _set_locale, _set_locale),
    StatePart(
        "options of scikit-learn",
        lambda: _sklearn().get_config(),
        lambda kept: _sklearn().set_config(**kept),
    ),
    StatePart("options of pandas", _pandas_options, _set_pandas_options),
    StatePart("the recursion limit", sys.getrecursionlimit, sys.setrecursionlimit),
    StatePart("signal handlers", _handlers, _set_handlers, is_kept=False),
    StatePart(
        "garbage collection",
        gc.isenabled,
        lambda kept: gc.enable() if kept else gc.disable(),
        is_kept=False,
    ),
    StatePart("the timeout of sockets", socket.getdefaulttimeout, socket.setdefaulttimeout),
)
