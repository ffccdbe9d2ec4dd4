"""The file of issuers: what it may not say."""

from pathlib import Path

import pytest

from api.issuers.issuer import read_issuers

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
