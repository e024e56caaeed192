"""python -m setbench.models.check FILE:CLASS: what it prints, and its exit codes."""

from pathlib import Path

import pytest

from setbench.models.check.__main__ import main

FILE = """
import torch
from torch import nn

class Mean(nn.Module):
    def __init__(self, hidden=4, leak=False):
        super().__init__()
        self.phi, self.leak = nn.Linear(2, hidden), leak

    def forward(self, x, mask):
        real = mask[..., None]
        count = x.shape[1] if self.leak else real.sum(dim=1)
        return (self.phi(x) * real).sum(dim=1) / count

class First(nn.Module):
    def forward(self, x):
        return x[:, 0]
"""


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "modules_to_check.py"
    file.write_text(FILE)
    assert main([f"{file}:Mean", "--features", "2", "--arg", "hidden=8"]) == 0
    assert "invariant               yes" in capsys.readouterr().out
    assert main([f"{file}:Mean", "--features", "2", "--arg", "leak=True"]) == 1
    assert "indifferent to padding  no" in capsys.readouterr().out
    assert main([f"{file}:Mean", "--features", "2", "--expect", "equivariant"]) == 1
    assert main([f"{file}:First"]) == 1
    for words, said in (
        ([f"{file}:Frist"], "did you mean 'First'?"),
        ([f"{file}:Mean", "--arg", "width=3"], "--arg NAME=VALUE gives arguments"),
        ([f"{file}:Mean", "--arg", "width"], "write NAME=VALUE"),
        ([str(file)], "write FILE:CLASS"),
        ([f"{tmp_path}/none.py:Mean"], "check: none.py: no such Python file"),
        ([f"{file}:Mean", "--call", "maks"], "did you mean 'mask'?"),
        ([f"{file}:Mean", "--features", "3"], "features=, size= and call="),
    ):
        capsys.readouterr()
        assert main(words) == 2
        error = capsys.readouterr().err
        assert said in error
        assert error.count("\n") == 1
