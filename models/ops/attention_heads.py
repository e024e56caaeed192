"""How attention heads share a width."""


def per_head(width: int, heads: int) -> int:
    """The size of one head.

    Raises:
        ValueError: where ``heads`` does not divide ``width``.
    """
    if heads < 1 or width % heads:
        raise ValueError(f"{heads} heads do not divide a width of {width}")
    return width // heads
