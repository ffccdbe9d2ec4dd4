"""Keys are made, rotated and revoked in the console, by a signed-in viewer alone; the audit log."""

from playwright.sync_api import Page, expect

from tests.support.stack import LiveStack


def test_console_makes_shows_once_and_revokes_a_key(
    stack: LiveStack, page: Page, complaints: list[str]
) -> None:
    page.goto("/console/keys")
    page.locator("[name=name]").fill("billing of the console")
    page.locator("[name=models]").fill("iris, churn*")
    page.locator("[name=rate]").fill("7/s")
    page.get_by_label("predict", exact=True).check()
    page.get_by_role("button", name="Make the key").click()
    token = page.locator("#token").text_content() or ""
    assert token.startswith("pq_live_")
    body = {"model": "iris", "features": [5.8, 2.8, 5.1, 2.4]}
    header = {"Authorization": f"Bearer {token}"}
    assert stack.http.post("/predict", json=body, headers=header).json()["predictions"] == [2]
    (key,) = [k for k in stack.owner.get("/keys").json()["keys"] if k["rate"] == "7/s"]
    assert (key["scopes"], key["models"]) == (["predict"], ["iris", "churn*"])

    page.goto("/console/keys")
    assert token not in page.content()
    card = page.get_by_role("listitem").filter(has_text="billing of the console")
    card.locator("summary", has_text="Revoke").click()
    card.get_by_role("button", name="Revoke").click()
    expect(page.get_by_role("status").first).to_contain_text("Revoked")
    assert stack.owner.get(f"/keys/{key['id']}").json()["state"] == "revoked"

    page.goto("/console/audit?caller=console")
    expect(page.get_by_role("cell", name=f"POST /console/keys/{key['id']}/revoke")).to_be_visible()
    page.get_by_role("button", name="Verify the chain").click()
    expect(page.get_by_role("status").first).to_contain_text("lines, whole")
    assert complaints == []


def test_pages_of_keys_are_for_viewers_with_the_scope(stack: LiveStack) -> None:
    for path in ("/console/keys", "/console/audit"):
        assert stack.http.get(path).status_code == 401
        assert f'href="{path}"' not in stack.http.get("/console").text
