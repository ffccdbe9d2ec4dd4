"""Uploads of models: received, bounded, accepted or refused before any gate."""

import io
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from msgspec.structs import replace

from api.app import Services, create_flask
from registry.registrations.registrations import Registrations
from registry.store import Registry
from tasks.callers.caller import LOCAL_CALLER
from tasks.settings import Settings
from tests.callers import OWNER, client_of, environ_of
from tests.unit.api.models.registry_front import AWAY

PATH = "/models/m/versions"


def front(home: Path, **settings: Any) -> FlaskClient:
    """A client with the local key, for a server with these settings."""
    app: Flask = create_flask(Services(Settings(home=home, redis_url=AWAY, **settings)))
    return client_of(app, OWNER)


def form(content: bytes = b"model", **fields: Any) -> dict[str, Any]:
    """A form with a file."""
    return {"file": (io.BytesIO(content), "m.skops"), **fields}


def left(home: Path) -> list[str]:
    """Files of uploads below a home."""
    return sorted(path.name for path in (home / "registrations").rglob("*") if path.is_file())


def test_upload_is_accepted_with_its_files_and_wishes(tmp_path: Path) -> None:
    sample = io.BytesIO(b"a\n1\n"), "rows.CSV"
    answer = front(tmp_path).post(
        PATH, data=form(sample=sample, metadata='{"auc": "0.9"}', classes="1, 2", exact="true")
    )
    assert answer.status_code == 202
    assert (answer.json["version"], answer.json["status"]) == (1, "checking")
    assert answer.headers["Location"] == f"{PATH}/1"
    assert left(tmp_path) == ["model", "request.json", "sample.csv"]
    request = Registrations(Registry(tmp_path)).request("m:1")
    assert request
    assert (request.sample, request.metadata) == ("sample.csv", {"auc": "0.9"})
    assert (request.classes, request.exact, request.trust) == ((1, 2), True, False)


def test_upload_that_is_checked_can_be_looked_at_and_withdrawn(tmp_path: Path) -> None:
    client = front(tmp_path)
    client.post(PATH, data=form())
    assert client.get(f"{PATH}/1").json["status"] == "checking"
    assert client.delete(f"{PATH}/1").json["versions"] == [1]
    assert client.get(f"{PATH}/1").status_code == 404
    assert client.post(PATH, data=form()).json["version"] == 2


def test_upload_needs_the_local_key(tmp_path: Path) -> None:
    client = front(tmp_path)
    answer = client.post(PATH, data=form(), environ_base=environ_of(LOCAL_CALLER))
    assert (answer.status_code, answer.json["code"]) == (401, "key_missing")
    assert not (tmp_path / "registrations").exists()


@pytest.mark.parametrize(
    "fields", [{"trust": "true"}, {"requirements": "scikit-learn==1.5.2"}], ids=["code", "packages"]
)
def test_upload_that_runs_code_needs_a_server_that_trusts_uploads(
    tmp_path: Path, fields: dict[str, str]
) -> None:
    answer = front(tmp_path).post(PATH, data=form(**fields))
    assert (answer.status_code, answer.json["code"]) == (403, "forbidden")
    assert left(tmp_path) == []
    assert front(tmp_path, trust_uploads=True).post(PATH, data=form(**fields)).status_code == 202


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"metadata": "{}"}, "file"),
        (form(metadata="[1]"), "metadata"),
        (form(metadata='{"a": 1}'), "metadata"),
        (form(classes="a,,b"), "classes"),
        (form(sample=(io.BytesIO(b"x"), "rows.xlsx")), "sample"),
        (form(other=(io.BytesIO(b"x"), "x")), "other"),
        (form(model_id="n"), "model_id"),
    ],
    ids=["no file", "list", "number", "classes", "sample", "other file", "two names"],
)
def test_upload_with_a_wrong_field_is_refused(
    tmp_path: Path, data: dict[str, Any], field: str
) -> None:
    answer = front(tmp_path).post(PATH, data=data, content_type="multipart/form-data")
    assert (answer.status_code, answer.json["code"]) == (422, "invalid")
    assert answer.json["errors"][0]["loc"] == [field]
    assert left(tmp_path) == []


def test_upload_of_another_content_type_is_refused(tmp_path: Path) -> None:
    answer = front(tmp_path).post(PATH, json={"file": "x"})
    assert (answer.status_code, answer.json["code"]) == (415, "unsupported_media_type")


def test_upload_beyond_the_bound_leaves_nothing(tmp_path: Path) -> None:
    answer = front(tmp_path, max_model_bytes=10).post(PATH, data=form(b"x" * 11))
    assert (answer.status_code, answer.json["code"]) == (413, "too_large")
    assert left(tmp_path) == []


def test_upload_on_a_full_disk_leaves_nothing(tmp_path: Path) -> None:
    answer = front(tmp_path, spare_bytes=2**62).post(PATH, data=form())
    assert (answer.status_code, answer.json["code"]) == (507, "disk_full")
    assert left(tmp_path) == []


def test_upload_of_a_version_that_is_taken_is_409(tmp_path: Path) -> None:
    client = front(tmp_path)
    assert client.post(PATH, data=form(version="3")).json["version"] == 3
    answer = client.post(PATH, data=form(version="3"))
    assert (answer.status_code, answer.json["code"]) == (409, "registry_conflict")


def test_upload_keys_of_tenants_are_apart(tmp_path: Path) -> None:
    client, key = front(tmp_path), {"Idempotency-Key": "one"}
    other = environ_of(replace(OWNER, tenant="risk"))
    answers = [
        client.post(PATH, data=form(content), headers=key, environ_base=environ)
        for content, environ in (
            (b"model", client.environ_base),
            (b"other", other),
            (b"model", client.environ_base),
            (b"other", other),
        )
    ]
    assert [each.json["version"] for each in answers] == [1, 2, 1, 2]
