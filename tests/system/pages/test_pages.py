"""Pages in a real browser: the documentation, and those of other origins that call the API."""

from http.server import ThreadingHTTPServer
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser

from tests.support.stack import LiveStack, until
from tests.support.webhooks.receiver import serving

pytestmark = pytest.mark.slow

CALL = """async ([url, key]) => {
    const headers = {"content-type": "application/json", authorization: `Bearer ${key}`};
    const body = JSON.stringify({model: "iris", features: [5.8, 2.8, 5.1, 2.4]});
    try {
        const answer = await fetch(`${url}/predict/async`, {method: "POST", headers, body});
        return [answer.status, answer.headers.get("location") !== null];
    } catch (error) {
        return [error.name, false];
    }
}"""
"""Submit a prediction, as a page does: what came of it, and whether the page sees the address."""
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


def test_page_of_a_listed_origin_calls_the_api_and_no_other_one_does(
    stack: LiveStack, browser: Browser, page_server: ThreadingHTTPServer
) -> None:
    key = (stack.home / "local.key").read_text().strip()
    page = browser.new_page()
    with serving(page_server):
        page.goto(f"http://127.0.0.1:{page_server.server_port}/")
        assert page.evaluate(CALL, [stack.url, key]) == [202, True]
        assert page.evaluate(CALL, [stack.url, "wrong"]) == [401, False]
        page.goto(f"http://localhost:{page_server.server_port}/")
        assert page.evaluate(CALL, [stack.url, key]) == ["TypeError", False]
        page.close()
