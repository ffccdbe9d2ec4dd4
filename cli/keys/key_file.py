"""Keys in a file, for stacks that are described by files, such as containers."""

import os
from pathlib import Path
from typing import Any

import msgspec

from cli.failure import Failure
from tasks.ledger.api_keys.api_key import encode_key
from tasks.ledger.api_keys.key_store import with_token
from tasks.ledger.api_keys.new_key import NewKey
from telemetry.errors import PredictqError


def add_to_file(path: Path, fields: dict[str, Any]) -> str:
    """Add a key to the end of a file, which is made for its owner alone; returns the token."""
    try:
        key, token = with_token(msgspec.convert(fields, NewKey).key())
        file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        with open(file, "ab") as out:
            out.write(encode_key(key) + b"\n")
    except (OSError, PredictqError, msgspec.ValidationError) as error:
        raise Failure(str(error)) from error
    return token
