"""A stack with a bulk worker, whose gate checks what is uploaded; with and without trust."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import skops.io
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

from predictq import Client
from tasks.key_files import read_or_make_local_key
from tests.support.models import with_models_of
from tests.support.stack import LiveStack, running


@pytest.fixture(scope="module")
def trusting(constant_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveStack]:
    """A stack that trusts uploads."""
    home = with_models_of(constant_home, tmp_path_factory.mktemp("trusting"))
    with trusting_uploads(home, forks=True) as stack:
        yield stack


@contextmanager
def trusting_uploads(home: Path, *, forks: bool) -> Iterator[LiveStack]:
    """A stack that trusts uploads, and its client with the right to make them."""
    with running(home, bulk=True, forks=forks, PREDICTQ_TRUST_UPLOADS="1") as stack:
        key = read_or_make_local_key(home).decode()
        stack.http.headers["Authorization"] = f"Bearer {key}"
        yield stack


@pytest.fixture(scope="session")
def fitted() -> LogisticRegression:
    return LogisticRegression(max_iter=1000).fit(*load_iris(return_X_y=True))


@pytest.fixture(scope="session")
def content(fitted: LogisticRegression) -> bytes:
    """A model file."""
    return skops.io.dumps(fitted)


@pytest.fixture
def owner(trusting: LiveStack) -> Iterator[Client]:
    """A client that presents the local key of the stack."""
    key = trusting.http.headers["Authorization"].removeprefix("Bearer ")
    with Client(trusting.url, key=key) as client:
        yield client
