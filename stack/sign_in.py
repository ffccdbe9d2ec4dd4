"""One-time addresses of the console, for users that can read the local key."""

from pathlib import Path

import msgspec

from stack.http import call_http
from tasks.key_files import read_or_make_local_key


class _Issued(msgspec.Struct):
    path: str


def sign_in_address(home: Path, url: str, port: int) -> str:
    """An address of this stack's console that signs a browser in once, within an hour.

    If the API gives none, the address of the console itself.
    """
    local_key = read_or_make_local_key(home).decode()
    answer = call_http(port, "POST", "/console/codes", local_key=local_key)
    if answer.status != 200:
        return f"{url}/console"
    return url + msgspec.json.decode(answer.body, type=_Issued).path
