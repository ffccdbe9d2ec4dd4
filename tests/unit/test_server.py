"""The socket that the API's processes share."""

import socket

from api.server import Server


def test_small_answers_are_sent_at_once() -> None:
    server = Server("127.0.0.1", 0, 1)
    server._init_shared_socket()
    with server._sso as shared:
        client = socket.create_connection(shared.getsockname())
        accepted, _ = shared.accept()
        with client, accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
