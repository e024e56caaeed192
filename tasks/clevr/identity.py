"""A fingerprint of the code that makes the pictures: what was trained on them, or cached, is tied to it. No torch."""

import hashlib
import io
import tokenize
from functools import cache
from pathlib import Path

#: every file that has a say in a picture: the sampler's and the renderer's
FILES = (
    "constants", "scenes", "visibility", "sample", "camera", "arrays", "objects", "shapes", "lights", "shadows",
    "floor", "outlines", "shade", "materials", "backdrop", "render",
)  # fmt: skip

_SILENT = {tokenize.COMMENT, tokenize.NL, tokenize.ENDMARKER}
_MARK = {tokenize.NEWLINE: ";", tokenize.INDENT: "{", tokenize.DEDENT: "}"}


@cache
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


def find_released(data: Path) -> Path | None:
    """The folder under a user's `data` that holds CLEVR's `images` and `scenes`, None if there is none."""
    for inside in (".", "CLEVR_v1.0", "clevr", "clevr/CLEVR_v1.0", "CLEVR_mini", "clevr/CLEVR_mini"):
        folder = Path(data) / inside
        if (folder / "images").is_dir() and (folder / "scenes").is_dir():
            return folder
    return None


def released_hash(data: Path) -> str:
    """Names the released files under `data` by the names and sizes of the two scenes files; "missing" without them."""
    folder = find_released(data)
    if folder is None:
        return "missing"
    digest = hashlib.sha256()
    for split in ("train", "val"):
        path = folder / "scenes" / f"CLEVR_{split}_scenes.json"
        if not path.is_file():
            return "missing"
        digest.update(f"{path.name} {path.stat().st_size}\n".encode())
    return digest.hexdigest()[:16]
