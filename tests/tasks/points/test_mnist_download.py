"""MNIST from the user's folder in every packing, damaged, or fetched: rightly, wrongly, slowly, not. On loopback."""

import contextlib
import gzip
import hashlib
import http.server
import io
import pickle
import re
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

import setbench.tasks.points.mnist_files as mnist_files
from setbench.tasks.catalogue import parse_task
from setbench.tasks.interfaces import Task
from setbench.tasks.no_data import NoData
from setbench.tasks.points.mnist_files import load

IMAGES, LABELS = "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"
PICTURES = (np.arange(784) < np.arange(1, 11)[:, None]).astype(np.uint8) * 34
PAYLOADS = {IMAGES: PICTURES.tobytes(), LABELS: bytes(range(10))}
PLAIN = {IMAGES: bytes(16) + PAYLOADS[IMAGES], LABELS: bytes(8) + PAYLOADS[LABELS]}


def files() -> dict[str, bytes]:
    """Two tiny files in MNIST's format: ten pictures, the k-th with k + 1 bright pixels."""
    return {f"{name}.gz": gzip.compress(content, mtime=0) for name, content in PLAIN.items()}


def made(cache: Path, data: Path | None = None, test: int = 10) -> Task:
    return parse_task("set_mnist").make({"test": test}, cache, data)


def keras() -> bytes:
    """The same test pictures as Keras packs them; it holds no training pictures."""
    content = io.BytesIO()
    np.savez(content, x_test=PICTURES.reshape(10, 28, 28), y_test=np.arange(10, dtype=np.uint8))
    return content.getvalue()


PACKINGS: dict[str, dict[str, bytes]] = {
    "gzip": files(),
    "gzip again": {f"{name}.gz": gzip.compress(content, 1, mtime=77) for name, content in PLAIN.items()},
    "plain": dict(PLAIN),
    "dots": {name.replace("-idx", ".idx"): content for name, content in PLAIN.items()},
    "dots, gzip": {f"{name.replace('-idx', '.idx')}.gz": gzip.compress(content) for name, content in PLAIN.items()},
    "keras": {"mnist.npz": keras()},
}


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
        monkeypatch.setattr(mnist_files, "MIRRORS", (f"http://127.0.0.1:{running.server_port}/mnist/",))
        sums = {name: hashlib.sha256(payload).hexdigest() for name, payload in PAYLOADS.items()}
        monkeypatch.setattr(mnist_files, "MNIST_SHA256", sums)
        yield handler
        running.shutdown()


def test_fetched_once_and_then_read(server: type[Handler], tmp_path: Path) -> None:
    split = made(tmp_path).split("test")
    assert split.targets.mask.sum(dim=1).tolist() == list(range(1, 11))
    server.served = {}
    assert load(IMAGES, tmp_path, None).tobytes() == PAYLOADS[IMAGES]


def test_second_mirror(server: type[Handler], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mnist_files, "MIRRORS", ("http://127.0.0.1:1/", *mnist_files.MIRRORS))
    assert load(IMAGES, tmp_path, None).tobytes() == PAYLOADS[IMAGES]


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
        monkeypatch.setattr(mnist_files, "MIRRORS", ("http://127.0.0.1:1/",))
    with pytest.raises(NoData) as caught:
        made(tmp_path).split("test")
    message = str(caught.value)
    assert "\n" not in message
    assert "--data DIR" in message
    said = {"404": "answers 404", "wrong": "another file", "short": "127.0.0.1", "no network": "not reached"}
    assert said[trouble] in message
    assert not list(tmp_path.rglob("*.npy"))


@pytest.mark.parametrize("folder", ["mnist", ".", "MNIST/raw", "mnist/MNIST/raw"])
@pytest.mark.parametrize("packing", PACKINGS)
def test_every_usual_packing_is_the_same_data(server: type[Handler], tmp_path: Path, packing: str, folder: str) -> None:
    server.served = {}
    (tmp_path / folder).mkdir(parents=True, exist_ok=True)
    for name, body in PACKINGS[packing].items():
        (tmp_path / folder / name).write_bytes(body)
    split = made(tmp_path / "cache", tmp_path).split("test")
    assert split.targets.mask.sum(dim=1).tolist() == list(range(1, 11))


