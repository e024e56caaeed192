"""Image encoders: counts, shapes, and a residual block against the sum written out."""

import copy
from collections.abc import Callable

import pytest
import torch
from torch.nn import functional

from setbench.models.images.feature_map import FeatureMap, places
from setbench.models.images.resnet34 import Block, ResNet34, resnet34_map, trunk
from setbench.models.images.small import SmallImageEncoder, small_map


def test_resnet34_counts() -> None:
    with torch.device("meta"):
        assert sum(weight.numel() for weight in trunk().parameters()) == 21_284_672
        assert sum(weight.numel() for weight in ResNet34(3, 128, 128, 512).parameters()) == 24_694_592


def test_resnet34_shapes_and_initial_weights() -> None:
    model = ResNet34(3, 128, 128, 16).eval()
    with torch.no_grad():
        image = torch.rand(1, 3, 128, 128)
        assert model.layers[0](image).shape == (1, 512, 4, 4)
        assert model(image).shape == (1, 16)
    convolutions = [layer for layer in model.modules() if isinstance(layer, torch.nn.Conv2d)]
    assert len(convolutions) == 33 + 3 + 2  # 33 on the way, 3 in shortcuts, 2 behind the trunk
    for layer in convolutions:
        fans = layer.weight[0].numel() + layer.weight[:, 0].numel()
        assert layer.weight.abs().max() <= (6 / fans) ** 0.5
        assert layer.bias is None or not layer.bias.any()
    with pytest.raises(ValueError, match="65 to 128 pixels, not 64x64"):
        ResNet34(3, 64, 64, 16)


def test_block_adds_its_shortcut() -> None:
    block = Block(4, 6, stride=2).double().eval()
    image = torch.rand(2, 4, 9, 9, dtype=torch.float64)
    first, norm, _, second, other = block.branch
    inner = functional.relu(norm(functional.conv2d(image, first.weight, stride=2, padding=1)))
    branch = other(functional.conv2d(inner, second.weight, padding=1))
    every_other = image[:, :, ::2, ::2]
    shortcut = block.shortcut[1](torch.einsum("oi,bihw->bohw", block.shortcut[0].weight[:, :, 0, 0], every_other))
    torch.testing.assert_close(block(image), functional.relu(branch + shortcut))
    assert isinstance(Block(4, 4, stride=1).shortcut, torch.nn.Identity)


@pytest.mark.parametrize("size", [(128, 128), (64, 64), (100, 70), (32, 32), (20, 28), (130, 200)])
def test_small_encoder_takes_any_size(size: tuple[int, int]) -> None:
    model = SmallImageEncoder(3, *size, latent=8)
    assert model(torch.rand(2, 3, *size)).shape == (2, 8)


def test_small_encoder_sees_the_picture_averaged_to_64() -> None:
    model = SmallImageEncoder(3, 128, 128, latent=8)
    image = torch.rand(2, 3, 128, 128)
    averaged = image.unflatten(3, (64, 2)).unflatten(2, (64, 2)).mean(dim=(3, 5))
    small = SmallImageEncoder(3, 64, 64, latent=8)
    small.load_state_dict(model.state_dict())
    torch.testing.assert_close(model(image), small(averaged), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("make", "size", "cells"),
    [
        (small_map, (64, 64), (16, 16)),
        (small_map, (128, 128), (16, 16)),
        (small_map, (100, 70), (25, 18)),
        (small_map, (32, 32), (8, 8)),
        (resnet34_map, (128, 128), (8, 8)),
        (resnet34_map, (65, 128), (5, 8)),
    ],
)
def test_maps_keep_places(make, size: tuple[int, int], cells: tuple[int, int]) -> None:
    layers, channels = make(3, *size)
    with torch.no_grad():
        assert layers.eval()(torch.rand(2, 3, *size)).shape == (2, channels, *cells)


def test_the_map_of_resnet34_is_what_its_last_group_sees() -> None:
    layers, _ = resnet34_map(3, 128, 128)
    whole = trunk().eval()
    whole[: len(layers)].load_state_dict(layers.eval().state_dict())
    image = torch.rand(1, 3, 128, 128)
    with torch.no_grad():
        torch.testing.assert_close(whole[len(layers) :](layers(image)), whole(image))
    assert len(whole) - len(layers) == 3
    with pytest.raises(ValueError, match="65 to 128 pixels, not 64x64"):
        resnet34_map(3, 64, 64)


def test_a_cell_is_read_with_its_place() -> None:
    """Row by row; cell (i, j) has i / (rows - 1) and j / (columns - 1) added through a matrix, and one less each."""
    source = FeatureMap(torch.nn.Identity(), channels=4, latent=3).double()
    seen = torch.randn(2, 4, 3, 5, dtype=torch.float64)
    found = source(seen)
    assert found.shape == (2, 15, 3)
    for i, j in ((0, 0), (2, 4), (1, 3)):
        place = torch.tensor([i / 2, j / 4, 1 - i / 2, 1 - j / 4], dtype=torch.float64)
        torch.testing.assert_close(found[:, 5 * i + j], source.cell(seen[:, :, i, j] + source.place(place)))
    assert places(1, 1, like=seen).flatten().tolist() == [0, 0, 1, 1]


@pytest.mark.parametrize("make", [SmallImageEncoder, ResNet34, lambda *shape: resnet34_map(*shape[:3])[0]])
def test_channels_last_is_a_layout_alone(make: Callable[..., torch.nn.Module]) -> None:
    """Codes and gradients are the same numbers, which a GPU may find faster so."""
    torch.manual_seed(0)
    plain = make(3, 66, 66, 8).double().eval()
    last = copy.deepcopy(plain).to(memory_format=torch.channels_last)
    images = torch.rand(2, 3, 66, 66, dtype=torch.float64)
    for model in (plain, last):
        model(images).square().sum().backward()
    torch.testing.assert_close(last(images), plain(images), rtol=1e-10, atol=1e-12)
    for a, b in zip(last.parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(a.grad, b.grad, rtol=1e-8, atol=1e-10)
