"""A skops file that would unpack to far more than a model is refused before it is parsed."""

import io
import zipfile

import numpy as np
import pytest
import skops.io
from sklearn.linear_model import LinearRegression

from telemetry.errors import ModelUnloadable
from workers.models.formats.model_format import LoadOptions
from workers.models.formats.pickled import skops_parsing
from workers.models.formats.pickled.pickles import load_skops

MODEL = skops.io.dumps(LinearRegression().fit(np.eye(3), np.arange(3.0)))


def bomb(name: str) -> bytes:
    """A model's file with an entry of zeros."""
    file = io.BytesIO(MODEL)
    with zipfile.ZipFile(file, "a", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        archive.writestr(name, bytes(2**22))
    return file.getvalue()


@pytest.mark.parametrize("name", ["zeros.npy", "other.json"])
def test_skops_file_that_unpacks_to_too_much_is_refused(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = bomb(name)
    assert load_skops(content, LoadOptions()).coef_.size == 3  # it is small in fact
    monkeypatch.setattr(skops_parsing, "MOST_UNPACKED", 2**20)
    with pytest.raises(ModelUnloadable, match=r"bytes unpack to 4,\d{3},\d{3}"):
        load_skops(content, LoadOptions())
    assert load_skops(MODEL, LoadOptions()).coef_.size == 3
