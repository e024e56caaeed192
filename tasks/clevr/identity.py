"""A fingerprint of the code that makes the pictures: what was trained on them, or cached, is tied to it. No torch."""

import hashlib
import io
import tokenize
from pathlib import Path

#: every file that has a say in a picture: the sampler's and the renderer's
FILES = (
    "constants", "scenes", "visibility", "sample", "camera", "arrays", "objects", "shapes", "lights", "shadows",
    "floor", "outlines", "shade", "materials", "backdrop", "render",
)  # fmt: skip

_SILENT = {tokenize.COMMENT, tokenize.NL, tokenize.ENDMARKER}
_MARK = {tokenize.NEWLINE: ";", tokenize.INDENT: "{", tokenize.DEDENT: "}"}


def renderer_hash() -> str:
    """SHA-256, in hex, of the source text of `FILES` without comments, docstrings and white space: what is left decides
    the pictures (the resolution, seed and counts aside)."""
    digest = hashlib.sha256()
    for name in FILES:
        text = (Path(__file__).parent / f"{name}.py").read_text(encoding="utf-8")
        digest.update(f"{name}\n{code_only(text)}\n".encode())
    return digest.hexdigest()


def code_only(source: str) -> str:
    """The tokens of Python source, one a line, without comments and strings that stand as statements."""
    kept: list[str] = []
    statement: list[str] = []
    docstring = False
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type in _SILENT:
            continue
        if token.type in _MARK:
            if not docstring:
                kept += [*statement, _MARK[token.type]]
            elif token.type != tokenize.NEWLINE:
                kept.append(_MARK[token.type])
            statement, docstring = [], False
        else:
            docstring = not statement and token.type == tokenize.STRING
            statement.append(token.string)
    return "\n".join(kept)
