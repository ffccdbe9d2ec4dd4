"""Fingerprints of files, which change with the file, without reading its content."""

import os


def stamp_of(status: os.stat_result) -> str:
    """Size in bytes, modification time in Unix nanoseconds, and inode, separated by spaces."""
    return f"{status.st_size} {status.st_mtime_ns} {status.st_ino}"
