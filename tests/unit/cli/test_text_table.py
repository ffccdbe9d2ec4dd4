"""Tables of text that commands print."""

from cli.text_table import text_table


def test_text_table_pads_all_columns_but_the_last() -> None:
    assert text_table(("A", "B"), [("long", "x"), ("y", "longer")]) == (
        "A     B\nlong  x\ny     longer"
    )


def test_text_table_without_rows_is_its_header() -> None:
    assert text_table(("A", "B"), []) == "A  B"


def test_text_table_escapes_what_would_steer_a_terminal_or_forge_a_line() -> None:
    cell = "/models/\x1b]0;x\x07\n99\x9b\u202eroot"
    assert text_table(("A",), [(cell,)]) == ("A\n/models/\\x1b]0;x\\x07\\n99\\x9b\\u202eroot")
