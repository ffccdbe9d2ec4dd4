"""The documentation page in a real browser: every operation, and no request to other hosts."""

from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser

from tests.support.stack import LiveStack, until

pytestmark = pytest.mark.slow

MISSING = """summaries => {
    const parts = [...(document.querySelector("rapi-doc")?.shadowRoot?.children ?? [])];
    const shown = parts.map(part => part.innerText).join(" ");
    return summaries.filter(each => !shown.includes(each));
}"""
"""Which of some texts the page does not show; text of hidden elements does not count."""


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
    summaries = [
        operation["summary"]
        for item in stack.http.get("/openapi.json").json()["paths"].values()
        for name, operation in item.items()
        if name != "parameters"
    ]
    # All in one look: a locator for each would read the text of the whole page each time.
    until(lambda: page.evaluate(MISSING, summaries) == [], "every operation", pause=0.5)
    hosts = {urlsplit(url).netloc for url in asked if not url.startswith(("data:", "blob:"))}
    assert hosts == {urlsplit(stack.url).netloc}
    assert complaints == []
    page.close()
