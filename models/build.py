"""From rows of the catalogue and the shape of a problem to a predictor. Knows no task: plain values come in."""

from __future__ import annotations

from typing import Any

from torch import nn

from setbench.models.catalogue import Row
from setbench.models.heads import head as build_head
from setbench.models.images.resnet34 import ResNet34
from setbench.models.images.small import SmallImageEncoder
from setbench.models.interfaces import Predictor, SetDecoder, SetEncoder, SetSpec
from setbench.models.ops.layers import mlp
from setbench.models.predictors import Readout, SetDecoding

IMAGE_ENCODERS = {"small": SmallImageEncoder, "resnet34": ResNet34}

Shape = tuple[Any, ...]
"""What comes in or goes out, in plain values: ``("vector", size)``, ``("image", channels, height, width)``,
``("set", features, max_size, positions)``, ``("label", classes)`` or ``("number",)``."""


def build_predictor(
    source: Shape,
    output: Shape,
    *,
    encoder: Row | None,
    decoder: Row | None = None,
    latent: int,
    width: int,
    head: str = "mlp",
    image_encoder: str = "small",
) -> Predictor:
    """Build what a cell trains.

    Args:
        source: what comes in: vector, image or set.
        output: what goes out: set, label or number.
        encoder: the set encoder, or a whole predictor (which then is all there is); None where a plain decoder
            reads a vector or an image.
        decoder: where sets go out; None otherwise.
        latent: size of the code, everywhere.
        width: hidden width, everywhere.
        head: "mlp" or "linear", where a label or a number goes out.
        image_encoder: a name of ``IMAGE_ENCODERS``, where images come in.

    Raises:
        ValueError: parts that do not fit together, in one line that says which.
    """
    if encoder is not None and encoder.entry.kind == "predictor":
        if source[0] != "set" or output[0] != "set":
            raise ValueError(f"{encoder.name} makes sets of sets; it has no use for {source[0]} in, {output[0]} out")
        return encoder.entry.load()(SetSpec(*output[1:]), latent, width, **encoder.options)
    if output[0] == "set":
        return _set_decoding(source, SetSpec(*output[1:]), encoder, decoder, latent, width, image_encoder)
    if output[0] not in ("label", "number"):
        raise ValueError(f"no predictor gives {output[0]!r}; known: set, label, number")
    if source[0] != "set" or encoder is None or decoder is not None:
        raise ValueError(f"a {output[0]} is predicted from a set, by an encoder and a head, without a decoder")
    classes = output[1] if output[0] == "label" else None
    reader = _build_encoder(encoder, SetSpec(*source[1:]), latent, width)
    return Readout(reader, build_head(head, latent, width, classes or 1), classes)


def _set_decoding(
    source: Shape,
    spec: SetSpec,
    encoder_row: Row | None,
    decoder_row: Row | None,
    latent: int,
    width: int,
    image_encoder: str,
) -> SetDecoding:
    if decoder_row is None:
        raise ValueError("sets go out: a decoder is needed")
    iterative = decoder_row.entry.needs_encoder
    needed = iterative or source[0] == "set"
    if needed and encoder_row is None:
        raise ValueError(f"{decoder_row.name} with {source[0]} in needs a set encoder")
    if not needed and encoder_row is not None:
        raise ValueError(f"{decoder_row.name} with {source[0]} in has no use for the set encoder {encoder_row.name}")
    if source[0] == "set" and SetSpec(*source[1:]) != spec:
        raise ValueError(f"auto-encoding needs the same sets in and out, not {source[1:]} and {spec}")
    encoder = None if encoder_row is None else _build_encoder(encoder_row, spec.with_presence(), latent, width)
    own = {"encoder": encoder} if iterative else {}
    decoder: SetDecoder = decoder_row.entry.load()(spec, latent, width, **decoder_row.options, **own)
    return SetDecoding(decoder, _build_source(source, latent, width, image_encoder), encoder)


def _build_encoder(row: Row, spec: SetSpec, latent: int, width: int) -> SetEncoder:
    if row.entry.needs_positions and spec.positions is None:
        raise ValueError(f"{row.name} needs elements with positions; these have none")
    return row.entry.load()(spec, latent, width, **row.options)


def _build_source(source: Shape, latent: int, width: int, image_encoder: str) -> nn.Module | None:
    """Vector or image to code; None for sets, which the set encoder reads."""
    match source:
        case ("set", *_):
            return None
        case ("vector", size):
            return mlp(size, width, latent)
        case ("image", channels, height, breadth):
            if image_encoder not in IMAGE_ENCODERS:
                raise ValueError(f"no image encoder is called {image_encoder!r}; known: {', '.join(IMAGE_ENCODERS)}")
            return IMAGE_ENCODERS[image_encoder](channels, height, breadth, latent)
    raise ValueError(f"no predictor reads {source[0]!r}; known: vector, image, set")
