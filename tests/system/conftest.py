"""A real browser, shared by the tests of a module."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.system.pages.browser import ARGUMENTS, chromium_of_this_machine


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    chromium = chromium_of_this_machine()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield browser
        browser.close()
