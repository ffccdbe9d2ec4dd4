"""Remote files, such as ``s3://``, through fsspec."""

import errno
import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

_VERSIONS = ("ETag", "etag", "LastModified", "updated", "mtime", "created")
"""Keys that fsspec's file systems use for a file's version."""

_LASTING = (
    *(FileNotFoundError, PermissionError, IsADirectoryError, NotADirectoryError, ImportError),
    *(ValueError, TypeError, LookupError, NotImplementedError),
)
_LASTING_NUMBERS = (errno.EINVAL, errno.ENAMETOOLONG, errno.ENOSYS)


def open_remote(uri: str) -> IO[bytes]:
    """Open a file; errors while it is read are `OSError` with an ``errno``."""
    filesystem, path = _filesystem_and_path(uri)
    # No cache: fsspec's others fetch up to 50 MB for a read of four bytes. For the same reason the
    # buffer is of one byte, the least that is possible.
    return io.BufferedReader(_Remote(filesystem.open(path, "rb", cache_type="none")), 1)


def remote_stamp(uri: str) -> str:
    """Size and version of a file, by its file system."""
    filesystem, path = _filesystem_and_path(uri)
    filesystem.invalidate_cache(path)  # else a change would not be seen
    about = filesystem.info(path)
    version = next((about[key] for key in _VERSIONS if key in about), "")
    return f"{about['size']} {version}"


def is_transient(error: Exception) -> bool:
    """Whether an error is transient: not for a missing file or a missing permission.

    Remote file systems raise many types for timeouts, lost connections and server errors, so all
    but the known lasting ones count as transient.
    """
    number = error.errno if isinstance(error, OSError) else None
    return not isinstance(error, _LASTING) and number not in _LASTING_NUMBERS


class _Remote(io.RawIOBase):
    """The bytes of a remote file, fetched as they are read."""

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


def _filesystem_and_path(uri: str) -> tuple[Any, str]:
    import fsspec  # noqa: PLC0415 - rarely needed, and slow to import

    found: tuple[Any, str] = fsspec.core.url_to_fs(uri)
    return found


@contextmanager
def _as_oserror() -> Iterator[None]:
    try:
        yield
    except Exception as error:
        number = errno.EIO if is_transient(error) else errno.EINVAL
        raise OSError(number, str(error) or repr(error)) from error
