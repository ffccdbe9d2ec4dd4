"""A program of PyTorch behind the API: the fork server loads it, and its processes compute."""

import importlib.util
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from registry.store import Registry
from tests.support.stack import LiveStack
from workers.models.registration import examine

ROWS = np.random.default_rng(0).normal(size=(5, 3))
pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("torch") is None,
    reason="PyTorch is not installed: pip install 'predictq[torch]'",
)


def test_torch_served_answers_and_is_named_in_receipts(stack: LiveStack, tmp_path: Path) -> None:
    import torch

    torch.manual_seed(0)
    network = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Tanh(), torch.nn.Linear(4, 1))
    network = network.double().eval()
    torch.jit.script(network).save(str(tmp_path / "model"))
    sample = pd.DataFrame(ROWS, columns=list("abc"))
    found = examine(tmp_path / "model", trust=True, sample=sample)
    Registry(stack.home).add("network", found.description, found.content)
    with torch.inference_mode():
        own = network(torch.as_tensor(ROWS)).numpy()[:, 0]
    for rows in (ROWS, ROWS[:1]):
        outcome = stack.outcome(stack.submit("network", rows.tolist())["id"])
        assert np.allclose(outcome["predictions"], own[: len(rows)], 1e-12)
        assert outcome["receipt"]["runtime"] == f"PyTorch {torch.__version__}"
