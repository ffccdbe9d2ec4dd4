"""Bad input gets one clear problem with an exact status, and the next request is served."""

import json
from collections.abc import Iterator
from typing import Any

import httpx2
import msgspec
import pytest

from tests.support.stack import Json, LiveStack

ROW = [5.1, 3.5, 1.4, 0.2]
NAMES = ["sepal length (cm)", "sepal width (cm)", "petal length (cm)", "petal width (cm)"]
OBJECT = dict(zip(NAMES, ROW, strict=True))
MAX_ROWS = 10_000
MAX_BODY = 16 * 2**20
PROBLEM = {"type", "title", "status", "detail", "code", "retryable", "errors"}


class Case(msgspec.Struct, frozen=True):
    """A request, and the answer that it must get."""

    name: str
    body: Any
    """Bytes go as they are, all else as JSON, `NaN` and `Infinity` as Python writes them."""
    status: int
    code: str
    says: tuple[str, ...] = ()
    """Each must stand in the answer."""
    row: int | None = None
    """The row that the first error names."""
    type: str | None = "application/json"


def iris(name: str, features: Any, *says: str, row: int | None = None) -> Case:
    """Features that iris cannot take."""
    return Case(name, {"model": "iris", "features": features}, 422, "invalid_features", says, row)


def wrong(name: str, body: Any, *says: str) -> Case:
    """JSON of the wrong shape."""
    return Case(name, body, 422, "invalid", says)


def malformed(name: str, body: bytes, *says: str) -> Case:
    """Not JSON."""
    return Case(name, body, 400, "malformed", says)


def named(name: str, model: str, code: str, *says: str, status: int = 404) -> Case:
    return Case(name, {"model": model, "features": ROW}, status, code, says)


def method(name: str, model: str, value: Any, code: str, *says: str) -> Case:
    return Case(name, {"model": model, "features": ROW, "method": value}, 422, code, says)


