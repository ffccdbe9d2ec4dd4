"""What mutmut changes in modules of Python."""


def change(diff: str) -> str:
    """The change that `mutmut show` prints as a diff, as `before -> after`."""
    lines = [line for line in diff.splitlines() if not line.startswith(("---", "+++"))]
    before, after = (
        " ".join(line[1:].strip() for line in lines if line.startswith(sign)) for sign in "-+"
    )
    return f"{before} -> {after}"
