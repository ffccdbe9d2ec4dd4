"""The little Markdown of runbooks, as blocks."""

from api.console.pages.runbooks import runbook_blocks

TEXT = """# a name

One line with `code` and [a link](there.md).

## Do this

- one
- two

```bash
echo "# no heading"
```

1. first `a`
2. second
"""


def test_blocks_of_a_runbook() -> None:
    blocks = runbook_blocks(TEXT)
    kinds = ["title", "text", "heading", "bullets", "code", "numbers"]
    assert [block.kind for block in blocks] == kinds
    assert blocks[1].lines == [[("One line with ", False), ("code", True), (" and a link.", False)]]
    assert [len(block.lines) for block in blocks[3:]] == [2, 1, 2]
    assert blocks[4].lines == [[('echo "# no heading"', True)]]
    assert blocks[5].lines[0] == [("first ", False), ("a", True)]


def test_no_runbook_has_no_blocks() -> None:
    assert runbook_blocks("") == []
