"""From a vector to a set. Imports no torch."""

from models.entry import Entry, Option

PRESENCE = Option(1.0, "what every slot's presence starts at; the paper has 1 on MNIST and 0 on CLEVR")

ENTRIES: tuple[Entry, ...] = (
    Entry(
        name="mlp",
        target="models.decoders.mlp:MLPDecoder",
        kind="decoder",
        paradigm="decoder",
        section="Set prediction",
        paper="Zhang et al. 2019, baseline",
        summary="an MLP whose output is cut into ordered slots",
        invariance="none",
        why="slots are ordered: neighbouring codes can need a jump of the order (the responsibility problem)",
        cost="N",
        options={"presence": PRESENCE},
    ),
    Entry(
        name="lstm",
        target="models.decoders.lstm:LSTMDecoder",
        kind="decoder",
        paradigm="decoder",
        section="Set prediction",
        paper="Zhang et al. 2019, baseline",
        summary="an LSTM started from the code gives one slot a step",
        invariance="none",
        why="slots are ordered: each depends on those before it",
        cost="N, one after another",
        options={"presence": PRESENCE},
    ),
    Entry(
        name="dspn",
        target="models.decoders.dspn:DSPN",
        kind="decoder",
        paradigm="decoder",
        section="Set prediction",
        paper="Zhang et al. 2019",
        summary="gradient descent on a set until the encoder gives it the wanted code",
        invariance="exact",
        why="permuting the slots of the start permutes the result where the encoder is invariant (theorem 1)",
        cost="2T encoder passes, 4T in training",
        options={
            "steps": Option(10, "T, inner steps in training; evaluated at T, 2T and 3T"),
            "step": Option(
                "calibrated",
                "inner step size: calibrated to the encoder before training, paper (800 / (32 latent)) or a number",
            ),
            "loss": Option("all", "train on all T + 1 sets or on the last", ("all", "last")),
            "representation_weight": Option(0.1, "weight of the loss between the code and the target's encoding"),
        },
        needs_encoder=True,
    ),
)
