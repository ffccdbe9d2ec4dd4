"""Every deployment file passes its real checker, and each checker refuses a broken file."""

from pathlib import Path

import pytest
from deployment import ROOT, run

pytestmark = pytest.mark.slow

CASES = {
    "Dockerfile": (["hadolint"], "deploy/Dockerfile", "WORKDIR /app", "WORKDIR app"),
    "models": (["hadolint"], "deploy/models.Dockerfile", "COPY requ", "ADD requ"),
    "compose": (
        ["docker-compose", "--profile", "*", "--project-directory", ".", "config", "-q"],
        "docker-compose.yml",
        "read_only: true",
        "read_olny: true",
    ),
    "prometheus": (
        ["promtool", "check", "config"],
        "deploy/prometheus/prometheus.yml",
        "scrape_interval: 15s",
        "scrape_interval: soon",
    ),
    "alertmanager": (
        ["amtool", "check-config"],
        "deploy/alertmanager/alertmanager.yml",
        "receiver: pages",
        "receiver: pagers",
    ),
    "nginx": (
        # The API itself checks the Host that it gets.
        ["gixy", "--skips", "host_spoofing"],
        "deploy/nginx/nginx.conf",
        "ssl_protocols TLSv1.2",
        "ssl_protocols TLSv1",
    ),
    "rules": (
        ["promtool", "check", "rules"],
        "deploy/prometheus/rules.yml",
        "for: 1m",
        "for: soon",
    ),
}


def arguments(command: list[str], file: Path) -> list[str]:
    """The checker's arguments with the file in its place."""
    return ["-f", str(file), *command[1:]] if "compose" in command[0] else [*command[1:], str(file)]


@pytest.mark.parametrize("case", CASES)
def test_checker_accepts_the_file(case: str) -> None:
    command, name, _, _ = CASES[case]
    answer = run(command[0], *arguments(command, ROOT / name))
    assert answer.returncode == 0, answer.stdout + answer.stderr


@pytest.mark.parametrize("case", CASES)
def test_checker_refuses_a_broken_file(case: str, tmp_path: Path) -> None:
    command, name, good, broken = CASES[case]
    text = (ROOT / name).read_text()
    assert good in text
    file = tmp_path / Path(name).name
    file.write_text(text.replace(good, broken))
    assert run(command[0], *arguments(command, file)).returncode != 0
