"""The message on the queue and the record in Redis: the contract with workers of older versions."""

import json

import msgspec
import pytest
from kombu.transport.virtual.base import Message

from tasks.callers.caller import Caller
from tasks.ledger.heads import QUEUED_HEAD, RUNNING_HEAD
from tasks.messages import Prediction, envelope, read_call
from tasks.record import CELERY_STATUS, Record
from tasks.wire import encode
from telemetry.errors import Invalid

PREDICTION = Prediction(
    model="churn",
    version=3,
    alias="production",
    method="predict",
    features=[[1.5, None, "x"]],
    created_at=1_800_000_000.25,
)
ID = "01a1fcd1-b5f1-71d9-9404-90922f7de090"


class _Channel:
    """The part of a channel that kombu's message needs."""

    no_ack_consumers = frozenset()

    def decode_body(self, body, encoding=None):
        assert encoding is None
        return body


def test_kombu_reads_the_message_as_protocol_two() -> None:
    raw = json.loads(envelope("tasks.prediction.predict", ID, "predict", PREDICTION))

    message = Message(raw, channel=_Channel(), accept={"application/json"})

    args, kwargs, embed = message.payload
    assert (args, embed) == ([], {})
    assert kwargs == {
        "model": "churn:3",
        "features": [[1.5, None, "x"]],
        "method": "predict",
        "alias": "production",
        "created_at": 1_800_000_000.25,
    }
    assert message.headers["id"] == message.properties["correlation_id"] == ID
    assert message.headers["task"] == "tasks.prediction.predict"
    assert message.delivery_tag == ID
    assert message.delivery_info == {"exchange": "", "routing_key": "predict"}


@pytest.mark.parametrize("told", [b"NaN", b"Infinity", b"-1.0", b"1e300"])
def test_time_that_cannot_be_reckoned_with_is_refused(told: bytes) -> None:
    """With NaN, the outcome could not be written, and the process that computed it ended."""
    body = json.loads(envelope("t", ID, "predict", PREDICTION))["body"].encode()
    assert read_call(body).created_at == PREDICTION.created_at
    with pytest.raises(Invalid, match="created_at"):
        read_call(body.replace(b"1800000000.25", told))


def test_message_headers_show_no_rows() -> None:
    raw = json.loads(envelope("t", ID, "predict", PREDICTION))

    assert raw["headers"]["kwargsrepr"] == "churn:3.predict, 1 row(s)"


def test_record_head_is_recognised_by_the_scripts() -> None:
    record = Record.queued(ID, PREDICTION)

    assert encode(record).startswith(QUEUED_HEAD)
    assert QUEUED_HEAD == b'{"status":"PENDING","state":"queued"'
    assert RUNNING_HEAD == b'{"status":"STARTED","state":"running"'


def test_open_record_leaves_out_what_only_an_outcome_has() -> None:
    record = Record.queued(ID, PREDICTION)

    told = json.loads(record.open_text)

    assert msgspec.json.decode(record.open_text, type=Record) == record
    assert told["result"] is None  # a stock backend reads it of a prediction that is retried
    assert not told.keys() & {"traceback", "children", "date_done", "receipt", "error"}


def test_message_has_no_field_without_a_value() -> None:
    raw = json.loads(envelope("t", ID, "predict", PREDICTION))

    assert None not in raw["headers"].values()
    assert raw["headers"].keys() == {"rows", "batch", "lang", "task", "id", "kwargsrepr"}


def test_states_are_states_of_celery() -> None:
    assert set(CELERY_STATUS.values()) == {
        "PENDING",
        "STARTED",
        "RETRY",
        "SUCCESS",
        "FAILURE",
        "REVOKED",
    }


def test_time_limits_are_celery_s_own_headers() -> None:
    clocked = msgspec.structs.replace(
        PREDICTION, queue_deadline=1_800_000_060.5, timeout_seconds=2.5
    )

    headers = json.loads(envelope("t", ID, "predict", clocked))["headers"]

    assert headers["expires"] == "2027-01-15T08:01:00.500000+00:00"
    assert headers["timelimit"] == [2.5, None]
    assert Record.queued(ID, clocked).queue_deadline == 1_800_000_060.5


def test_record_without_time_limits_is_still_read() -> None:
    fields = json.loads(encode(Record.queued(ID, PREDICTION)))
    del fields["queue_deadline"]
    fields["error"] = {"code": "model_error", "message": "no", "retryable": False}

    record = msgspec.json.decode(json.dumps(fields), type=Record)

    assert (record.queue_deadline, record.is_overdue, record.error.attempt) == (None, False, 0)


def test_tenant_is_left_out_unless_a_key_has_one() -> None:
    assert "tenant" not in envelope("t", ID, "predict", PREDICTION).decode()
    assert "tenant" not in encode(Record.queued(ID, PREDICTION)).decode()
    theirs = msgspec.structs.replace(PREDICTION, tenant="risk")
    call = read_call(json.loads(envelope("t", ID, "predict", theirs))["body"].encode())
    assert call.tenant == "risk"
    for record in (Record.queued(ID, theirs), Record.read(ID, call)):
        assert msgspec.json.decode(encode(record), type=Record).is_seen_by(Caller(tenant="risk"))
        assert not record.is_seen_by(Caller())
    assert Record.queued(ID, PREDICTION).is_seen_by(Caller())
    assert not Record.queued(ID, PREDICTION).is_seen_by(Caller(models=("iris",)))
