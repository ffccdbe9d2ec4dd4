"""Makes the pictures of docs/console.md: `python -m tests.system.console.screenshots FOLDER`.

Other widths, and the dark theme: `… FOLDER 360 820 --dark`.
"""

import argparse
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from tests.support.models import train_demos
from tests.support.stack import LiveStack, running
from tests.system.console.scenes import batch_job, dead_letters, load, sign_in_path, succeeded
from tests.system.pages.browser import ARGUMENTS, chromium_of_this_machine

HEIGHT = 720
LOWER = {"batch": 490, "dead-letters": 400}
"""Heights of pictures that end before paths of this machine, or where nothing follows."""
LOAD_SECONDS = 45.0
ROWS = 3000


def set_scene(stack: LiveStack, seconds: float = LOAD_SECONDS) -> dict[str, str]:
    """Give a stack something to show; returns the name of each picture and the path of its page."""
    job_id = batch_job(stack, ROWS)
    dead_letters(stack, 3)
    stack.owner.post("/models/diabetes/versions/1/pause", json={"reason": "it is being retrained"})
    stack.http.get("/console")  # from now on it keeps points for its charts
    load(stack, seconds)
    return {
        "overview": "/console",
        "prediction": f"/console/predictions/{succeeded(stack)}",
        "model": "/console/models/iris",
        "batch": f"/console/batches/{job_id}",
        "dead-letters": "/console/dead-letters",
        "try": "/console/try/iris",
    }


def take(
    browser: Browser, stack: LiveStack, pages: dict[str, str], folder: Path, width: int, scheme: str
) -> None:
    """Take a picture of every page at a width in pixels, in a light or dark theme."""
    context = browser.new_context(
        viewport={"width": width, "height": HEIGHT}, color_scheme=scheme, base_url=stack.url
    )
    page = context.new_page()
    page.goto(sign_in_path(stack))
    page.get_by_role("button", name="Sign in").click()
    for name, path in pages.items():
        page.goto(path)
        if name == "try":
            page.get_by_role("button", name="Predict").click()
            page.wait_for_selector("#answer .succeeded")
        suffix = "" if (width, scheme) == (1280, "light") else f"-{width}-{scheme}"
        page.set_viewport_size({"width": width, "height": LOWER.get(name, HEIGHT)})
        page.screenshot(path=folder / f"{name}{suffix}.png")
    context.close()


def main() -> None:
    """Start a stack, set the scene, and take the pictures."""
    parser = argparse.ArgumentParser(description="Take pictures of the console.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("widths", type=int, nargs="*", default=[1280])
    parser.add_argument("--dark", action="store_true", help="in the dark theme, too")
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    schemes = ("light", "dark") if given.dark else ("light",)
    with tempfile.TemporaryDirectory() as home:
        train_demos(Path(home))
        with running(Path(home), bulk=True) as stack, sync_playwright() as playwright:
            chromium = chromium_of_this_machine()
            browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
            stack.start("watch")
            pages = set_scene(stack)
            for width in given.widths:
                for scheme in schemes:
                    take(browser, stack, pages, given.folder, width, scheme)
            browser.close()


if __name__ == "__main__":
    main()
