"""Receivers check events with `verify_webhook`, and the one in the document does."""

import re
import time
import urllib.error
import urllib.request
from pathlib import Path
from threading import Thread

import pytest

from predictq import WebhookRefused, verify_webhook
from stack.process import ROOT
from tasks.webhooks.signing import make_another_secret, signatures, webhook_secrets

BODY = b'{"type":"prediction.succeeded","timestamp":"","data":{"id":"a"}}'


@pytest.fixture
def secret(tmp_path: Path) -> str:
    (secret,) = webhook_secrets(tmp_path)
    return secret


def signed(secrets: list[str], body: bytes = BODY, sent_at: float = 0) -> dict[str, str]:
    at = int(sent_at or time.time())
    signature = signatures(secrets, "evt_a", at, body)
    return {"Webhook-Id": "evt_a", "webhook-timestamp": str(at), "webhook-signature": signature}


def test_event_is_returned(secret: str) -> None:
    assert verify_webhook(BODY, signed([secret]), secret)["data"] == {"id": "a"}


def test_either_secret_verifies_during_a_rotation(secret: str, tmp_path: Path) -> None:
    new = make_another_secret(tmp_path)
    headers = signed(webhook_secrets(tmp_path))
    assert verify_webhook(BODY, headers, secret) == verify_webhook(BODY, headers, new)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"webhook-signature": "v1,AAAA"}, "no signature"),
        ({"webhook-signature": "v1,ä"}, "no signature"),
        ({"Webhook-Id": "evt_b"}, "no signature"),
        ({"webhook-timestamp": "soon"}, "cannot be read"),
    ],
)
def test_changed_header_is_refused(secret: str, change: dict[str, str], why: str) -> None:
    with pytest.raises(WebhookRefused, match=why):
        verify_webhook(BODY, signed([secret]) | change, secret)


def test_changed_body_and_old_event_and_missing_header_are_refused(secret: str) -> None:
    with pytest.raises(WebhookRefused, match="no signature"):
        verify_webhook(BODY + b" ", signed([secret]), secret)
    with pytest.raises(WebhookRefused, match="too old"):
        verify_webhook(BODY, signed([secret], sent_at=time.time() - 600), secret)
    with pytest.raises(WebhookRefused, match="webhook-id"):
        verify_webhook(BODY, {}, secret)


def test_receiver_of_the_document_answers(
    secret: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = (ROOT / "docs/webhooks.md").read_text()
    (code,) = re.findall(r"```python .*\n((?:.*\n)*?)```", page)
    monkeypatch.setenv("WEBHOOK_SECRET", secret)
    names: dict[str, object] = {}
    exec(code.replace("8000", "0").replace("server.serve_forever()", ""), names)
    server = names["server"]
    thread = Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        url = f"http://127.0.0.1:{server.server_port}/"
        assert post(url, signed([secret])) == 204
        assert post(url, signed([secret], b"{}")) == 401
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
    assert "prediction.succeeded a" in capsys.readouterr().out


def post(url: str, headers: dict[str, str]) -> int:
    request = urllib.request.Request(url, BODY, headers)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code
