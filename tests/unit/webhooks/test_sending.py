"""One attempt: a POST to an address that was resolved once; no redirect, and an end in time."""

import asyncio
import socket
import threading
from collections.abc import Iterator

import msgspec
import pytest

from tasks.settings import Settings
from tests.support.webhooks.receiver import Receiver, receiving
from webhooks import sending
from webhooks.guard import TargetUnreachable
from webhooks.sending import ReceiverAnswer, Sender

LOCAL = Settings(home="/none", redis_url="", webhooks_allow_local=True)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


def post(url: str, settings: Settings = LOCAL, **resolving: object) -> ReceiverAnswer:
    return asyncio.run(Sender(settings, **resolving).post(url, {"webhook-id": "e"}, b"{}"))


def test_post_reaches_the_address_with_the_name_as_host(receiver: Receiver) -> None:
    asked = []

    async def resolver(host: str, port: int) -> list[str]:
        asked.append((host, port))
        return ["127.0.0.1"] if len(asked) == 1 else ["10.255.255.1"]

    port = receiver.server.server_port
    assert post(f"http://a.example:{port}/in?x=1", resolver=resolver) == ReceiverAnswer(200)
    (received,) = receiver.log
    assert (received.path, received.body) == ("/in?x=1", b"{}")
    assert received.headers["host"] == f"a.example:{port}"
    assert received.headers["webhook-id"] == "e"
    assert asked == [("a.example", port)]


def test_name_that_moves_to_an_inner_address_is_not_connected_to(receiver: Receiver) -> None:
    async def resolver(host: str, port: int) -> list[str]:
        return ["127.0.0.1"]

    strict = msgspec.structs.replace(LOCAL, webhooks_allow_local=False)
    with pytest.raises(TargetUnreachable, match="not public"):
        post(f"http://a.example:{receiver.server.server_port}/", strict, resolver=resolver)
    assert not receiver.log


def test_redirect_is_an_answer_like_others(receiver: Receiver) -> None:
    receiver.answers["/from"] = [(302, {"location": f"{receiver.url}/to", "retry-after": "7"})]
    assert post(f"{receiver.url}/from") == ReceiverAnswer(302, 7, "ok")
    assert not receiver.on("/to")


def test_receiver_that_hangs_is_left_in_time(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "SEND_SECONDS", 0.2)
    receiver.hangs.add("/")
    with pytest.raises(TargetUnreachable, match="did not answer"):
        post(f"{receiver.url}/")


@pytest.mark.parametrize(
    "answer",
    [b"", b"SSH-2.0-x\r\n\r\n", b"HTTP/1.1 200 OK\r\nx: " + b"y" * 2**16],
    ids=["nothing", "SSH", "an endless head"],
)
def test_what_is_no_http_is_a_failure(answer: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        with pytest.raises(TargetUnreachable, match=r"127\.0\.0\.1"):
            post(f"http://127.0.0.1:{server.getsockname()[1]}/")
        thread.join()


def test_nothing_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(TargetUnreachable, match=r"127\.0\.0\.1"):
        post(f"http://127.0.0.1:{port}/")


def test_proxy_is_given_the_whole_address_and_resolves_it(receiver: Receiver) -> None:
    through = msgspec.structs.replace(LOCAL, webhooks_proxy=receiver.url)
    assert post("http://nowhere.invalid/in", through) == ReceiverAnswer(200)
    assert [each.path for each in receiver.log] == ["http://nowhere.invalid/in"]