LACKING = {name: OBJECT[name] for name in NAMES[1:]}
GOOD = json.dumps({"model": "iris", "features": ROW}).encode()
DEEP = b"[" * 100_000
CASES = [
    malformed("empty", b"", "empty"),
    malformed("blank", b" \n\t ", "empty"),
    malformed("not JSON", b"model=iris", "not JSON"),
    malformed("cut short", GOOD[:-5]),
    malformed("two documents", GOOD + GOOD),
    malformed("single quotes", b"{'model': 'iris'}"),
    malformed("trailing comma", b'{"model": "iris",}'),
    malformed("invalid UTF-8", b'{"model": "\xff\xfe"}', "UTF-8"),
    malformed("UTF-16", GOOD.decode().encode("utf-16"), "UTF-8"),
    malformed("null bytes", b"\0" * 100),
    malformed("deep, never closed", DEEP),
    malformed("deep", DEEP + b"]" * 100_000),
    malformed("deep features", b'{"model":"iris","features":' + DEEP + b"]" * 100_000 + b"}"),
    malformed("deep objects", b'{"a":' * 100_000 + b"1" + b"}" * 100_000),
    wrong("an array", [ROW]),
    wrong("a string", "iris"),
    wrong("a number", 7),
    wrong("null", b"null"),
    wrong("true", True),
    wrong("no fields", {}, "model"),
    wrong("no model", {"features": ROW}, "model"),
    wrong("no features", {"model": "iris"}, "features"),
    wrong("an extra field", {"model": "iris", "features": ROW, "prio": 1}, "prio"),
    iris("features as text", "1,2,3,4", "features", "a row as a list", "'1,2,3,4'"),
    iris("features as number", 5.1, "features", "a row as a list", "5.1"),
    iris("features null", None, "features", "a row as a list", "null"),
    iris("features true", True, "features", "a row as a list", "true"),
    wrong("model as number", {"model": 3, "features": ROW}, "model"),
    wrong("model null", {"model": None, "features": ROW}, "model"),
    wrong("model as list", {"model": ["iris"], "features": ROW}, "model"),
    named("an empty name", "", "invalid", "model", status=422),
    named("a path as name", "../../etc/passwd", "invalid", "model", status=422),
    named("version zero", "iris:0", "invalid", "model", status=422),
    named("a negative version", "iris:-1", "invalid", "model", status=422),
    named("both", "iris@production:1", "invalid", "model", status=422),
    named("unknown model", "nobody", "model_not_found", "nobody"),
    named("unknown model, its alias", "nobody@production", "model_not_found", "nobody"),
    named("unknown version", "iris:99", "version_not_found", "99"),
    named("unknown alias", "iris@nothing", "alias_not_found", "nothing"),
    method("unknown method", "iris", "fit", "unsupported_method", "fit", "predict_proba"),
    method("a private method", "iris", "__class__", "unsupported_method"),
    method("an empty method", "iris", "", "unsupported_method"),
    method("a regressor's probabilities", "diabetes", "predict_proba", "unsupported_method"),
    method("a forest's decisions", "breast-cancer", "decision_function", "unsupported_method"),
    method("method as number", "iris", 1, "invalid", "method"),
    method("method null", "iris", None, "invalid", "method"),
    iris("too few features", [1.0, 2.0, 3.0], "row 1", "3", "expected 4", row=0),
    iris("too many features", [*ROW, 1.0], "row 1", "5", "expected 4", row=0),
    iris("the second row is short", [ROW, ROW[:2], ROW], "row 2", "expected 4", row=1),
    iris("ragged", [ROW[:1], ROW[:2], ROW], "row 1", row=0),
    iris("an empty row", [[]], "row 1", "expected 4", row=0),
    iris("0 rows", [], "at least one row"),
    iris("an empty object", {}, *NAMES, row=0),
    iris("a missing column", LACKING, NAMES[0], "missing", row=0),
    iris("a misspelt column", {**LACKING, "petal": 1.0}, "petal", NAMES[0], row=0),
    iris("the second object is wrong", [OBJECT, {"a": 1.0}], "row 2", "'a'", NAMES[0], row=1),
    iris("objects after rows", [ROW, OBJECT], "row 2", row=1),
    iris("rows after objects", [OBJECT, ROW], "row 2", row=1),
    iris("a number after rows", [ROW, 5.1], "row 2", row=1),
    iris("rows in rows", [[ROW]], "row 1", row=0),
    iris("null where refused", [5.1, None, 1.4, 0.2], "missing", NAMES[1], row=0),
    iris("a null row", [ROW, None], "row 2", row=1),
    iris("NaN where refused", [5.1, float("nan"), 1.4, 0.2], NAMES[1], row=0),
    iris("infinity where refused", [ROW, [5.1, 3.5, float("inf"), 0.2]], NAMES[2], row=1),
    iris("minus infinity where refused", [float("-inf"), *ROW[1:]], NAMES[0], row=0),
    iris("text for a number", ["5.1", *ROW[1:]], "the string '5.1'", NAMES[0], row=0),
    iris("text in an object", OBJECT | {NAMES[3]: "wide"}, "the string 'wide'", NAMES[3], row=0),
    iris("a boolean for a number", [True, *ROW[1:]], "got true", NAMES[0], row=0),
    iris("a list for a number", [ROW, [[1.0], *ROW[1:]]], "row 2", row=1),
    iris("an integer beyond a float", [10**400, *ROW[1:]], "too large", row=0),
    Case(
        "a number beyond a float",
        b'{"model": "iris", "features": [1e999, 3.5, 1.4, 0.2]}',
        422,
        "invalid_features",
        (NAMES[0],),
        0,
    ),
    Case(
        "too many rows",
        {"model": "iris", "features": [ROW] * (MAX_ROWS + 1)},
        413,
        "too_large",
        (str(MAX_ROWS), str(MAX_ROWS + 1)),
    ),
    Case(
        "too many objects",
        {"model": "iris", "features": [OBJECT] * (MAX_ROWS + 1)},
        413,
        "too_large",
        (str(MAX_ROWS),),
    ),
    Case(
        "one very long row", {"model": "iris", "features": [1.0] * 20_000}, 422, "invalid_features"
    ),
    Case("a body over the limit", GOOD.ljust(MAX_BODY + 1), 413, "too_large", (str(MAX_BODY),)),
    *(
        Case(f"content type {kind}", GOOD, 415, "unsupported_media_type", type=kind)
        for kind in (None, "text/plain", "application/x-www-form-urlencoded", "application/xml")
    ),
]


@pytest.fixture(autouse=True)
def _the_next_caller_is_served(stack: LiveStack) -> Iterator[None]:
    yield
    assert stack.serves()


