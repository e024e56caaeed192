"""The ceiling's codes are sums over the true objects; orders of decoders are compared by their intervals."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from setbench.bench.cell.frozen_task import FrozenTask
from setbench.bench.experiments.picture_ceiling import TrueSets, orders, told
from setbench.models.images.frozen import load_frozen
from setbench.sets import SetBatch
from setbench.tasks.catalogue import parse_task
from setbench.tasks.interfaces import Split


def test_a_true_sets_code_is_the_sum_over_its_objects_and_lies_apart_from_the_pictures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = TrueSets(parse_task("clevr_state").make({"train": 3, "validation": 2, "test": 2}, tmp_path), "frozen")
    random = np.random.default_rng(0)
    elements = torch.from_numpy(random.normal(size=(3, 10, 18)).astype(np.float32))
    mask = torch.arange(10) < torch.tensor([[3], [10], [0]])
    monkeypatch.setattr(
        type(task.inner), "split", lambda self, name: Split(torch.zeros(3, 1), SetBatch(elements, mask))
    )
    task._encode("train", lambda *_: None)
    made = np.load(task._path("train"))
    *inner, last = load_frozen("frozen")[0].phi[::2]  # the layers between the ReLUs
    by_hand = np.zeros((3, 256))
    for scene in range(3):
        for slot in range(10):
            if mask[scene, slot]:
                hidden = elements[scene, slot].numpy()
                for layer in inner:
                    hidden = np.maximum(layer.weight.numpy() @ hidden + layer.bias.numpy(), 0)
                by_hand[scene] += (last.weight.numpy() @ hidden + last.bias.numpy()) / 4
    np.testing.assert_allclose(made, by_hand, atol=2e-5)
    assert task._path("train") != FrozenTask(task.inner, "frozen")._path("train")


def table(**means: tuple[float, float]) -> pd.DataFrame:
    """Three seeds of each decoder under two codes, a little apart."""
    rows = [
        {"code": code, "decoder": name, "seed": seed, "ap_inf": mean + 0.1 * seed * (1 if name == "mlp" else 2)}
        for name, pair in means.items()
        for code, mean in zip(("one", "two"), pair, strict=True)
        for seed in range(3)
    ]
    return pd.DataFrame(rows)


def test_a_pair_is_turned_round_where_both_codes_tell_it_and_the_other_way() -> None:
    rows = table(mlp=(10, 10), lstm=(12, 7), slots=(20, 20))
    assert told(rows[rows["code"] == "one"], "mlp", "lstm") == -1
    assert told(rows[rows["code"] == "two"], "mlp", "lstm") == 1
    (said,) = orders(rows)
    assert "beyond its intervals: mlp and lstm." in said
    assert "tau 0.33" in said  # by hand: two of three pairs agree


def test_what_cannot_be_told_is_not_called_turned_round() -> None:
    rows = table(mlp=(10.1, 10), lstm=(10, 10.05))
    assert told(rows[rows["code"] == "one"], "mlp", "lstm") == 0
    (said,) = orders(rows)
    assert said.endswith("no pair is turned round beyond its intervals.")
