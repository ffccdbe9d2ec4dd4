"""The proxy's configuration in a real nginx, before the shared stack."""

import os
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import httpx2
import pytest
from deployment import ROOT, run, tool

from benchmarks.harness.processes import free_port
from tests.support.stack import LiveStack, until

pytestmark = pytest.mark.slow

CONFIGURATION = ROOT / "deploy" / "nginx" / "nginx.conf"
IRIS = {"model": "iris", "features": [5.8, 2.8, 5.1, 2.4]}


class Proxy(NamedTuple):
    """A running nginx."""

    config: Path
    plain: str
    port: int
    certificate: Path
    client: httpx2.Client


def secrets_in(directory: Path) -> Path:
    """What the script makes; it keeps its files beside itself."""
    script = directory / "secrets.sh"
    script.write_text((ROOT / "deploy" / "secrets.sh").read_text())
    for _ in range(2):  # the second run keeps what the first has made
        subprocess.run(["sh", str(script)], check=True, capture_output=True)
    return directory / "secrets"


@pytest.fixture(scope="module")
def proxy(stack: LiveStack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    home = tmp_path_factory.mktemp("nginx")
    secrets = secrets_in(home)
    plain, port = free_port(), free_port()
    text = CONFIGURATION.read_text()
    for before, after in {
        "/tmp/": f"{home}/",
        "listen 8080": f"listen 127.0.0.1:{plain}",
        "listen 8443": f"listen 127.0.0.1:{port}",
        "server api:5000": f"server {urlsplit(stack.url).netloc}",
        "/run/secrets/": f"{secrets}/",
        "/dev/stdout": f"{home}/access.log",
    }.items():
        assert before in text, before
        text = text.replace(before, after)
    config = home / "nginx.conf"
    config.write_text(text)
    (home / "error.log").touch()
    options = ["-p", str(home), "-c", str(config), "-g", "daemon off;"]
    with (home / "error.log").open("wb") as log:
        process = subprocess.Popen([tool("nginx"), *options], stdout=log, stderr=log)
    certificate = secrets / "tls.crt"
    with httpx2.Client(
        base_url=f"https://localhost:{port}",
        verify=ssl.create_default_context(cafile=str(certificate)),
        trust_env=False,
    ) as client:
        try:
            until(lambda: answers(client), "nginx", 10)
            yield Proxy(config, f"http://localhost:{plain}", port, certificate, client)
        finally:
            process.terminate()
            process.wait(10)


def answers(client: httpx2.Client) -> bool:
    try:
        return client.get("/health").status_code == 200
    except httpx2.HTTPError:
        return False


def test_configuration_is_checked_and_a_broken_one_refused(proxy: Proxy, tmp_path: Path) -> None:
    options = ["-t", "-p", str(tmp_path), "-c"]
    checked = run("nginx", *options, proxy.config)
    assert checked.returncode == 0, checked.stderr
    broken = tmp_path / "nginx.conf"
    broken.write_text(proxy.config.read_text().replace("least_conn;", "least_con;"))
    assert run("nginx", *options, broken).returncode != 0


def test_prediction_through_the_proxy_has_its_headers(proxy: Proxy) -> None:
    answer = proxy.client.post("/predict", json=IRIS)
    assert answer.json()["predictions"] == [2]
    assert answer.headers["strict-transport-security"].startswith("max-age=")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert len(answer.headers["x-request-id"]) == 32
    assert "nginx/" not in answer.headers["server"]


def test_http_2_is_spoken(proxy: Proxy) -> None:
    url = f"https://localhost:{proxy.port}/health"
    told = run("curl", "-sf", "--http2", "--cacert", proxy.certificate, "-o", os.devnull,
               "--noproxy", "*", "-w", "%{http_version}", url)  # fmt: skip
    assert told.stdout == "2", told.stderr


def test_old_tls_is_refused(proxy: Proxy) -> None:
    url = f"https://localhost:{proxy.port}/health"
    told = run("curl", "-s", "--tls-max", "1.1", "--cacert", proxy.certificate, url)
    assert told.returncode == 35


def test_plain_http_leads_to_https(proxy: Proxy) -> None:
    answer = httpx2.get(f"{proxy.plain}/predict?x=1", follow_redirects=False, trust_env=False)
    assert (answer.status_code, answer.headers["location"]) == (
        308,
        "https://localhost/predict?x=1",
    )


def test_large_body_is_refused_before_it_reaches_the_api(proxy: Proxy) -> None:
    assert proxy.client.post("/predict", content=b" " * (18 * 2**20)).status_code == 413


@pytest.mark.parametrize("path", ["/metrics", "/stats", "/scale", "/dead-letters/x"])
def test_pages_of_operators_are_not_published(proxy: Proxy, path: str) -> None:
    assert proxy.client.get(path).status_code == 404


def test_events_are_not_held_back(proxy: Proxy) -> None:
    with proxy.client.stream("GET", "/console/events", timeout=10) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        lines = answer.iter_lines()
        assert next(line for line in lines if line.startswith("data:"))


def test_form_of_the_console_passes_the_check_of_its_origin(proxy: Proxy) -> None:
    origin = f"https://localhost:{proxy.port}"
    answer = proxy.client.post("/console/sign-out", headers={"origin": origin})
    assert answer.status_code != 403 or "cross" not in answer.text
