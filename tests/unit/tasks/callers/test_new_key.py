"""What a new key may be called, and whose it may be."""

import msgspec
import pytest

from tasks.ledger.api_keys.new_key import NewKey


@pytest.mark.parametrize("field", ["name", "tenant"])
@pytest.mark.parametrize("text", ["risk\n", "\nrisk", "risk\nweb", "risk\0", "risk\x1b[1m", ""])
def test_names_of_keys_and_tenants_have_no_control_characters(field: str, text: str) -> None:
    """One with a line end would look like another in every list, and be of another tenant."""
    given = {"name": "web", "scopes": ["predict"], field: text}
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(given, NewKey)
