"""The documentation page in a real browser: every operation, and no request to other hosts."""

from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, expect

from tests.support.stack import LiveStack

pytestmark = pytest.mark.slow


def test_docs_page_shows_every_operation_and_asks_no_other_host(
    stack: LiveStack, browser: Browser
) -> None:
    page = browser.new_page()
    asked: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda m: complaints.append(m.text) if m.type == "error" else None)
    page.goto(f"{stack.url}/docs", wait_until="networkidle")
    assert page.title() == "predictq"
    paths = stack.http.get("/openapi.json").json()["paths"]
    for item in paths.values():
        for operation in (v for k, v in item.items() if k != "parameters"):
            expect(page.get_by_text(operation["summary"]).first).to_be_visible()
    hosts = {urlsplit(url).netloc for url in asked if not url.startswith(("data:", "blob:"))}
    assert hosts == {urlsplit(stack.url).netloc}
    assert complaints == []
    page.close()
