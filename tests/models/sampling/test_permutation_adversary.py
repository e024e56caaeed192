"""SPAN: what the learner reads in training and in prediction, and that the two sides pull apart."""

import torch

from setbench.models.interfaces import SetSpec
from setbench.models.sampling.permutation_adversary import PermutationAdversary

SPEC = SetSpec(features=3, max_size=4)


def batch():
    torch.manual_seed(1)
    return torch.randn(2, 4, 3, dtype=torch.float64), torch.tensor([[True] * 4, [True, False, True, False]])


def learner(encoder, sequence):
    return encoder.output(encoder.last_state.rnn(sequence)[0][-1])


def test_reads_weighted_means_of_the_elements():
    torch.manual_seed(0)
    encoder = PermutationAdversary(SPEC, latent=5, width=6, temperature=0.5, rounds=3).double()
    elements, mask = batch()
    for x, real, code in zip(elements, mask, encoder(elements, mask), strict=True):
        x, n = x[real], int(real.sum())
        soft = (encoder.adversary.positions(x)[:, :n] / 0.5).exp()
        for _ in range(3):
            soft = soft / soft.sum(dim=1, keepdim=True)
            soft = soft / soft.sum(dim=0, keepdim=True)
        sequence = torch.stack([sum(soft[i, k] * x[i] for i in range(n)) for k in range(n)])
        torch.testing.assert_close(code, learner(encoder, sequence))


def test_raw_prediction_reads_the_order_that_the_set_came_in_but_training_does_not():
    torch.manual_seed(0)
    raw = PermutationAdversary(SPEC, latent=5, width=6, predict="raw").double()
    elements, mask = batch()
    for x, real, code in zip(elements, mask, raw.eval()(elements, mask), strict=True):
        torch.testing.assert_close(code, learner(raw, x[real]))
    released = PermutationAdversary(SPEC, latent=5, width=6).double()
    released.load_state_dict(raw.state_dict())
    assert torch.equal(raw.train()(elements, mask), released.eval()(elements, mask))


def test_the_adversary_raises_the_loss_that_the_learner_lowers():
    torch.manual_seed(0)
    encoder = PermutationAdversary(SPEC, latent=1, width=6).double()
    adversary = encoder.adversaries()
    theirs = {id(parameter) for parameter in adversary}
    learners = [parameter for parameter in encoder.parameters() if id(parameter) not in theirs]
    assert len(theirs) == 4
    assert len(learners) == 8
    elements, mask = batch()

    def loss():
        return (encoder(elements, mask) - 1).square().mean()

    for parameters, rate, direction in [(adversary, 0.1, 1), (learners, -0.1, -1)]:
        before = loss()
        slopes = torch.autograd.grad(before, parameters)
        with torch.no_grad():
            for parameter, slope in zip(parameters, slopes, strict=True):
                parameter += rate * slope
        assert direction * (loss() - before) > 0
