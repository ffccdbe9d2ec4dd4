"""What is at `/`: the way to the console for browsers, links for programs."""

import pytest

from tests.support.stack import LiveStack


@pytest.mark.parametrize("accept", ["*/*", "", "text/html,*/*;q=0.8", "application/xml"])
def test_root_leads_to_the_console(stack: LiveStack, accept: str) -> None:
    for method in ("GET", "HEAD"):
        answer = stack.http.request(method, "/", headers={"accept": accept})
        assert (answer.status_code, answer.headers["location"]) == (303, "/console")
        assert answer.headers["vary"] == "Accept, Origin"
    assert stack.http.post("/").status_code == 405


def test_root_has_links_as_json_by_accept_header(stack: LiveStack) -> None:
    answer = stack.http.get("/", headers={"accept": "application/json"})
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["console"] == "/console"
    assert all(stack.http.get(path).status_code == 200 for path in answer.json().values())
