"""Which data a task stands on, as a short string, found without torch and without reading the examples."""

from __future__ import annotations

from pathlib import Path

from setbench.tasks.clevr.files.identity import RENDERER, released_hash

# Published md5 sums of the four MNIST files, as `gzip` files.
MNIST_MD5 = {
    "train-images-idx3-ubyte.gz": "f68b3c2dcbeaaa9fbdd348bbdeb94873",
    "train-labels-idx1-ubyte.gz": "d53e105ee54ea40749a09fcbcd1e9432",
    "t10k-images-idx3-ubyte.gz": "9fb629c4189551a2d022fa330f9573f3",
    "t10k-labels-idx1-ubyte.gz": "ec29112dd5afa0611ce80d1b7f02629c",
}

# SHA-256 of scikit-learn's embedded digits: the 1,797 x 64 pixels as uint8, then the labels as uint8.
DIGITS_SHA256 = "87ff0c9e40dc7e2c0e34e7257799c2e3f3aec1a016363bb11cad869ec428a826"

# To be raised whenever the way from the images to the sets changes.
POINTS_VERSION = 1


def mnist_key(points: int) -> str:
    return f"mnist-{MNIST_MD5['train-images-idx3-ubyte.gz'][:8]}-v{POINTS_VERSION}{_at_most(points)}"


def digits_key(points: int) -> str:
    return f"digits-{DIGITS_SHA256[:8]}-v{POINTS_VERSION}{_at_most(points)}"


def _at_most(points: int) -> str:
    return f"-{points}points" if points else ""


def rendered_clevr_key() -> str:
    """Named by the version of the pictures: other pictures are another data set."""
    return f"rendered-{RENDERER}"


def real_clevr_key(data: Path | None) -> str:
    """The released scenes in the user's folder, known by the names and sizes of their files."""
    return f"clevr-{released_hash(data)}" if data else "clevr-missing"


def real_clevr_missing(data: Path | None) -> str | None:
    """Why the real CLEVR cannot be read, where that is certain."""
    how = "give --data DIR with CLEVR_v1.0/images and CLEVR_v1.0/scenes (https://cs.stanford.edu/people/jcjohns/clevr)"
    if data is None:
        return f"real CLEVR is not downloaded (18 GB); {how}"
    if not Path(data).is_dir():
        return f"{data} is no folder; {how}"
    return None
