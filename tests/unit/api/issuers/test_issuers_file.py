"""The file of issuers: what it may not say."""

from pathlib import Path

import pytest

from api.issuers.issuer import read_issuers
from stack.process import ROOT

GOOD = '[[issuers]]\nissuer = "https://login.example.com"\naudiences = ["predictq"]\n'


def test_file_of_issuers_is_read(tmp_path: Path) -> None:
    path = tmp_path / "issuers.toml"
    path.write_text(GOOD + GOOD.replace("login", "other"))
    first, other = read_issuers(path)
    assert (first.algorithms, first.tenant, other.issuer) == (
        ("RS256",),
        "default",
        "https://other.example.com",
    )


def test_file_in_the_documents_is_right(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "openid.md").read_text()
    path = tmp_path / "issuers.toml"
    path.write_text(text.partition("```toml\n")[2].partition("```")[0])
    (issuer,) = read_issuers(path)
    assert str(issuer.limits.rate) == "100/s"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "issuers"),
        ("[[issuers]", "issuers"),
        (GOOD + 'algorithms = ["HS256"]', "algorithms"),
        (GOOD + 'algorithms = ["none"]', "algorithms"),
        (GOOD + 'scopes = ["everything"]', "everything"),
        (GOOD + 'rate = "fast"', "a rate is"),
        (GOOD + 'tenant = "Risk!"', "tenant"),
        (GOOD + "claim = 1", "claim"),
        (GOOD + 'groups_claim = "groups"', "belong together"),
        (GOOD + '[issuers.groups]\nml = ["operator"]', "belong together"),
        (GOOD.replace("https", "http"), "must be https"),
        (GOOD.replace(".com", ".com/?a=b"), "issuer"),
        (GOOD.replace('["predictq"]', "[]"), "audiences"),
        (GOOD + GOOD, "twice"),
    ],
)
def test_file_of_issuers_that_is_wrong_stops_the_start(tmp_path: Path, text: str, why: str) -> None:
    path = tmp_path / "issuers.toml"
    path.write_text(text)
    with pytest.raises(ValueError, match=why):
        read_issuers(path)
