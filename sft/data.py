"""The dialogues as training examples: each clip decoded once, each dialogue whole or refused.

    prepared = prepare(recipe, coach, clips_of(recipe, data, dialogues))
    prepared.dataset[0]         # an `Encoded`, for `vlm.collate.Collator`

Everything that could go wrong with an example goes wrong here, before the first step: a clip that
does not decode is quarantined and named, a dialogue that is too long is named with its length.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from flex.files import hash_text
from flex.problems import InputError, Problem
from flex.sample import PhaseSpan
from flex.video import Frames
from sft.decode import Film, decode
from sft.recipe import Recipe
from vlm.cache import FrameCache
from vlm.chat import NOT_LEARNT, Encoded, Vision, encode, unseen
from vlm.dialogues import DialogueRecord, read_dialogues, view_path
from vlm.features import FeatureCache
from vlm.model import Coach

# Examples are kept in memory while they fit; the rest come from the caches again each epoch.
KEPT_BYTES = 2**30


@dataclass(frozen=True)
class Clip:
    """One view of a clip with its dialogue."""

    record: DialogueRecord
    view: str
    data: Path
    phases: tuple[PhaseSpan, ...] = ()

    @property
    def name(self) -> str:
        """The clip and the view, such as A01/001 View-1."""
        return f"{self.record.clip} {self.view}"

    @property
    def path(self) -> Path:
        """Where the view lies; raises `InputError` if it is missing."""
        return view_path(self.data, self.record, self.view)


@dataclass(frozen=True)
class Example:
    """An example in numbers: tokens in all, learnt, and of video."""

    name: str
    length: int
    learnt: int
    video_tokens: int


class Dialogues:
    """A map-style data set of `Encoded` dialogues."""

    def __init__(
        self, clips: Sequence[Clip], recipe: Recipe, coach: Coach, kept_bytes: int = KEPT_BYTES
    ) -> None:
        self.clips = list(clips)
        self._recipe = recipe
        self._processor = coach.processor
        self._frames = FrameCache(recipe.frame_cache)
        folder = feature_folder(recipe)
        self._features = FeatureCache(folder, coach) if folder else None
        self._kept: dict[str, Encoded] = {}
        self._room = kept_bytes

    def __len__(self) -> int:
        return len(self.clips)

    def __getitem__(self, index: int) -> Encoded:
        clip = self.clips[index]
        return self._kept.get(clip.name) or self.make(clip)

    def keep(self, clips: Iterable[Clip]) -> None:
        """Hold examples in memory, in this order, until the room is taken.

        Not while the caches are filled: what is kept between the large tensors of decoding and
        of the vision tower would pin the memory that they leave, 2 MB a clip of 112 × 112.
        """
        for clip in clips:
            example = self.make(clip)
            self._room -= _bytes(example.vision)
            if self._room < 0:
                return
            self._kept[clip.name] = example

    def make(self, clip: Clip) -> Encoded:
        """Return an example out of the caches, filled where need be.

        Raises:
            InputError: the clip cannot be decoded.
        """
        frames = self._get(clip)
        return self._encode(
            clip, [frames] if self._features is None else self._features.get(frames)
        )

    def measure(self, clip: Clip) -> Encoded:
        """Fill the caches as `make` does; what comes back may lack the video's tensors.

        Raises:
            InputError: the clip cannot be decoded.
        """
        if self._features is not None:
            return self.make(clip)
        return self._encode(clip, unseen(self._processor, self._get(clip)))

    def _get(self, clip: Clip) -> Frames:
        return self._frames.get(clip.path, self._recipe.sampler, clip.phases)

    def _encode(self, clip: Clip, seen: Sequence[Frames] | Vision) -> Encoded:
        newline = self._recipe.learn_newline
        return encode(self._processor, seen, clip.record.turns, learn_newline=newline)

    def hash_of(self, clip: Clip) -> str:
        """Return a hash of a clip's bytes and its dialogue."""
        turns = [turn.model_dump_json() for turn in clip.record.turns]
        return hash_text(self._frames.clip_hash(clip.path), clip.name, *turns)


@dataclass(frozen=True)
class Prepared:
    """What training starts from.

    Attributes:
        dataset: the clips that can be used.
        examples: their numbers, in the same order.
        broken: what is wrong with the clips that were left out.
        fingerprint: hash of all dialogues and clips used.
    """

    dataset: Dialogues
    examples: tuple[Example, ...]
    broken: tuple[Problem, ...]
    fingerprint: str


def feature_folder(recipe: Recipe) -> Path | None:
    """Return where the vision tower's features are cached: only a frozen tower's can be."""
    return recipe.feature_cache if recipe.scope == "llm" else None


