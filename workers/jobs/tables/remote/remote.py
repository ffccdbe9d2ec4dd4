"""Files that lie elsewhere, such as ``s3://``: found and read by fsspec."""

import errno
import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

_VERSIONS = ("ETag", "etag", "LastModified", "updated", "mtime", "created")
"""What filesystems call that which changes with a file."""

_LASTING = (
    *(FileNotFoundError, PermissionError, IsADirectoryError, NotADirectoryError, ImportError),
    *(ValueError, TypeError, LookupError, NotImplementedError),
)
_LASTING_NUMBERS = (errno.EINVAL, errno.ENAMETOOLONG, errno.ENOSYS)


def open_remote(uri: str) -> IO[bytes]:
    """Open a file; what fails while it is read is an `OSError` with a number."""
    filesystem, path = _place(uri)
    # Each read asks for what it wants: other caches fetch 50 MB for four bytes.
    return io.BufferedReader(_Remote(filesystem.open(path, "rb", cache_type="none")), 1)


def remote_stamp(uri: str) -> str:
    """The size of a file, and its version as its place tells it."""
    filesystem, path = _place(uri)
    filesystem.invalidate_cache(path)
    about = filesystem.info(path)
    version = next((about[key] for key in _VERSIONS if key in about), "")
    return f"{about['size']} {version}"


def passes(error: Exception) -> bool:
    """Whether asking again may help: not where there is no such file, or no right to it.

    Who fetches from afar may raise anything for a time-out, a lost connection, or trouble there.
    """
    number = error.errno if isinstance(error, OSError) else None
    return not isinstance(error, _LASTING) and number not in _LASTING_NUMBERS


class _Remote(io.RawIOBase):
    """The bytes of a file, asked for as they are read."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        with _as_oserror():
            octets = self._file.read(len(buffer))
        buffer[: len(octets)] = octets
        return len(octets)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()


def _place(uri: str) -> tuple[Any, str]:
    import fsspec  # noqa: PLC0415 - seldom needed, and slow to import

    place: tuple[Any, str] = fsspec.core.url_to_fs(uri)
    return place


@contextmanager
def _as_oserror() -> Iterator[None]:
    try:
        yield
    except Exception as error:
        number = errno.EIO if passes(error) else errno.EINVAL
        raise OSError(number, str(error) or repr(error)) from error
