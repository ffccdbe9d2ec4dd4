"""Callers for tests of views, whom admission would have told from their keys."""

from typing import Any

from flask import Flask
from flask.testing import FlaskClient

from api.callers.current import CALLER
from tasks.callers.caller import LOCAL_CALLER, Caller
from tasks.callers.scopes import EVERY_SCOPE

OWNER = Caller(EVERY_SCOPE, key="local000", name="local key")


def environ_of(caller: Caller) -> dict[str, Any]:
    """The WSGI environment of a request by this caller."""
    return {CALLER: caller}


def client_of(app: Flask, caller: Caller = LOCAL_CALLER) -> FlaskClient:
    """A client whose requests this caller sends."""
    client = app.test_client()
    client.environ_base |= environ_of(caller)
    return client
