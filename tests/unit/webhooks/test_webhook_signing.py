"""Signatures as the Standard Webhooks define them, and the file of secrets."""

from pathlib import Path

from tasks.webhooks.signing import make_another_secret, signatures, webhook_secrets

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
"""With what is signed below, the example of the specification's own tests."""


def test_signature_is_that_of_the_specification() -> None:
    made = signatures([SECRET], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert made == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_after_a_rotation_both_secrets_sign(tmp_path: Path) -> None:
    (first,) = webhook_secrets(tmp_path)
    second = make_another_secret(tmp_path)
    assert webhook_secrets(tmp_path) == [second, first]
    both = signatures([second, first], "id", 1, b"{}").split()
    assert both == [signatures([each], "id", 1, b"{}") for each in (second, first)]

    third = make_another_secret(tmp_path)
    assert webhook_secrets(tmp_path) == [third, second]
    assert (tmp_path / "webhook.key").stat().st_mode & 0o777 == 0o600
