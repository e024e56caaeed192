"""Finished scenes: placed by `scenes.py`, accepted by `visibility.py`."""

from setbench.tasks.clevr.render.visibility import visible
from setbench.tasks.clevr.scenes.constants import MAX_OBJECTS, MIN_OBJECTS
from setbench.tasks.clevr.scenes.scenes import Scenes, placements

_CHUNK = 64  # scenes tested together


def sample(
    seed: int,
    split: int,
    first: int,
    count: int,
    min_objects: int = MIN_OBJECTS,
    max_objects: int = MAX_OBJECTS,
) -> Scenes:
    """Scenes `first` to `first + count` of a split, each the same whatever else is asked for with it.

    Raises:
        ValueError: numbers of objects outside 1 to 10, or no scene asked for.
    """
    if not 1 <= min_objects <= max_objects <= MAX_OBJECTS:
        raise ValueError("a scene has 1 to 10 objects, the least number not above the most")
    if count < 1:
        raise ValueError("at least one scene must be asked for")
    return Scenes.concatenate(
        [
            _accepted(seed, split, start, min(_CHUNK, first + count - start), min_objects, max_objects)
            for start in range(first, first + count, _CHUNK)
        ]
    )


def _accepted(seed: int, split: int, first: int, count: int, min_objects: int, max_objects: int) -> Scenes:
    proposals = [placements(seed, split, first + k, min_objects, max_objects) for k in range(count)]
    done: list[Scenes | None] = [None] * count
    open_ = list(range(count))
    while open_:
        candidates = [next(proposals[k]) for k in open_]
        good = visible(Scenes.concatenate(candidates))
        for k, candidate, accepted in zip(open_, candidates, good, strict=True):
            if accepted:
                done[k] = candidate
        open_ = [k for k in open_ if done[k] is None]
    return Scenes.concatenate([scene for scene in done if scene is not None])
