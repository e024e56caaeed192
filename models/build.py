"""From models of the catalogue and the shape of a problem to a predictor. Knows no task: specs come in."""

from __future__ import annotations

from torch import nn

from setbench.models.catalogue import ModelSpec
from setbench.models.heads import head as build_head
from setbench.models.images.feature_map import FeatureMap
from setbench.models.images.resnet34 import ResNet34, resnet34_map
from setbench.models.images.small import SmallImageEncoder, small_map
from setbench.models.interfaces import Predictor, SetDecoder, SetEncoder
from setbench.models.ops.layers import mlp
from setbench.models.predictors import Readout, SetDecoding
from setbench.specs import ImageSpec, InputSpec, LabelSpec, NumberSpec, OutputSpec, SetSpec, VectorSpec

IMAGE_ENCODERS = {"small": SmallImageEncoder, "resnet34": ResNet34}
FEATURE_MAPS = {"small": small_map, "resnet34": resnet34_map}
"""What they show of a picture to decoders that see a feature map."""


def build_predictor(
    source: InputSpec,
    output: OutputSpec,
    *,
    encoder: ModelSpec | None,
    decoder: ModelSpec | None = None,
    latent: int,
    width: int,
    head: str = "mlp",
    image_encoder: str = "small",
) -> Predictor:
    """Build what a cell trains.

    Args:
        source: what comes in.
        output: what goes out.
        encoder: the set encoder, or a whole predictor (which then is all there is); None where a plain decoder
            reads a vector or an image.
        decoder: where sets go out; None otherwise.
        latent: size of the code, everywhere.
        width: hidden width, everywhere.
        head: one of ``HEADS``, where a label or a number goes out.
        image_encoder: a name of ``IMAGE_ENCODERS``, where images come in.

    Raises:
        ValueError: parts that do not fit together, in one line that says which.
    """
    if not isinstance(source, VectorSpec | ImageSpec | SetSpec):
        raise ValueError(f"no predictor reads {source!r}; known: VectorSpec, ImageSpec, SetSpec")
    if encoder is not None and encoder.entry.kind == "predictor":
        if not (isinstance(source, SetSpec) and isinstance(output, SetSpec)):
            raise ValueError(
                f"{encoder.name} makes sets of sets; it has no use for {_word(source)} in, {_word(output)} out"
            )
        return encoder.entry.load()(output, latent, width, **encoder.options)
    match output:
        case SetSpec():
            return _set_decoding(source, output, encoder, decoder, latent, width, image_encoder)
        case LabelSpec(classes):
            reader = _reader(source, output, encoder, decoder, latent, width)
            return Readout(reader, build_head(head, latent, width, classes), classes)
        case NumberSpec():
            reader = _reader(source, output, encoder, decoder, latent, width)
            return Readout(reader, build_head(head, latent, width, 1), None)
    raise ValueError(f"no predictor gives {output!r}; known: SetSpec, LabelSpec, NumberSpec")


def _word(spec: InputSpec | OutputSpec) -> str:
    return type(spec).__name__.removesuffix("Spec").lower()


def _reader(
    source: InputSpec,
    output: LabelSpec | NumberSpec,
    encoder: ModelSpec | None,
    decoder: ModelSpec | None,
    latent: int,
    width: int,
) -> SetEncoder:
    """The encoder in front of a head."""
    if not isinstance(source, SetSpec) or encoder is None or decoder is not None:
        raise ValueError(f"a {_word(output)} is predicted from a set, by an encoder and a head, without a decoder")
    return _build_encoder(encoder, source, latent, width)


def _set_decoding(
    source: InputSpec,
    output: SetSpec,
    encoder_spec: ModelSpec | None,
    decoder_spec: ModelSpec | None,
    latent: int,
    width: int,
    image_encoder: str,
) -> SetDecoding:
    if decoder_spec is None:
        raise ValueError("sets go out: a decoder is needed")
    iterative = decoder_spec.entry.needs_encoder
    maps = decoder_spec.entry.sees == "feature map"
    if maps and not isinstance(source, ImageSpec):
        raise ValueError(f"{decoder_spec.name} sees a feature map; it has no use for {_word(source)} in")
    needed = iterative or isinstance(source, SetSpec)
    if needed and encoder_spec is None:
        raise ValueError(f"{decoder_spec.name} with {_word(source)} in needs a set encoder")
    if not needed and encoder_spec is not None:
        raise ValueError(
            f"{decoder_spec.name} with {_word(source)} in has no use for the set encoder {encoder_spec.name}"
        )
    if isinstance(source, SetSpec) and source != output:
        raise ValueError(f"auto-encoding needs the same sets in and out, not {source} and {output}")
    decoder_class = decoder_spec.entry.load()
    encoded = decoder_class.encoder_latent(latent, **decoder_spec.options)
    encoder = None if encoder_spec is None else _build_encoder(encoder_spec, output.with_presence(), encoded, width)
    own = {"encoder": encoder} if iterative else {}
    decoder: SetDecoder = decoder_class(output, latent, width, **decoder_spec.options, **own)
    return SetDecoding(decoder, _build_source(source, latent, width, image_encoder, maps), encoder)


def _build_encoder(model: ModelSpec, spec: SetSpec, latent: int, width: int) -> SetEncoder:
    if model.entry.needs_positions and spec.positions is None:
        raise ValueError(f"{model.name} needs elements with positions; these have none")
    return model.entry.load()(spec, latent, width, **model.options)


def _build_source(source: InputSpec, latent: int, width: int, image_encoder: str, maps: bool) -> nn.Module | None:
    """Vector or image to code, or image to map; None for sets, which the set encoder reads.

    No layer of a vector's network is narrower than the code that it makes.
    """
    match source:
        case SetSpec():
            return None
        case VectorSpec(size):
            return mlp(size, max(width, latent), latent)
        case ImageSpec(channels, height, breadth):
            if image_encoder not in IMAGE_ENCODERS:
                raise ValueError(f"no image encoder is called {image_encoder!r}; known: {', '.join(IMAGE_ENCODERS)}")
            if maps:
                return FeatureMap(*FEATURE_MAPS[image_encoder](channels, height, breadth), latent)
            return IMAGE_ENCODERS[image_encoder](channels, height, breadth, latent)