def assert_problem(answer: httpx2.Response, status: int, code: str) -> Json:
    """Assert that the answer is a complete RFC 9457 problem without internal details."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert set(problem) == PROBLEM
    assert (problem["status"], problem["code"]) == (status, code)
    assert problem["retryable"] is False
    assert problem["title"]
    assert problem["detail"]
    assert all({"loc", "msg"} <= set(error) for error in problem["errors"])
    assert len(answer.content) < 10_000
    for inside in ("Traceback", "site-packages", ".py", "/home", "/tmp", "werkzeug"):
        assert inside not in answer.text
    return problem


def encoded(body: Any) -> bytes:
    return body if isinstance(body, bytes) else json.dumps(body).encode()


@pytest.mark.parametrize("path", ["/predict", "/predict/async"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_bad_input_is_a_clear_problem(stack: LiveStack, case: Case, path: str) -> None:
    headers = {"Content-Type": case.type} if case.type else {}
    answer = stack.http.post(path, content=encoded(case.body), headers=headers)
    problem = assert_problem(answer, case.status, case.code)
    said = json.dumps(problem)
    assert all(word in said for word in case.says), said
    if case.row is not None:
        assert problem["errors"][0]["row"] == case.row
        assert problem["errors"][0]["loc"][0] == "features"


def test_body_over_the_limit_without_a_content_length(stack: LiveStack) -> None:
    """The part within the limit would be a valid request."""
    answer = stack.http.post(
        "/predict/async",
        content=iter([GOOD.ljust(MAX_BODY), b" "]),
        headers={"Content-Type": "application/json"},
    )
    assert_problem(answer, 413, "too_large")


def test_chunked_body_within_the_limit_is_accepted(stack: LiveStack) -> None:
    answer = stack.http.post(
        "/predict",
        content=iter([GOOD[:10], GOOD[10:]]),
        headers={"Content-Type": "application/json; charset=utf-8"},
    )
    assert (answer.status_code, answer.json()["predictions"]) == (200, [0])


def test_byte_order_mark_is_ignored(stack: LiveStack) -> None:
    """Some editors write one; RFC 8259 lets a reader ignore it."""
    body = b"\xef\xbb\xbf" + GOOD
    answer = stack.http.post("/predict", content=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["predictions"]) == (200, [0])


def test_rows_up_to_the_limit_are_taken(stack: LiveStack) -> None:
    assert stack.predict("iris", [ROW] * MAX_ROWS) == [0] * MAX_ROWS


def test_faults_are_told_up_to_a_bound(stack: LiveStack) -> None:
    body = {"model": "iris", "features": [[None] * 4] * 1000}
    answer = stack.http.post("/predict", json=body)
    assert len(assert_problem(answer, 422, "invalid_features")["errors"]) == 20


def test_duplicate_json_key_last_one_counts(stack: LiveStack) -> None:
    """As other JSON parsers do; never a mixture, never a 500."""
    body = (
        b'{"model": "nobody", "features": [1], "features": [5.1, 3.5, 1.4, 0.2], "model": "iris"}'
    )
    answer = stack.http.post("/predict", content=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["model"]) == (200, "iris")
    assert answer.json()["predictions"] == [0]


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
@pytest.mark.parametrize("path", ["/nowhere", "/predict/result", "/predict/", "/models/a/b"])
def test_unknown_route_is_404(stack: LiveStack, method: str, path: str) -> None:
    assert_problem(stack.http.request(method, path), 404, "not_found")


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("GET", "/predict", {"POST", "OPTIONS"}),
        ("DELETE", "/predict/async", {"POST", "OPTIONS"}),
        ("POST", "/predict/result/x", {"GET", "HEAD", "DELETE", "OPTIONS"}),
        ("PUT", "/models", {"GET", "HEAD", "OPTIONS"}),
        ("POST", "/health", {"GET", "HEAD", "OPTIONS"}),
        ("PATCH", "/openapi.json", {"GET", "HEAD", "OPTIONS"}),
    ],
)
def test_wrong_method_is_405_with_allow(
    stack: LiveStack, method: str, path: str, allow: set[str]
) -> None:
    answer = stack.http.request(method, path)
    assert_problem(answer, 405, "method_not_allowed")
    assert set(answer.headers["allow"].split(", ")) == allow


@pytest.mark.parametrize("name", ["../docs.html", "..%2f..%2fapp.py", "nothing.js"])
def test_static_files_are_only_our_own(stack: LiveStack, name: str) -> None:
    assert stack.http.get(f"/static/{name}").status_code == 404
