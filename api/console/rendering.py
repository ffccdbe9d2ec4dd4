"""Renders templates: the environment, what every page has, and the addresses of static files."""

import hashlib
from pathlib import Path
from typing import Any

from flask import Response, request
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from api.callers.current import current_caller
from api.console.formatting import FILTERS
from api.console.live.sampler import Picture, Sampler
from api.console.notices import notice_text
from api.console.session.viewer import CONSOLE_PATH, is_signed_in

HERE = Path(__file__).parent
STATIC_FILES = HERE / "static"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; font-src 'self'; form-action 'self'; frame-ancestors 'none'; "
    "base-uri 'none'"
)


def templates() -> Environment:
    """The templates; all that they print is escaped, and a name that is not given is an error."""
    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(FILTERS)
    environment.globals.update(asset=asset)
    return environment


class Pages:
    """Renders whole pages for the current request."""

    def __init__(self, environment: Environment, sampler: Sampler) -> None:
        self._environment, self._sampler = environment, sampler

    def show(self, template: str, title: str, status: int = 200, **values: Any) -> Response:
        """A page. Beside ``values`` its template gets what the frame of all pages needs."""
        frame = {
            "title": title,
            "path": request.path.removeprefix(CONSOLE_PATH).strip("/").partition("/")[0],
            "here": request.full_path.removesuffix("?"),
            "signed_in": is_signed_in(),
            "is_admin": current_caller(request).may("admin"),
            "notice": notice_text(request.args.get("notice", "")),
        }
        values.setdefault("picture", self.picture)
        html = self._environment.get_template(template).render(frame | values)
        return page_response(html, status)

    @property
    def picture(self) -> Picture:
        """The state of the stack, at most a second old."""
        self._sampler.start()
        return self._sampler.current()


def page_response(html: str, status: int = 200) -> Response:
    """HTML with the headers of a page."""
    headers = {"Content-Security-Policy": POLICY, "Cache-Control": "no-store"}
    return Response(html, status, headers, content_type="text/html; charset=utf-8")


def asset(name: str, known: dict[str, str] = {}) -> str:  # noqa: B006 - it is a cache
    """The address of a static file, which changes with its content."""
    if name not in known:
        digest = hashlib.sha256((STATIC_FILES / name).read_bytes()).hexdigest()[:12]
        known[name] = f"/console/static/{name}?v={digest}"
    return known[name]
