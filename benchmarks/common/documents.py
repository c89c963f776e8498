"""Parts of documents that scripts write, between two comments."""

from __future__ import annotations


def replaced(text: str, module: str, part: str, content: str) -> str:
    """Return a document with another content between the comments of a module's part.

    Exits with a message if it has no such comments.
    """
    start, end = f"<!-- {module}: {part} -->\n", f"<!-- end of {part} -->"
    before, found, rest = text.partition(start)
    _, found_end, after = rest.partition(end)
    if not found or not found_end:
        raise SystemExit(f"The document has no comments that mark the part {part} of {module}.")
    return f"{before}{start}{content}\n{end}{after}"
