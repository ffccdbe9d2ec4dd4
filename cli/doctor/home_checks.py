"""Checks of the home: its mode, which decides what other accounts can enter it, and its keys."""

import math
import os
import stat
import time
from functools import partial
from pathlib import Path

from cli.backups.archive import last_backup
from cli.doctor.finding import Check, Observation, graded, listed
from registry.storage.signing import KEY
from tasks.key_files import ID_KEY, LOCAL_KEY

_BACKUP = "docs/backup.md#make-one"
OLD_BACKUP_HOURS = 25.0
"""Hours after which a backup that is made daily is missed."""
_HOME = "docs/operations.md#what-lies-in-the-home"


def home_checks(home: Path) -> list[Check]:
    """Checks of a home that exists."""
    return [
        Check("home", _HOME, partial(_home, home)),
        Check("keys", _HOME, partial(_keys, home)),
        Check("backup", _BACKUP, partial(_backup, home)),
    ]


def _home(home: Path) -> Observation:
    found = home.stat()
    mode = stat.S_IMODE(found.st_mode)
    text = f"{home}, mode {mode:04o}"
    if found.st_uid != os.getuid():
        remedy = "Run this command as the user of the stack, or give its home to this user."
        return Observation("fail", f"{text}, belongs to another user", remedy)
    remedy = f"Close it to other users: chmod 700 {home}."
    if mode & (stat.S_IWGRP | stat.S_IWOTH):
        return Observation("fail", f"{text}: others may replace its keys and models", remedy)
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        return Observation("warn", f"{text}: others may read models and logs", remedy)
    return Observation("pass", text)


def _keys(home: Path) -> Observation:
    paths = [home / name for name in (LOCAL_KEY, ID_KEY, KEY)]
    there = [path for path in paths if path.exists()]
    if empty := [path.name for path in there if not path.stat().st_size]:
        remedy = "Restore them from a backup: what they signed is refused with any other key."
        return Observation("fail", f"empty: {listed(empty)}", remedy)
    if open_to_others := [path.name for path in there if _is_open(path)]:
        remedy = f"Close them with chmod 600 in {home}, and renew them if others could log in."
        return Observation("fail", f"others may read: {listed(open_to_others)}", remedy)
    if not (home / ID_KEY).exists() and _has_log(home / "redis"):
        remedy = "Restore it from a backup: ids that were given out are unknown without it."
        return Observation("fail", f"{ID_KEY} is missing beside Redis's data", remedy)
    return Observation("pass", f"private: {listed([path.name for path in there]) or 'none yet'}")


def _backup(home: Path) -> Observation:
    made, remedy = last_backup(home), f"Make one: predictq backup FILE --home {home}."
    if made is None:
        return Observation("warn", "none was made of this home", remedy)
    hours = max(time.time() - made.made_at, 0) / 3600
    level = graded(hours, warn=OLD_BACKUP_HOURS, fail=math.inf)
    return Observation(level, f"{hours:.1f} h old: {made.path}", remedy)


def _is_open(path: Path) -> bool:
    return bool(path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO))


def _has_log(directory: Path) -> bool:
    """Whether Redis has written to its log; the first start makes the files before the key."""
    return any(path.stat().st_size for path in directory.rglob("*.aof"))
