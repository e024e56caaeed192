"""Which data a task stands on, as a short string, found without torch and without reading the examples."""

from __future__ import annotations

from pathlib import Path

from setbench.tasks.clevr.files.identity import RENDERER, released_hash

# Begins the key of MNIST: the published md5 of the training images' gzip file.
MNIST = "f68b3c2d"

# SHA-256 of MNIST's pictures and labels, however they are packed: of what follows the header of an IDX file.
MNIST_SHA256 = {
    "train-images-idx3-ubyte": "741c988805d008ac6e4c904b69001ba184c24b2c540a4ef403f4c71b676cf757",
    "train-labels-idx1-ubyte": "1feba77c54802fa5339a11837ea4b2866434b83314ec45192930f1df69120c13",
    "t10k-images-idx3-ubyte": "6d87418db22cc8025d05968bec9bd5c3932904b23485740db143a061a2c9d161",
    "t10k-labels-idx1-ubyte": "ddeff807876a9661a1110d45c266c86239a3a1b7d37da0c3716a7a683c852ff5",
}

LARGEST_DIGIT = 342
"""Points of the largest set of MNIST's training images."""

# SHA-256 of scikit-learn's embedded digits: the 1,797 x 64 pixels as uint8, then the labels as uint8.
DIGITS_SHA256 = "87ff0c9e40dc7e2c0e34e7257799c2e3f3aec1a016363bb11cad869ec428a826"

# To be raised whenever the way from the images to the sets changes.
POINTS_VERSION = 1


def mnist_key(points: int) -> str:
    return f"mnist-{MNIST}-v{POINTS_VERSION}{_at_most(points)}"


def digits_key(points: int) -> str:
    return f"digits-{DIGITS_SHA256[:8]}-v{POINTS_VERSION}{_at_most(points)}"


def _at_most(points: int) -> str:
    return f"-{points}points" if points else ""


def rendered_clevr_key() -> str:
    """Named by the version of the pictures: other pictures are another data set."""
    return f"rendered-{RENDERER}"


def real_clevr_key(data: Path | None, cache: Path | None = None) -> str:
    """The released scenes in the user's folder, known by the content of their files."""
    return f"clevr-{released_hash(data, cache)}" if data else "clevr-missing"


def real_clevr_missing(data: Path | None) -> str | None:
    """Why the real CLEVR cannot be read, where that is certain."""
    how = "give --data DIR with CLEVR_v1.0/images and CLEVR_v1.0/scenes (https://cs.stanford.edu/people/jcjohns/clevr)"
    if data is None:
        return f"real CLEVR is not downloaded (18 GB); {how}"
    if not Path(data).is_dir():
        return f"{data} is no folder; {how}"
    return None
