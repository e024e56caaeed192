"""What happens when MNIST must be fetched: a right file, a wrong one, a short one, none, no network. On loopback."""

import gzip
import hashlib
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import setbench.tasks.points.set_mnist as set_mnist
from setbench.tasks.interfaces import NoData
from setbench.tasks.points.set_mnist import SetMnist, find

IMAGES, LABELS = "t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"


def files() -> dict[str, bytes]:
    """Two tiny files in MNIST's format: ten pictures, the k-th with k + 1 bright pixels."""
    pictures = (np.arange(784) < np.arange(1, 11)[:, None]).astype(np.uint8) * 34
    return {IMAGES: gzip.compress(bytes(16) + pictures.tobytes()), LABELS: gzip.compress(bytes(8) + bytes(range(10)))}


class Handler(http.server.BaseHTTPRequestHandler):
    served: dict[str, bytes]
    short = False

    def do_GET(self) -> None:
        body = self.served.get(self.path.rpartition("/")[2])
        self.send_response(404 if body is None else 200)
        self.send_header("Content-Length", str(len(body or b"")))
        self.end_headers()
        self.wfile.write((body or b"")[: 10 if self.short else None])

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Handler]]:
    handler = type("ThisHandler", (Handler,), {"served": files()})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        monkeypatch.setattr(set_mnist, "MIRRORS", (f"http://127.0.0.1:{running.server_port}/mnist/",))
        sums = {name: hashlib.md5(body).hexdigest() for name, body in files().items()}
        monkeypatch.setattr(set_mnist, "MNIST_MD5", sums)
        yield handler
        running.shutdown()


def test_fetched_once_and_then_read(server: type[Handler], tmp_path: Path) -> None:
    task = SetMnist({"test": 10}, tmp_path)
    split = task.split("test")
    assert split.targets.mask.sum(dim=1).tolist() == list(range(1, 11))
    server.served = {}
    assert find(IMAGES, tmp_path, None).read_bytes() == files()[IMAGES]


def test_second_mirror(server: type[Handler], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(set_mnist, "MIRRORS", ("http://127.0.0.1:1/", *set_mnist.MIRRORS))
    assert find(IMAGES, tmp_path, None).read_bytes() == files()[IMAGES]


@pytest.mark.parametrize("trouble", ["404", "wrong", "short", "no network"])
def test_trouble_is_one_line_that_says_how(
    server: type[Handler], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trouble: str
) -> None:
    if trouble == "404":
        server.served = {}
    elif trouble == "wrong":
        server.served = dict.fromkeys(files(), b"another file")
    elif trouble == "short":
        server.short = True
    else:
        monkeypatch.setattr(set_mnist, "MIRRORS", ("http://127.0.0.1:1/",))
    with pytest.raises(NoData) as caught:
        SetMnist({}, tmp_path).split("test")
    message = str(caught.value)
    assert "\n" not in message
    assert "--data DIR" in message
    said = {"404": "answers 404", "wrong": "another file", "short": "127.0.0.1", "no network": "not reached"}
    assert said[trouble] in message
    assert not list(tmp_path.rglob("*.npy"))


@pytest.mark.parametrize("folder", ["mnist", "."])
def test_the_users_own_files(server: type[Handler], tmp_path: Path, folder: str) -> None:
    server.served = {}
    (tmp_path / folder).mkdir(exist_ok=True)
    for name, body in files().items():
        (tmp_path / folder / name).write_bytes(body)
    assert len(SetMnist({"test": 4}, tmp_path / "cache", tmp_path).split("test")) == 4
    (tmp_path / folder / IMAGES).write_bytes(b"damaged")
    with pytest.raises(NoData, match="is damaged"):
        SetMnist({}, tmp_path / "other", tmp_path).split("test")
