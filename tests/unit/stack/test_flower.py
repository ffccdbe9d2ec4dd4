"""Flower remembers a bounded number of tasks, and answers to its own names, wherever it runs."""

import runpy
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import flower.command
import pytest
from tornado.httputil import HTTPHeaders
from tornado.web import ErrorHandler

from deploy.guarded_flower import Guarded
from stack.process import ROOT
from stack.programs import FLOWER_TASKS, Stack
from tasks.hosts import Hosts


def test_flower_is_bounded_by_up(tmp_path: Path) -> None:
    stages = Stack(tmp_path, "redis://none", 5000, 5555, 1).stages()
    (flower,) = (program for stage in stages for program in stage if program.name == "flower")
    assert f"--max-tasks={FLOWER_TASKS}" in flower.command


def test_container_of_flower_has_the_same_bound() -> None:
    assert runpy.run_path(str(ROOT / "deploy/flowerconfig.py"))["max_tasks"] == FLOWER_TASKS


def test_flower_is_guarded_wherever_it_is_started(tmp_path: Path) -> None:
    assert flower.command.Flower is Guarded
    stages = Stack(tmp_path, "redis://none", 5000, 5555, 1).stages()
    (under_up,) = (p.command for stage in stages for p in stage if p.name == "flower")
    assert "deploy.guarded_flower" in under_up
    assert '"deploy.guarded_flower", "flower"' in (ROOT / "deploy/Dockerfile").read_text()


@pytest.mark.parametrize(
    ("hosts", "answered"),
    [
        (["localhost:5555"], True),
        (["127.0.0.1:5555"], True),
        (["flower.example"], True),
        (["evil.example:5555"], False),
        (["\xff"], False),
        ([], False),
        (["localhost", "localhost"], False),
    ],
)
def test_flower_refuses_a_page_with_a_rebound_name(hosts: list[str], answered: bool) -> None:
    one: Any = Guarded.__new__(Guarded)
    found: list[Any] = []
    one._hosts = Hosts("127.0.0.1", "flower.example")
    one.get_handler_delegate = lambda _, handler, arguments: found.append((handler, arguments))
    one.default_router = SimpleNamespace(find_handler=lambda *_, **__: "a page")
    headers = HTTPHeaders()
    for host in hosts:
        headers.add("Host", host)
    request: Any = SimpleNamespace(headers=headers, host=hosts[0] if hosts else "")
    assert (one.find_handler(request) == "a page") == answered
    assert found == ([] if answered else [(ErrorHandler, {"status_code": 421})])
