"""Each form of the console has its effect, also in a browser without scripts."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.stack import LiveStack, until
from tests.system.console.scenes import IRIS, batch_job, dead_letters, sign_in_path


@pytest.fixture
def bulky(stack: LiveStack) -> Iterator[LiveStack]:
    stack.start("bulk")
    yield stack
    stack.stop("bulk")


def paused(stack: LiveStack) -> list[str]:
    return [version["model"] for version in stack.http.get("/stats").json()["paused"]]


def test_console_pauses_and_resumes_a_version(stack: LiveStack, page: Page) -> None:
    page.goto("/console/models/diabetes")
    page.locator("summary", has_text="Pause").click()
    expect(page.get_by_text("Pause diabetes:1?")).to_be_visible()
    page.locator("form").get_by_role("button", name="Pause").click()
    expect(page.get_by_role("status").first).to_contain_text("Paused")
    assert paused(stack) == ["diabetes:1"]
    page.get_by_role("button", name="Resume").click()
    expect(page.get_by_role("status").first).to_contain_text("Resumed")
    assert paused(stack) == []


def test_console_cancels_a_prediction(stack: LiveStack, page: Page) -> None:
    with stack.frozen("worker"):
        task_id = stack.submit("iris", IRIS)["id"]
        page.goto(f"/console/predictions/{task_id}")
        expect(page.locator(".pill")).to_have_text("queued")
        page.locator("summary", has_text="Cancel").click()
        page.locator("form").get_by_role("button", name="Cancel").click()
        expect(page.locator(".pill")).to_have_text("cancelled")
    assert stack.status(task_id) == "cancelled"


def test_console_replays_and_deletes_dead_letters_by_group(stack: LiveStack, page: Page) -> None:
    assert stack.owner.delete("/dead-letters?all=true").is_success
    dead_letters(stack, 3)
    page.goto("/console/dead-letters")
    group = page.locator(".group").first
    expect(group.get_by_role("heading")).to_contain_text("3 \u00d7")
    group.locator("summary", has_text="Replay the group").click()
    expect(group.get_by_text("Send 3 back")).to_be_visible()
    group.get_by_role("button", name="Replay the group").click()
    expect(page.get_by_role("status").first).to_contain_text("3 replayed, 0 refused.")
    # What cannot be read comes back.
    until(lambda: stack.http.get("/stats").json()["dead_letters"] == 3, "the letters")
    page.goto("/console/dead-letters")
    group.get_by_text("Letters of this group").click()
    group.get_by_role("checkbox").first.check()
    group.get_by_role("button", name="Delete the selected").click()
    expect(page.get_by_role("status").first).to_contain_text("1 deleted.")
    group.locator("summary", has_text="Delete the group").click()
    group.get_by_role("button", name="Delete the group").click()
    expect(page.get_by_role("heading", name="No dead letters")).to_be_visible()
    assert stack.http.get("/stats").json()["dead_letters"] == 0


def test_console_tries_a_model(stack: LiveStack, page: Page) -> None:
    page.goto("/console/try/iris")
    page.get_by_label("petal width (cm)").fill("0.2")
    page.get_by_role("button", name="Predict").click()
    expect(page.locator("#answer .succeeded")).to_be_visible()
    expect(page.locator("#answer pre")).to_have_text("[1]")
    expect(page.locator("#curl")).to_contain_text('"model":"iris"')
    page.get_by_label("petal width (cm)").fill("wide")
    page.get_by_role("button", name="Predict").click()
    expect(page.get_by_role("alert")).to_contain_text("invalid_features")
    page.get_by_text("Or paste rows as JSON").click()
    page.get_by_label("Rows").fill("[[5.1, 3.5, 1.4, 0.2], [5.8, 2.8, 5.1, 2.4]]")
    page.get_by_role("button", name="Predict").click()
    expect(page.locator("#answer pre")).to_have_text("[0,2]")


def test_console_shows_and_deletes_a_batch_job(bulky: LiveStack, page: Page) -> None:
    job_id = batch_job(bulky)
    page.goto("/console/batches")
    page.get_by_role("link", name=job_id).click()
    expect(page.locator(".grid .cell").first).to_be_visible()
    expect(page.get_by_role("region", name="First bad rows")).to_contain_text("invalid_features")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download the output").click()
    header, bad, *good = download.value.path().read_text().splitlines()
    assert (header, bad, set(good), len(good)) == ('"prediction"', '""', {"2"}, 40)
    page.locator("summary", has_text="Delete").click()
    page.get_by_role("button", name="Delete").click()
    expect(page.get_by_role("status").first).to_contain_text("Deleted")
    assert bulky.http.get(f"/predict/batch/{job_id}").status_code == 404


def test_console_acts_without_scripts(stack: LiveStack, browser: Browser) -> None:
    context = browser.new_context(base_url=stack.url, java_script_enabled=False)
    page = context.new_page()
    page.goto(sign_in_path(stack))
    page.get_by_role("button", name="Sign in").click()
    page.goto("/console/models/diabetes")
    page.locator("summary", has_text="Pause").click()
    page.locator("form").get_by_role("button", name="Pause").click()
    page.get_by_role("button", name="Resume").click()
    expect(page.get_by_text("Resumed:")).to_be_visible()
    assert paused(stack) == []
    context.close()
