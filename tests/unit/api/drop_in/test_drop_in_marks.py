"""Which submissions are answered as hand-written services answer them."""

from pathlib import Path
from typing import Any

import pytest

from tests.unit.api.models.registry_front import RegistryFront


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> RegistryFront:
    home: Path = tmp_path_factory.mktemp("home")
    return RegistryFront(home)


def code_of(front: RegistryFront, path: str, body: dict[str, Any]) -> str:
    return str(front.anyone.post(path, json=body).get_json()["code"])


# Redis is away: what reaches the queue is answered with `unavailable`.
@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/predict", {"model_id": "m", "features": [[1.0]]}),
        ("/models/m/predict", {"features": [[1.0]], "return_probabilities": True}),
        ("/models/m/batch_predict", {"batch_features": [[1.0], [2.0]]}),
    ],
    ids=["model_id", "probabilities", "batch"],
)
def test_drop_in_takes_bodies_of_old_services(
    front: RegistryFront, path: str, body: dict[str, Any]
) -> None:
    assert code_of(front, path, body) == "unavailable"


@pytest.mark.parametrize(
    ("path", "column"),
    [("/predict", "model_id"), ("/models/m/predict", "return_probabilities")],
    ids=["model_id", "probabilities"],
)
def test_drop_in_leaves_columns_with_the_names_of_its_fields(
    front: RegistryFront, path: str, column: str
) -> None:
    body = {"features": [{"x0": 1.0, column: 3}]} | ({"model": "m"} if path == "/predict" else {})
    answer = front.anyone.post(path, json=body).get_json()
    # Our own route says which column the model lacks.
    assert answer["code"] == "invalid_features"
    assert "features" in str(answer["errors"])
