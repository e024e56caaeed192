"""set2set against PyTorch Geometric's Set2Set with the same weights."""

import pytest
import torch
from torch_geometric.nn import Set2Set as PyGSet2Set

from setbench.models.attention.set2set import Process, Set2Set
from setbench.models.interfaces import SetSpec


@pytest.mark.parametrize("steps", [1, 4])
def test_process_is_pygs_set2set(steps: int) -> None:
    torch.manual_seed(0)
    ours, peer = Process(5, steps).double(), PyGSet2Set(5, processing_steps=steps).double()
    peer.lstm.load_state_dict({name + "_l0": value for name, value in ours.lstm.state_dict().items()})
    memories = torch.randn(3, 6, 5, dtype=torch.float64)
    mask = torch.tensor([[True] * 6, [True, False, True, True, False, False], [False] * 5 + [True]])
    index = torch.arange(3)[:, None].expand(3, 6)[mask]
    # PyG adds 1e-16 to the sum of its softmax.
    torch.testing.assert_close(ours(memories, mask), peer(memories[mask], index), atol=1e-12, rtol=0)


def test_encoder_reads_processes_and_projects() -> None:
    torch.manual_seed(1)
    encoder = Set2Set(SetSpec(3, 6), latent=4, width=5, steps=3).double()
    elements = torch.randn(1, 6, 3, dtype=torch.float64)
    peer = PyGSet2Set(5, processing_steps=3).double()
    peer.lstm.load_state_dict({name + "_l0": value for name, value in encoder.process.lstm.state_dict().items()})
    expected = encoder.out(peer(encoder.read(elements[0]), torch.zeros(6, dtype=torch.long)))
    torch.testing.assert_close(encoder(elements, torch.ones(1, 6, dtype=torch.bool)), expected, atol=1e-12, rtol=0)


def test_an_empty_set_reads_nothing() -> None:
    torch.manual_seed(2)
    process = Process(4, 2).double()
    state = process(torch.randn(1, 3, 4).double(), torch.zeros(1, 3, dtype=torch.bool))
    assert state[0, 4:].tolist() == [0, 0, 0, 0]
    assert state.isfinite().all()


def test_no_steps_are_refused() -> None:
    with pytest.raises(ValueError, match="at least one step"):
        Set2Set(SetSpec(3, 6), latent=4, width=5, steps=0)
