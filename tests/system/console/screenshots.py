"""Makes the pictures of docs/console.md: `python -m tests.system.console.screenshots FOLDER`.

More widths and the dark theme: `… FOLDER 360 820 1280 --dark`.
"""

import argparse
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from tests.support.stack import LiveStack, running, train_demos
from tests.system.console.scenes import batch_job, dead_letters, load, sign_in_path, succeeded
from tests.system.pages.browser import ARGUMENTS, chromium_of_this_machine

HEIGHT = 760
LOAD_SECONDS = 45.0


def pages_of(stack: LiveStack) -> dict[str, str]:
    """Name of a picture → the path of its page."""
    return {
        "overview": "/console",
        "queues": "/console/queues",
        "predictions": "/console/predictions",
        "prediction": f"/console/predictions/{succeeded(stack)}",
        "models": "/console/models",
        "model": "/console/models/iris",
        "batches": "/console/batches",
        "batch": f"/console/batches/{batch_job(stack, 3000)}",
        "dead-letters": "/console/dead-letters",
        "try": "/console/try/iris",
        "workers": "/console/workers",
        "sign-in": "/console/sign-in",
    }


def take(browser: Browser, stack: LiveStack, folder: Path, width: int, scheme: str) -> None:
    """Take a picture of every page at a width, in pixels."""
    context = browser.new_context(
        viewport={"width": width, "height": HEIGHT}, color_scheme=scheme, base_url=stack.url
    )
    page = context.new_page()
    page.goto(sign_in_path(stack))
    page.get_by_role("button", name="Sign in").click()
    for name, path in pages_of(stack).items():
        page.goto(path)
        page.wait_for_function("document.getElementById('live').hidden === false")
        if name == "try":
            page.get_by_role("button", name="Predict").click()
            page.wait_for_selector("#answer .succeeded")
        suffix = "" if (width, scheme) == (1280, "light") else f"-{width}-{scheme}"
        page.screenshot(path=folder / f"{name}{suffix}.png")
    context.close()


def main() -> None:
    """Start a stack, give it something to show, and take the pictures."""
    parser = argparse.ArgumentParser(description="Take pictures of the console.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("widths", type=int, nargs="*", default=[1280])
    parser.add_argument("--dark", action="store_true")
    parser.add_argument("--demo", type=Path, help="a home with the demo models")
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as home:
        demo = given.demo
        import shutil

        if demo:
            shutil.copytree(demo / "models", Path(home) / "models")
        else:
            train_demos(Path(home))
        with running(Path(home), bulk=True) as stack, sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=chromium_of_this_machine(), args=ARGUMENTS
            )
            dead_letters(stack, 3)
            load(stack, LOAD_SECONDS)
            stack.http.post("/models/diabetes/versions/1/pause", json={"reason": "being retrained"})
            for width in given.widths:
                for scheme in ("light", "dark") if given.dark else ("light",):
                    take(browser, stack, given.folder, width, scheme)
            browser.close()


if __name__ == "__main__":
    main()
