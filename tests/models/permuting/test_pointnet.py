"""PointNet: its transforms are the identity before training, and are applied to the coordinates alone."""

import torch

from setbench.models.interfaces import SetSpec
from setbench.models.permuting.pointnet import PointNet

SPEC = SetSpec(features=4, max_size=5, positions=slice(1, 3))


def test_transforms_change_nothing_before_training():
    basic, full = PointNet(SPEC, 3, 6), PointNet(SPEC, 3, 6, transforms=True)
    full.load_state_dict(basic.state_dict(), strict=False)
    elements, mask = torch.randn(2, 5, 4), torch.arange(5) < torch.tensor([[5], [2]])
    torch.testing.assert_close(full(elements, mask), basic(elements, mask))


def test_value_one_set_at_a_time():
    torch.manual_seed(0)
    encoder = PointNet(SPEC, 3, 6, transforms=True).double()
    for transform in (encoder.input_transform, encoder.feature_transform):
        torch.nn.init.normal_(transform.matrix.weight)  # as if it had been trained
    elements = torch.randn(2, 5, 4, dtype=torch.float64)
    mask = torch.tensor([[True, False, True, True, False], [False, False, False, True, False]])
    for x, real, code in zip(elements, mask, encoder(elements, mask), strict=True):
        x, matrices = x[real], []
        for transform, points in [(encoder.input_transform, x[:, 1:3]), (encoder.feature_transform, None)]:
            if points is None:
                turned = torch.stack([x[:, 0], *(x[:, 1:3] @ matrices[0]).T, x[:, 3]], dim=1)
                points = encoder.points(turned)
            largest = torch.stack([transform.phi(point) for point in points]).max(dim=0).values
            matrices.append(transform.matrix(transform.rho(largest)).reshape(points.shape[1], points.shape[1]))
        hidden = torch.stack([encoder.features(point @ matrices[1]) for point in points])
        torch.testing.assert_close(encoder.gamma(hidden.max(dim=0).values), code)


def test_without_positions_all_features_are_turned():
    encoder = PointNet(SetSpec(4, 5), 3, 6, transforms=True)
    assert encoder.input_transform.matrix.bias.shape == (16,)
