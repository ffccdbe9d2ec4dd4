"""Reads the parts of a multipart form: fields into memory, files to where they are opened."""

from collections.abc import Callable
from io import BytesIO
from itertools import chain
from typing import IO, Any

from werkzeug.datastructures import FileStorage, MultiDict
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.formparser import MultiPartParser
from werkzeug.http import parse_options_header
from werkzeug.sansio.multipart import (
    BLANK_LINE_RE,
    Data,
    Epilogue,
    Event,
    Field,
    File,
    MultipartDecoder,
    NeedData,
    State,
)
from werkzeug.wsgi import get_input_stream

MAX_FORM_MEMORY_BYTES = 2**18
"""Bytes of a form held in memory: its fields together."""
MAX_FORM_PARTS = 128
MAX_PART_HEAD_BYTES = 4096
"""Bytes of the head of a part: room for a file name of 255 characters, encoded twice."""
PIECE_BYTES = 2**16
"""Bytes read at a time."""


class BoundedDecoder(MultipartDecoder):
    """Werkzeug's decoder, which would take a tenth of a second for a head of 64 KiB."""

    def next_event(self) -> Event:
        """The next event; raises `RequestEntityTooLarge` before a long head is parsed."""
        is_long = self.state is State.PART and len(self.buffer) > MAX_PART_HEAD_BYTES
        if is_long and not BLANK_LINE_RE.search(self.buffer, 0, MAX_PART_HEAD_BYTES):
            raise RequestEntityTooLarge
        return super().next_event()


class Form:
    """A form, part by part."""

    def __init__(self, opener: Callable[[str], IO[bytes]]) -> None:
        self.fields = MultiDict[str, str]()
        self.files = MultiDict[str, FileStorage]()
        self._opener = opener
        self._head: Field | File
        self._content: IO[bytes]
        self._held_bytes = 0

    def read(self, environ: dict[str, Any]) -> None:
        """Read all parts; raises `ValueError` or `RequestEntityTooLarge`."""
        boundary = parse_options_header(environ.get("CONTENT_TYPE"))[1].get("boundary", "")
        if not boundary:
            raise ValueError("Missing boundary")
        stream = get_input_stream(environ)
        decoder = BoundedDecoder(
            boundary.encode("ascii"), MAX_FORM_MEMORY_BYTES, max_parts=MAX_FORM_PARTS
        )
        pieces = iter(lambda: stream.read(PIECE_BYTES), b"")
        for piece in chain(pieces, (None,)):
            decoder.receive_data(piece)
            while not isinstance(event := decoder.next_event(), NeedData | Epilogue):
                self._take(event)

    def _take(self, event: Event) -> None:
        if isinstance(event, Field | File):
            self._head = event
            self._content = self._opener(event.filename) if isinstance(event, File) else BytesIO()
        elif isinstance(event, Data):
            self._write(event.data)
            if not event.more_data:
                self._content.seek(0)
                self._end(self._head)

    def _write(self, data: bytes) -> None:
        if isinstance(self._head, Field):
            self._held_bytes += len(data)
            if self._held_bytes > MAX_FORM_MEMORY_BYTES:
                raise RequestEntityTooLarge
        self._content.write(data)

    def _end(self, head: Field | File) -> None:
        if isinstance(head, File):
            file = FileStorage(self._content, head.filename, head.name, headers=head.headers)
            self.files.add(head.name, file)
        else:
            charset = MultiPartParser().get_part_charset(head.headers)
            self.fields.add(head.name, self._content.read().decode(charset, "replace"))
