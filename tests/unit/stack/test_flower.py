"""Flower remembers a bounded number of tasks, under `up` and in its container."""

import runpy
from pathlib import Path

from stack.process import ROOT
from stack.programs import FLOWER_TASKS, Stack


def test_up_bounds_it(tmp_path: Path) -> None:
    stages = Stack(tmp_path, "redis://none", 5000, 5555, 1).stages()
    (flower,) = (program for stage in stages for program in stage if program.name == "flower")
    assert f"--max-tasks={FLOWER_TASKS}" in flower.command


def test_its_container_bounds_it_alike() -> None:
    assert runpy.run_path(str(ROOT / "deploy/flowerconfig.py"))["max_tasks"] == FLOWER_TASKS
