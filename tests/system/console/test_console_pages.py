"""Every page of the console in a real browser: it renders, is accessible, and fits a phone."""

import json
import re
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, Route, expect

from api.watch.notifying import Notifier
from api.watch.running import watch_of
from tests.support.stack import LiveStack, until
from tests.system.console.scenes import IRIS, succeeded

AXE = Path(__file__).with_name("axe.min.js")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
PHONE = {"width": 320, "height": 640}
WIDER = """() => document.documentElement.scrollWidth <= innerWidth ? [] :
    [...document.querySelectorAll("body *")]
        .filter(element => element.getBoundingClientRect().right > innerWidth)
        .map(element => element.outerHTML.slice(0, 200))"""
"""The elements of a page that reach beyond the window, if the page does."""
SPACE_OF_LABELS = """([chart, label]) => {
    const text = document.createElement("canvas").getContext("2d");
    text.font = "12px system-ui";
    const plot = document.querySelector(`${chart} .u-over`).getBoundingClientRect();
    const left = document.querySelector(chart).getBoundingClientRect().left;
    return [plot.left - left, text.measureText(label).width];
}"""
"""The pixels left of a chart, and those that a label takes."""
PAGES = {
    "": "Overview",
    "/queues": "Queues",
    "/predictions": "Predictions",
    "/models": "Models",
    "/models/iris": "iris",
    "/batches": "Batch jobs",
    "/dead-letters": "Dead letters",
    "/try/iris": "iris",
    "/workers": "Workers",
    "/runbooks/queue-age": "queue-age",
    "/sign-in": "Sign in",
    "/search": "Search",
    "/keys": "API keys",
    "/audit": "Audit log",
}


def violations(page: Page) -> list[Any]:
    """What axe finds wrong: the rule, and the first element."""
    page.evaluate(AXE.read_text())
    found = page.evaluate("rules => axe.run({runOnly: {type: 'tag', values: rules}})", RULES)[
        "violations"
    ]
    return [(each["id"], each["nodes"][0]["html"]) for each in found]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path or "overview")
def test_console_page_renders_and_is_accessible_in_both_themes(
    stack: LiveStack, page: Page, complaints: list[str], path: str
) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"/console{path}")
    expect(page.get_by_role("heading", level=1).first).to_contain_text(PAGES[path])
    page.emulate_media(color_scheme="light")
    assert violations(page) == []
    page.emulate_media(color_scheme="dark")
    assert violations(page) == []
    page.set_viewport_size(PHONE)
    assert page.evaluate(WIDER) == []
    assert {urlsplit(url).netloc for url in asked} == {urlsplit(stack.url).netloc}
    assert complaints == []


def test_console_page_of_a_prediction(stack: LiveStack, page: Page, complaints: list[str]) -> None:
    task_id = succeeded(stack)
    page.goto(f"/console/search?q={task_id}")
    assert page.url == f"{stack.url}/console/predictions/{task_id}"
    expect(page.locator(".life")).to_contain_text("waiting")
    expect(page.get_by_text("scikit-learn").first).to_be_visible()
    expect(page.locator("#curl")).to_contain_text(f"/predict/result/{task_id}")
    assert violations(page) == []
    assert complaints == []


def test_console_root_leads_there(stack: LiveStack, page: Page) -> None:
    page.goto("/")
    assert page.url == f"{stack.url}/console"


def test_console_overview_says_that_all_is_well_and_follows_the_state(
    stack: LiveStack, page: Page, complaints: list[str]
) -> None:
    page.goto("/console")
    expect(page.locator("#live")).to_have_text("live")
    expect(page.locator("#chart-load canvas")).to_be_visible()
    expect(page.locator("#state")).to_contain_text("No watch evaluates the alert rules")
    watch = watch_of(stack.url, stack.redis_url, Notifier([]))
    assert stack.owner.post("/models/diabetes/versions/1/pause").is_success
    try:
        watch.look(time.time())
        expect(page.locator("#state")).to_contain_text("diabetes:1 is paused", timeout=15_000)
        expect(page.locator("#state")).not_to_contain_text("No watch")
    finally:
        assert stack.owner.post("/models/diabetes/versions/1/resume").is_success
    watch.look(time.time())
    expect(page.locator("#state")).not_to_contain_text("diabetes:1", timeout=15_000)
    watch.close()
    assert complaints == []


def test_console_keeps_the_last_picture_while_redis_is_away(stack: LiveStack, page: Page) -> None:
    page.goto("/console")
    expect(page.locator("#live")).to_have_text("live")
    expect(page.locator("#figures")).to_contain_text("Workers")
    with stack.frozen("redis"):
        expect(page.locator("#banner")).to_contain_text(
            "Redis has not answered since", timeout=15_000
        )
        expect(page.locator("body")).to_have_class("stale")
        expect(page.locator("#figures")).to_contain_text("Workers")
        expect(page.locator("#state")).to_contain_text("Redis does not answer")
    expect(page.locator("#banner")).to_be_empty(timeout=15_000)
    expect(page.locator("body")).not_to_have_class("stale")


def test_console_keys_lead_to_pages_and_change_the_theme(stack: LiveStack, page: Page) -> None:
    page.goto("/console")
    page.keyboard.press("g")
    page.keyboard.press("m")
    page.wait_for_url(f"{stack.url}/console/models")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url(f"{stack.url}/console/models/diabetes")
    page.keyboard.press("t")
    theme = page.evaluate("document.documentElement.dataset.theme")
    page.reload()
    assert page.evaluate("document.documentElement.dataset.theme") == theme
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    page.keyboard.type("iris")
    page.keyboard.press("Enter")
    page.wait_for_url(f"{stack.url}/console/models/iris")


def test_console_lists_what_waits_only_to_signed_in_viewers(stack: LiveStack, page: Page) -> None:
    with stack.frozen("worker"):
        task_id = stack.submit("iris", IRIS)["id"]
        page.goto("/console/predictions")
        expect(page.get_by_role("link", name=task_id)).to_be_visible()
        answer = stack.http.get("/console/predictions")
        assert task_id not in answer.text
        assert "Sign in to see" in answer.text
    assert until(lambda: stack.outcome(task_id), "the outcome")["status"] == "succeeded"


def test_console_charts_have_space_for_long_labels(stack: LiveStack, page: Page) -> None:
    """Of a million a second, and of latencies beyond ten seconds."""
    points = [[1e9 + 10 * n, 1_234_567.0, 1e6, 25.0, 90.0, 400.0, 0.0, 0] for n in range(4)]

    def with_points(route: Route) -> None:
        answer = route.fetch()
        chart = f'id="points">{json.dumps(points)}<'
        route.fulfill(response=answer, body=re.sub(r'id="points">[^<]*<', chart, answer.text()))

    page.route("**/console", with_points)
    page.goto("/console")
    for chart, label in {"#chart-load": "1,400,000", "#chart-latency": "7.5 min"}.items():
        expect(page.locator(f"{chart} canvas")).to_be_visible()
        free, needed = page.evaluate(SPACE_OF_LABELS, [chart, label])
        assert free >= needed, chart


def test_console_navigation_shows_the_current_page_on_a_phone(stack: LiveStack, page: Page) -> None:
    page.set_viewport_size(PHONE)
    page.goto("/console/workers")
    current = page.locator("nav [aria-current]")
    expect(current).to_have_text("Workers")
    expect(current).to_be_in_viewport(ratio=1)
