"""The address that the client uses."""

import ssl

import pytest

from predictq import Client, InvalidRequest
from predictq.http.retries import Clock
from predictq.http.server import Server
from tests.unit.fake_server import Answer


def test_address_comes_from_the_environment(server, monkeypatch):
    server.behave = lambda _: Answer(200, {})
    monkeypatch.setenv("PREDICTQ_URL", server.url)
    Client().health()
    monkeypatch.delenv("PREDICTQ_URL")
    monkeypatch.setenv("PREDICTQ_PORT", server.url.rpartition(":")[2])
    Client().health()
    assert len(server.asked) == 2


def test_address_may_have_a_path(server):
    server.script(Answer(200, {}))
    Client(f"{server.url}/ml/").health()
    assert server.calls == [("GET", "/ml/health")]


def test_loopback_never_goes_through_a_proxy(server, nowhere, monkeypatch):
    server.script(Answer(200, {}))
    monkeypatch.setenv("http_proxy", nowhere)
    assert Client(server.url).health() == {}


def test_authorities_are_read_for_https_alone_and_nothing_is_trusted_over_http():
    """To read them takes longer than a prediction."""
    plain = Server("http://predictions.example", None, Clock()).client_options()["verify"]
    assert plain.get_ca_certs() == []
    assert (plain.verify_mode, plain.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert Server("https://predictions.example", None, Clock()).client_options()["verify"] is True


@pytest.mark.parametrize("url", ["localhost:5000", "ftp://host", "http://", "http://a:b"])
def test_invalid_address_is_refused_at_once(url):
    with pytest.raises(InvalidRequest, match="not an") as told:
        Client(url)
    assert told.value.errors[0].loc == ("url",)