DAMAGE: dict[str, tuple[str, bytes]] = {
    "cut": (f"{IMAGES}.gz", files()[f"{IMAGES}.gz"][:-9]),
    "other digits": (f"{IMAGES}.gz", gzip.compress(bytes(16) + PICTURES[::-1].tobytes())),
    "empty": (IMAGES, b""),
    "only a header": (IMAGES, bytes(7)),
    "no archive": ("mnist.npz", b"PK nonsense"),
    "pickled": ("mnist.npz", pickle.dumps({"x_test": PICTURES})),
    "without its arrays": ("mnist.npz", (lambda file: (np.savez(file, a=1), file.getvalue())[1])(io.BytesIO())),
    "bomb": (f"{IMAGES}.gz", gzip.compress(bytes(70 << 20))),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_is_one_line_and_mended_is_read(server: type[Handler], tmp_path: Path, damage: str) -> None:
    server.served = {}
    name, body = DAMAGE[damage]
    data, cache = tmp_path / "data", tmp_path / "cache"
    data.mkdir()
    (data / name).write_bytes(body)
    with pytest.raises(NoData, match=re.escape(str(data / name))) as caught:
        made(cache, data).split("test")
    assert "\n" not in str(caught.value)
    (data / name).unlink()
    for name, body in files().items():
        (data / name).write_bytes(body)
    assert len(made(cache, data).split("test")) == 10


def test_of_two_copies_the_good_one_is_read(server: type[Handler], tmp_path: Path) -> None:
    server.served = {}
    (tmp_path / "mnist").mkdir()
    for name, body in files().items():
        (tmp_path / "mnist" / name).write_bytes(body)
        (tmp_path / name).write_bytes(b"damaged")
    assert len(made(tmp_path / "cache", tmp_path).split("test")) == 10


def test_a_damaged_download_is_fetched_anew(server: type[Handler], tmp_path: Path) -> None:
    assert load(IMAGES, tmp_path, None).tobytes() == PAYLOADS[IMAGES]
    (tmp_path / "mnist" / f"{IMAGES}.gz").write_bytes(b"half of it")
    assert load(IMAGES, tmp_path, None).tobytes() == PAYLOADS[IMAGES]
    server.served = {}
    assert load(IMAGES, tmp_path, None).tobytes() == PAYLOADS[IMAGES]


@pytest.mark.parametrize("where", ["head", "body"])
def test_a_download_that_trickles_ends(
    server: type[Handler], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    """A byte every few moments keeps every socket's timeout from passing."""

    def trickle(handler: Handler) -> None:
        with contextlib.suppress(OSError):
            if where == "body":
                handler.send_response(200)
                handler.end_headers()
            else:
                handler.wfile.write(b"HTTP/1.0 200 ")
            for _ in range(200):
                handler.wfile.write(b"x")
                time.sleep(0.05)

    server.do_GET = trickle  # type: ignore[assignment,method-assign]
    monkeypatch.setattr(mnist_files, "LIMIT", 0.5)
    began = time.monotonic()
    with pytest.raises(NoData, match="too slow"):
        made(tmp_path).split("test")
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("damage", ["cut", "byte", "empty", "text", "folder"])
def test_damaged_prepared_sets_are_made_again(server: type[Handler], tmp_path: Path, damage: str) -> None:
    task = made(tmp_path)
    right = task.split("test").targets
    (path,) = tmp_path.rglob("*-test.npy")
    content = path.read_bytes()
    path.unlink()
    if damage == "folder":
        path.mkdir()
        with pytest.raises(NoData, match=re.escape(str(tmp_path))):
            task.split("test")
        return
    flipped = content[:300] + bytes([content[300] ^ 1]) + content[301:]
    path.write_bytes({"cut": content[:-100], "byte": flipped, "empty": b"", "text": b"not an array"}[damage])
    again = made(tmp_path).split("test").targets
    assert torch.equal(again.elements, right.elements)
    assert torch.equal(again.mask, right.mask)
    assert path.read_bytes() == content


@pytest.mark.parametrize("folder", ["mnist", "."])
def test_the_users_own_files(server: type[Handler], tmp_path: Path, folder: str) -> None:
    server.served = {}
    (tmp_path / folder).mkdir(exist_ok=True)
    for name, body in files().items():
        (tmp_path / folder / name).write_bytes(body)
    assert len(made(tmp_path / "cache", tmp_path, test=4).split("test")) == 4
    (tmp_path / folder / f"{IMAGES}.gz").write_bytes(b"damaged")
    with pytest.raises(NoData, match="cannot read"):
        made(tmp_path / "other", tmp_path).split("test")
