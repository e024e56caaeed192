"""NormPool: the p-norm over the elements of each feature. A model of my own, for setbench."""

from torch import nn

from setbench.models.catalogue import register
from setbench.models.entry import Entry
from setbench.models.interfaces import SetEncoder
from setbench.options import Option


class NormPool(SetEncoder):
    def __init__(self, spec, latent, width, power=4.0):
        super().__init__(spec, latent)
        self.power = power
        self.phi = nn.Sequential(nn.Linear(spec.features, width), nn.ReLU(), nn.Linear(width, width), nn.Softplus())
        self.rho = nn.Linear(width, latent)

    def forward(self, elements, mask):  # [batch, size, features], [batch, size] -> [batch, latent]
        terms = self.phi(elements) ** self.power * mask[..., None]
        return self.rho((terms.sum(dim=1) + 1e-6) ** (1 / self.power))


register(
    Entry(
        name="norm_pool",
        target="norm_pool:NormPool",
        kind="encoder",
        paradigm="permuting",
        section="Permuting & averaging",
        paper="mine",
        summary="the p-norm of each feature over the set",
        options={"power": Option(4.0, "the p of the norm", above=0)},
    )
)
