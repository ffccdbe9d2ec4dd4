"""The forms and filters of the pages of keys and of the audit log, and what they escape."""

import pytest
from msgspec.structs import replace

from api.console.rendering import templates
from api.console.views.audit_views import AuditFilter
from api.console.views.key_views import key_asked_for
from registry.audit.entry import AuditLine
from tasks.callers.rate import Rate
from telemetry.errors import Invalid

LINE = AuditLine(
    time="2026-11-30T12:00:00+00:00",
    caller="billing",
    key="abcd1234",
    tenant="default",
    method="POST",
    path="/models/iris/aliases",
    status=201,
    address="127.0.0.1",
    request_id="",
    id=7,
    before="",
)
MARKUP = "<img src=x onerror=alert(1)>\"'"


def test_form_of_a_key_is_what_is_asked_over_http() -> None:
    key = key_asked_for(
        {
            "name": [" billing "],
            "scopes": ["predict", "viewer"],
            "tenant": [""],
            "models": ["churn*, iris,"],
            "rate": ["100/s"],
            "rows": [""],
            "weight": ["2.5"],
            "in_flight": ["500"],
            "expires_days": ["90"],
            "networks": ["10.0.0.0/8"],
        }
    )
    assert (key.name, key.tenant) == ("billing", "default")
    assert key.scopes == ("predict", "models:read", "metrics")
    assert (key.models, key.networks) == (("churn*", "iris"), ("10.0.0.0/8",))
    assert (key.limits.rate, key.limits.rows) == (Rate(100, 1), None)
    assert (key.weight, key.limits.in_flight) == (2.5, 500)
    assert key.expires_at is not None
    assert round(key.expires_at - key.created_at) == 90 * 86_400


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": [MARKUP]},
        {"scopes": [""]},
        {"expires_days": ["soon"]},
        {"weight": ["big"]},
        {"weight": ["0"]},
        {"networks": ["here"]},
    ],
)
def test_form_that_describes_no_key_is_refused(wrong: dict[str, list[str]]) -> None:
    with pytest.raises(Invalid):
        key_asked_for({"name": ["billing"], "scopes": ["predict"], **wrong})


@pytest.mark.parametrize(
    ("asked", "takes"),
    [
        (AuditFilter(), True),
        (AuditFilter(caller="abcd1234", path="aliases", status="2", before=8), True),
        (AuditFilter(caller="bill"), False),
        (AuditFilter(path="keys"), False),
        (AuditFilter(status="4"), False),
        (AuditFilter(before=7), False),
    ],
)
def test_filter_of_the_audit_log(asked: AuditFilter, takes: bool) -> None:
    assert asked.takes(LINE) == takes


def test_audit_page_escapes_what_callers_send() -> None:
    said = replace(LINE, caller=MARKUP, path=MARKUP, request_id=MARKUP, address=MARKUP)
    block = templates().get_template("audit.html").blocks["main"]
    context = (
        templates()
        .get_template("audit.html")
        .new_context(
            {
                "asked": AuditFilter(caller=MARKUP, path=MARKUP, status=MARKUP),
                "parts": ("changes", "refusals"),
                "lines": [said],
                "is_full": True,
                "verified": (False, MARKUP),
            }
        )
    )
    html = "".join(block(context))
    assert "<img" not in html
    assert html.count("&lt;img src=x") >= 6
