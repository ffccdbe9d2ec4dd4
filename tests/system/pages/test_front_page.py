"""The page at the root in a real browser: the state, and no request to other hosts."""

from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.stack import LiveStack

PHONE = {"width": 320, "height": 568}


def test_page_shows_the_state_and_asks_no_other_host(stack: LiveStack, browser: Browser) -> None:
    page = browser.new_page()
    asked: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda m: complaints.append(m.text) if m.type == "error" else None)
    page.goto(stack.url)
    expect(page.get_by_role("status")).to_have_text("ready")
    expect(page.get_by_role("link", name="iris")).to_be_visible()
    expect(page.get_by_text("production=1").first).to_be_visible()
    expect(page.locator("dl")).to_contain_text("dead letters")
    hosts = {urlsplit(url).netloc for url in asked}
    assert hosts == {urlsplit(stack.url).netloc}
    assert complaints == []
    page.close()


def test_front_page_shows_a_pause_and_its_end(stack: LiveStack, browser: Browser) -> None:
    page = browser.new_page()
    assert stack.http.post("/models/iris/versions/1/pause").is_success
    try:
        page.goto(stack.url)
        expect(page.get_by_role("status")).to_have_text("ready, but a version is paused")
        expect(page.locator("dl")).to_contain_text("iris:1")
    finally:
        assert stack.http.post("/models/iris/versions/1/resume").is_success
    expect(page.get_by_role("status")).to_have_text("ready", timeout=15_000)
    page.close()


def links(page: Page) -> list[str]:
    return [link.get_attribute("href") or "" for link in page.locator("nav a").all()]


def test_page_without_javascript_is_links(stack: LiveStack, browser: Browser) -> None:
    page = browser.new_page(java_script_enabled=False)
    page.goto(stack.url)
    found = links(page)
    assert found == ["/docs", "/models", "/stats", "/metrics", "/ready"]
    for path in found:
        assert stack.http.get(path).status_code == 200
    expect(page.get_by_role("status")).to_contain_text("See /ready")
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_page_is_readable_on_a_phone_in_light_and_dark(
    stack: LiveStack, browser: Browser, scheme: str
) -> None:
    page = browser.new_page(viewport=PHONE, color_scheme=scheme)
    page.goto(stack.url)
    expect(page.get_by_role("status")).to_have_text("ready")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground == {"light": "rgb(255, 255, 255)", "dark": "rgb(15, 23, 42)"}[scheme]
    page.close()


def test_headers_of_the_page(stack: LiveStack) -> None:
    for method in ("GET", "HEAD"):
        answer = stack.http.request(method, "/", headers={"accept": "text/html,*/*;q=0.8"})
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/html")
        policies = answer.headers.get_list("content-security-policy")
        assert policies == ["default-src 'self'", "frame-ancestors 'none'"]
        assert answer.headers["x-content-type-options"] == "nosniff"
    assert stack.http.post("/").status_code == 405


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("*/*", "text/html"),
        ("", "text/html"),
        ("application/json", "application/json"),
        ("application/xml", "text/html"),
    ],
)
def test_links_as_json_by_accept_header(stack: LiveStack, accept: str, kind: str) -> None:
    answer = stack.http.get("/", headers={"accept": accept})
    assert answer.headers["content-type"].partition(";")[0] == kind
    if kind == "application/json":
        assert answer.json()["docs"] == "/docs"
        assert all(stack.http.get(path).status_code == 200 for path in answer.json().values())
