"""Signing in: the local key gives a one-time address, and a form on that page a session."""

import msgspec
from flask import Blueprint, Response, request

from api.console.rendering import Pages
from api.console.session.sessions import COOKIE, MAX_SESSION_SECONDS, Sessions
from api.console.session.viewer import CONSOLE_PATH, is_signed_in
from api.http.responses import json_response
from telemetry.errors import Forbidden

CODES_ROUTE = f"{CONSOLE_PATH}/codes"


class SignInAddress(msgspec.Struct, frozen=True):
    """The answer to a request for a one-time code."""

    path: str
    """Path of the page on which the code is exchanged, with the code."""


class SignInViews:
    """The views."""

    def __init__(self, sessions: Sessions, pages: Pages) -> None:
        self._sessions, self._pages = sessions, pages

    def add_to(self, routes: Blueprint) -> None:
        """Add the routes of the pages."""
        routes.get("/sign-in")(self.sign_in_form)
        routes.post("/sign-in")(self.sign_in)
        routes.post("/sign-out")(self.sign_out)

    def issue(self) -> Response:
        """Answer a one-time address; raises `Forbidden` without a local key, and for a session."""
        if is_signed_in():  # it would live for longer than a week
            raise Forbidden("a session makes no other one: use a key")
        return json_response(
            SignInAddress(f"{CONSOLE_PATH}/sign-in?code={self._sessions.issue_code()}")
        )

    def sign_in_form(self) -> Response:
        """Show the form that exchanges a code: a GET must not use it up, as previews send GETs."""
        return self._pages.show("sign_in.html", "Sign in", code=request.args.get("code", ""))

    def sign_in(self) -> Response:
        """Exchange the code for a session."""
        cookie = self._sessions.exchange(request.form.get("code", "").strip())
        response = _to_overview()
        response.set_cookie(
            COOKIE,
            cookie,
            max_age=MAX_SESSION_SECONDS,
            path=CONSOLE_PATH,
            # A proxy that ends TLS hides the scheme; the origin that browsers send has it.
            secure=request.is_secure or request.headers.get("Origin", "").startswith("https://"),
            httponly=True,
            samesite="Strict",
        )
        return response

    def sign_out(self) -> Response:
        """End the session."""
        self._sessions.end(request.cookies.get(COOKIE, ""))
        response = _to_overview()
        response.delete_cookie(COOKIE, path=CONSOLE_PATH)
        return response


def _to_overview() -> Response:
    response = Response(status=303)
    response.headers["Location"] = CONSOLE_PATH
    return response
