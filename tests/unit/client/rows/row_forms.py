"""Parses the forms that the fake server received."""

from email import message_from_bytes
from email.policy import HTTP


def form(asked):
    """The fields of a form, and the name of its file."""
    head = f"Content-Type: {asked.headers['Content-Type']}\r\n\r\n".encode()
    parts = list(message_from_bytes(head + asked.body, policy=HTTP).iter_parts())
    named = [part.get_param("name", header="content-disposition") for part in parts]
    contents = [part.get_payload(decode=True).decode() for part in parts]
    return list(zip(named, contents, strict=True)), parts[-1].get_filename()
