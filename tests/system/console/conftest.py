"""A browser that is signed in, for the tests of the console."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.support.stack import TEST_TIMEOUT, LiveStack
from tests.system.console.scenes import sign_in_path

expect.set_options(timeout=TEST_TIMEOUT * 1000)  # 5 s by default, which a busy machine may need


@pytest.fixture(scope="module")
def signed_in(browser: Browser, stack: LiveStack) -> Iterator[BrowserContext]:
    context = browser.new_context(base_url=stack.url)
    page = context.new_page()
    page.goto(sign_in_path(stack))
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{stack.url}/console")
    page.close()
    yield context
    context.close()


@pytest.fixture
def complaints() -> list[str]:
    """What the browser's console says of errors, among them violations of the policy."""
    return []


@pytest.fixture
def page(signed_in: BrowserContext, complaints: list[str]) -> Iterator[Page]:
    page = signed_in.new_page()
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda m: complaints.append(m.text) if m.type == "error" else None)
    yield page
    page.close()
