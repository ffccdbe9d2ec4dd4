"""The console is no way past the rights of callers, and renders nothing that callers send."""

import httpx2
import pytest
from playwright.sync_api import Page

from tests.support.stack import LiveStack
from tests.system.console.scenes import sign_in_path

MARKUP = "<img src=x onerror=alert(1)>\"'><script>alert(2)</script>{{7*7}}"
ACTIONS = [
    "/console/models/iris/1/pause",
    "/console/models/iris/1/resume",
    "/console/predictions/none/cancel",
    "/console/batches/none/cancel",
    "/console/batches/none/resume",
    "/console/batches/none/delete",
    "/console/dead-letters/replay",
    "/console/dead-letters/delete",
    "/console/try/iris",
    "/console/sign-out",
    "/console/keys",
    "/console/keys/none/rotate",
    "/console/keys/none/revoke",
]


@pytest.fixture(scope="module")
def cookie(stack: LiveStack) -> str:
    """The cookie of a session, as a header."""
    code = sign_in_path(stack).partition("code=")[2]
    answer = stack.http.post("/console/sign-in", data={"code": code}, headers={"origin": stack.url})
    assert answer.status_code == 303
    stack.http.cookies.clear()
    given = answer.headers["set-cookie"]
    assert "HttpOnly" in given
    assert "SameSite=Strict" in given
    assert "Path=/console" in given
    return given.partition(";")[0]


@pytest.mark.parametrize("path", ACTIONS)
def test_console_refuses_acts_without_a_session(stack: LiveStack, path: str) -> None:
    answer = stack.http.post(path, headers={"origin": stack.url})
    assert answer.status_code == 403
    assert "sign in to make changes" in answer.text


@pytest.mark.parametrize("path", [*ACTIONS, "/console/sign-in"])
@pytest.mark.parametrize("origin", [None, "null", "http://127.0.0.1:1", "https://example.com"])
def test_console_refuses_acts_from_other_pages(
    stack: LiveStack, cookie: str, path: str, origin: str | None
) -> None:
    headers = {"cookie": cookie} | ({"origin": origin} if origin else {})
    answer = stack.http.post(path, headers=headers)
    assert answer.status_code == 403
    assert stack.http.get("/stats").json()["paused"] == []


def test_console_code_is_given_to_holders_of_the_local_key_and_works_once(
    stack: LiveStack,
) -> None:
    for headers in ({}, {"authorization": "Bearer wrong"}):
        assert stack.http.post("/console/codes", headers=headers).status_code == 401
    code = sign_in_path(stack).partition("code=")[2]
    with httpx2.Client(base_url=stack.url, trust_env=False) as http:
        assert http.get(f"/console/sign-in?code={code}").status_code == 200
        statuses = [
            http.post("/console/sign-in", data={"code": code}, headers={"origin": stack.url})
            for _ in range(2)
        ]
    assert [answer.status_code for answer in statuses] == [303, 403]


def test_console_session_ends_with_sign_out(stack: LiveStack) -> None:
    headers = {"origin": stack.url}
    with httpx2.Client(base_url=stack.url, trust_env=False) as http:
        code = sign_in_path(stack).partition("code=")[2]
        http.post("/console/sign-in", data={"code": code}, headers=headers)
        cookie = f"predictq_console={http.cookies['predictq_console']}"
        assert "Sign out" in http.get("/console").text
        http.post("/console/sign-out", headers=headers)
        again = http.get("/console", headers={"cookie": cookie})
    assert "Sign out" not in again.text


def test_console_shows_markup_as_text(stack: LiveStack, page: Page, complaints: list[str]) -> None:
    alerts: list[str] = []
    page.on("dialog", lambda dialog: (alerts.append(dialog.message), dialog.dismiss()))
    assert stack.owner.post("/models/iris/versions/1/pause", json={"reason": MARKUP}).is_success
    try:
        for path in ("/console", "/console/models/iris", "/console/models"):
            page.goto(path)
            assert page.locator("img").count() == 0
        page.goto("/console/models/iris")
        assert MARKUP in page.locator("main").inner_text()
    finally:
        assert stack.owner.post("/models/iris/versions/1/resume").is_success
    page.goto("/console/search?q=" + httpx2.QueryParams({"q": MARKUP})["q"].replace("#", ""))
    assert page.locator("main img").count() == 0
    page.goto("/console?notice=" + MARKUP)
    assert page.get_by_role("status").count() == 0
    assert alerts == []
    assert [text for text in complaints if "404" not in text] == []


def test_console_headers(stack: LiveStack) -> None:
    answer = stack.http.get("/console")
    policies = answer.headers.get_list("content-security-policy")
    assert policies[0].startswith("default-src 'none'; script-src 'self'; style-src 'self'")
    assert "unsafe" not in "".join(policies)
    assert answer.headers["cache-control"] == "no-store"


def test_console_bounds_forms(stack: LiveStack) -> None:
    """Signing in needs no session, so anyone can send a form there."""
    origin = {"origin": stack.url}
    form = {"content-type": "application/x-www-form-urlencoded"}
    long = stack.http.post("/console/sign-in", content=b"a&" * 2**18, headers=origin | form)
    parts = stack.http.post("/console/sign-in", files={"code": b"x"}, headers=origin)
    assert [long.status_code, parts.status_code] == [413, 415]
