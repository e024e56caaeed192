"""From a vector to a set. Imports no torch."""

from functools import partial

from setbench.models.entry import Entry
from setbench.options import Option

PRESENCE = Option(1.0, "what every slot's presence starts at; the paper has 1 on MNIST and 0 on CLEVR")
START = Option("gaussian", "slots are drawn from one learned Gaussian, or each is learned", ("gaussian", "learned"))

entry = partial(Entry, package=__package__, kind="decoder", paradigm="decoder", section="Set prediction")

ENTRIES: tuple[Entry, ...] = (
    entry(
        name="mlp",
        target="mlp:MLPDecoder",
        paper="Zhang et al. 2019, baseline",
        summary="an MLP whose output is cut into ordered slots",
        invariance="none",
        why="slots are ordered: neighbouring codes can need a jump of the order (the responsibility problem)",
        cost="N",
        options={"presence": PRESENCE},
    ),
    entry(
        name="lstm",
        target="lstm:LSTMDecoder",
        paper="Zhang et al. 2019, baseline",
        summary="an LSTM started from the code gives one slot a step",
        invariance="none",
        why="slots are ordered: each depends on those before it",
        cost="N, one after another",
        options={"presence": PRESENCE},
    ),
    entry(
        name="dspn",
        target="dspn:DSPN",
        paper="Zhang et al. 2019",
        summary="gradient descent on a set until the encoder gives it the wanted code",
        invariance="exact",
        why="permuting the slots of the start permutes the result where the encoder is invariant (theorem 1)",
        cost="2T encoder passes, 4T in training",
        options={
            "steps": Option(10, "T, inner steps in training; evaluated at T, and at 10, 20 and 30", low=1),
            "step": Option(
                "calibrated",
                "inner step size: calibrated to the encoder before training, paper (800 / (32 latent)) or a number",
                words=("calibrated", "paper"),
                above=0,
                number=float,
            ),
            "loss": Option("all", "train on all T + 1 sets or on the last", ("all", "last")),
            "representation_weight": Option(
                0.1, "weight of the loss between the code and the target's encoding", low=0
            ),
            "momentum": Option(0.0, "of the inner steps, below 1", low=0, high=0.999),
            "mask_sum": Option(False, "the code's last number is four times the mean presence, behind the encoder's"),
            "inner": Option("huber", "what of the distance between codes is descended", ("huber", "squared")),
            "start": Option("learned", "one start for all, or an MLP makes it of the code", ("learned", "mlp")),
            "stop": Option(0.0, "a sample whose inner loss is below this moves no more; 0 never stops", low=0),
        },
        needs_encoder=True,
    ),
    entry(
        name="idspn",
        target="idspn:IDSPN",
        paper="Zhang et al. 2022",
        summary="DSPN that differentiates its last step alone (approximate implicit differentiation)",
        invariance="exact",
        why="permuting the slots of the start permutes the result where the encoder is invariant",
        cost="2T encoder passes, 2T + 2 in training",
        options={
            "steps": Option(
                20, "T, inner steps in training; evaluated at T, and at 10, 20 and 30; the paper has 20, then 40", low=1
            ),
            "step": Option(
                "calibrated",
                "inner step size: calibrated, paper (1 / latent) or a number",
                words=("calibrated", "paper"),
                above=0,
                number=float,
            ),
            "start": Option("noise", "Gaussian noise, or one start learned for all", ("noise", "learned")),
        },
        needs_encoder=True,
    ),
    entry(
        name="slots",
        target="slots:CodeSlots",
        paper="after Locatello et al. 2020",
        summary="slot attention over 16 linear maps of one code, not of a feature map",
        invariance="exact",
        why="permuting the slots of the start permutes the result",
        cost="N",
        options={
            "iterations": Option(3, "rounds of attention", low=1),
            "tokens": Option(16, "linear maps of the code that are attended to", low=1),
        },
    ),
    entry(
        name="queries",
        target="queries:LearnedQueries",
        paper="after Carion et al. 2020 (DETR)",
        summary="a transformer decoder from learned queries to 16 linear maps of one code, not to a feature map",
        invariance="exact",
        why="permuting the queries permutes the result",
        cost="N^2",
        options={
            "layers": Option(2, "how many; DETR has 6", low=1),
            "heads": Option(4, "of every attention; must divide the width", low=1),
            "tokens": Option(16, "linear maps of the code that are attended to", low=1),
        },
    ),
    entry(
        name="slot_attention",
        target="slot_attention:SlotAttention",
        paper="Locatello et al. 2020",
        summary="slots compete for the cells of a feature map; sees more than one vector",
        invariance="exact",
        why="permuting the slots of the start permutes the result",
        cost="N cells",
        options={"iterations": Option(3, "rounds of attention", low=1), "start": START},
        sees="feature map",
    ),
    entry(
        name="slot_mixture",
        target="slot_mixture:SlotMixture",
        paper="Kirilenko et al. 2024 (SMM)",
        summary="slots are a Gaussian mixture fitted to the cells of a feature map; sees more than one vector",
        invariance="exact",
        why="permuting the slots of the start permutes the result",
        cost="N cells",
        options={"iterations": Option(7, "rounds of expectation and maximisation", low=1), "start": START},
        sees="feature map",
    ),
)
