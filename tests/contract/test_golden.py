"""Today's messages and records equal the last kept version, so no format changes unnoticed."""

import msgspec
import pytest

from tasks.ledger.heads import QUEUED_HEAD
from tasks.messages import read_call
from tasks.record import Record
from tests.contract.samples import IDS, IN_ARROW, PREDICTION, kept, today, versions

KEPT = [pytest.param(kept(version), id=version.name) for version in versions()]


def test_current_format_is_kept() -> None:
    hint = "the format changed: `python -m tests.contract.samples` keeps it as a new version"
    assert today() == kept(versions()[-1]), hint


@pytest.mark.parametrize("files", KEPT)
def test_kept_message_is_read_by_the_worker(files: dict[str, bytes]) -> None:
    message = msgspec.json.decode(files["message.json"])
    call = read_call(message["body"].encode())
    assert (call.model, call.method, call.alias) == ("golden:1", "predict", "production")
    assert call.features == PREDICTION.features
    assert message["headers"]["id"] == IDS["queued"]


@pytest.mark.parametrize("files", KEPT)
def test_kept_message_in_arrow_is_read_by_the_worker(files: dict[str, bytes]) -> None:
    if "message-arrow.json" not in files:  # before version 5
        return
    message = msgspec.json.decode(files["message-arrow.json"])
    call = read_call(message["body"].encode())
    assert (call.model, call.method, call.alias) == ("golden:1", "predict", "production")
    assert call.features is None
    assert call.arrow == IN_ARROW.features.content
    assert message["headers"]["rows"] == 2


@pytest.mark.parametrize("files", KEPT)
def test_kept_message_has_the_marks_of_the_scripts(files: dict[str, bytes]) -> None:
    assert files["message.json"].startswith(b'{"headers":{"rows":2,"batch":"golden:1 predict",')
    assert files["record-queued.json"].startswith(QUEUED_HEAD)


@pytest.mark.parametrize("files", KEPT)
@pytest.mark.parametrize("state", IDS)
def test_kept_record_is_read_by_the_api(files: dict[str, bytes], state: str) -> None:
    record = msgspec.json.decode(files[f"record-{state}.json"], type=Record)
    assert (record.state, record.task_id, record.reference) == (state, IDS[state], "golden:1")
