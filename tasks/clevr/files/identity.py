"""Which pictures these are: what was trained on them, or cached, is tied to it. Imports no torch."""

import hashlib
from pathlib import Path

RENDERER = "40b13a836f8441f8"
"""Names the pictures that the sampler and the renderer make; part of the identity of every rendered data set, of its
cache and of the frozen image encoder. It names the pictures and not the code: ``tests/tasks/clevr/test_golden.py``
holds eight scenes and their pictures, so code may be rewritten as long as that test passes. Where pictures are meant to
change, give this another value, make a frozen encoder of the new pictures with
``python -m setbench.bench.maintenance.pretrain``, and keep the new pictures with the test's own command."""


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