def clips_of(recipe: Recipe, data: Path, dialogues: Path) -> list[Clip]:
    """Return the clips of the recipe's split, each in every view of the recipe.

    Raises:
        InputError: the dialogues cannot be read, the split has none, or a subject or clip of it is
            in another split as well.
    """
    records = read_dialogues(dialogues, recipe.split)[: recipe.limit]
    check_splits(read_dialogues(dialogues), recipe, str(dialogues))
    phases = _phases(data) if recipe.sampling == "phases" else {}
    return [
        Clip(record, view, data, phases.get(record.clip, ()))
        for record in records
        for view in recipe.views
    ]


def check_splits(records: Sequence[DialogueRecord], recipe: Recipe, place: str) -> None:
    """See that what is trained on cannot be met again when the coach is judged.

    Raises:
        InputError: every clip, and every subject unless the recipe allows it, of two splits.
    """
    inside = [record for record in records if record.split == recipe.split]
    outside = [record for record in records if record.split != recipe.split]
    clips = {record.clip for record in inside} & {record.clip for record in outside}
    problems = [
        Problem(place, f"clip {clip} is in split {recipe.split!r} and in another one")
        for clip in sorted(clips)
    ]
    if not recipe.shared_subjects:
        known = {record.subject for record in inside if record.subject}
        message = "to train regardless, --set shared_subjects=true"
        problems += [
            Problem(place, f"subject {one} is in {recipe.split!r} and in another split; {message}")
            for one in sorted(known & {str(record.subject) for record in outside})
        ]
    if problems:
        raise InputError(problems)


def fill(
    recipe: Recipe, clips: Sequence[Clip], log: Path, *, jobs: int, shown: bool = True
) -> dict[str, str]:
    """Decode what the frame cache lacks on many processes; see `sft.decode.decode`."""
    films = {}
    for clip in clips:
        with suppress(InputError):  # `prepare` names a view that is missing
            films[clip.name] = Film(clip.name, clip.path, clip.phases)
    sampler, cache = recipe.sampler, recipe.frame_cache
    return decode([*films.values()], sampler, cache, log, jobs=jobs, shown=shown)


def prepare(
    recipe: Recipe,
    coach: Coach,
    clips: Sequence[Clip],
    track: Callable[[Sequence[Clip]], Iterable[Clip]] = iter,
    kept_bytes: int = KEPT_BYTES,
    refused: Mapping[str, str] = MappingProxyType({}),
) -> Prepared:
    """Make every example once, which fills the caches, count its tokens, and keep what fits.

    Args:
        recipe: the frames, the longest dialogue, and whether broken clips may be left out.
        coach: processor, and the vision tower whose features are cached.
        clips: what to prepare.
        track: wraps the clips to show progress.
        kept_bytes: room for examples in memory.
        refused: why a clip cannot be decoded, by its name, where that is known (`fill`).

    Raises:
        InputError: all dialogues that are too long; or all clips that are broken, unless the
            recipe allows them; or no clip is left.
    """
    dataset = Dialogues(clips, recipe, coach, kept_bytes)
    usable, examples, hashes = [], [], []
    broken: list[Problem] = []
    too_long: list[Problem] = []
    for clip in track(clips):
        if clip.name in refused:
            broken.append(Problem(clip.name, refused[clip.name]))
            continue
        try:
            example = _count(clip.name, dataset.measure(clip))
        except InputError as error:
            broken += [Problem(clip.name, str(problem)) for problem in error.problems]
            continue
        if example.length > recipe.max_tokens:
            message = (
                f"the dialogue has {example.length} tokens, more than max_tokens="
                f"{recipe.max_tokens}; it is never cut: raise max_tokens or lower frames or pixels"
            )
            too_long.append(Problem(clip.name, message))
        usable.append(clip)
        examples.append(example)
        hashes.append(dataset.hash_of(clip))
    if too_long:
        raise InputError(too_long)
    if broken and not recipe.allow_broken:
        hint = "to train without these clips, --set allow_broken=true"
        raise InputError([*broken, Problem("allow_broken", hint)])
    if not usable:
        raise InputError([*broken, Problem("dialogues", "no clip is left to train on")])
    dataset.clips = usable
    dataset.keep(usable)
    return Prepared(dataset, tuple(examples), tuple(broken), hash_text(*sorted(hashes)))


def _count(name: str, encoded: Encoded) -> Example:
    learnt = sum(label != NOT_LEARNT for label in encoded.labels)
    return Example(name, len(encoded), learnt, sum(encoded.vision.tokens))


def _bytes(vision: Vision) -> int:
    held = (vision.pixel_values_videos, vision.features)
    return sum(tensor.nbytes for tensor in held if tensor is not None)


def _phases(data: Path) -> dict[str, tuple[PhaseSpan, ...]]:
    from flex.annotations import ANNOTATIONS_FILE, read_annotations
    from flex.graph_file import GRAPH_FILE, load_graph

    records = read_annotations(data / ANNOTATIONS_FILE, load_graph(GRAPH_FILE))
    return {record.clip: record.phases for record in records}
