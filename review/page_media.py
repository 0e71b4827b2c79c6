"""The recordings of the items in a store: where they are, and how long they last.

    media = Media(store, Path("data/flex-sim"), graph)
    media.views(item)                    # what the page shows, with what is missing
    media.video("A01/001", "View-1")     # a file inside the data folder, or InputError

The page asks by clip and view, and never by path: nothing but views of items is found, and a view
whose path leads out of the data folder is refused.
"""

import functools
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from flex.annotations import read_annotations
from flex.cameras import find_cameras, read_cameras
from flex.dataset import FRAMES_PER_CLIP, frame_files, load_skeleton, skeleton_path, view_paths
from flex.graph import Graph
from flex.number_table import Floats
from flex.problems import InputError, Problem
from flex.sample import Annotation
from flex.view_media import video_length_s
from flex.view_signals import draw_skeleton
from review.page_overlay import overlay
from review.records import Item, get_item
from review.store import Store

_FRAME_RATE_HZ = 30.0
View = dict[str, Any]


class Media:
    """The recordings in one data folder."""

    def __init__(self, store: Store, root: Path, graph: Graph) -> None:
        self.store, self.root, self._graph = store, root.resolve(), graph

    @functools.cached_property
    def records(self) -> dict[str, Annotation]:
        """Clip → its record, where the data folder has one; it says phases and durations."""
        path = self.root / "annotations.jsonl"
        if not path.is_file():
            return {}
        # What is wrong with a record is for `python -m flex data check` to say.
        found = read_annotations(path, self._graph, on_problem=lambda _: None)
        return {record.clip: record for record in found}

    def views(self, item: Item) -> list[View]:
        """Return the views of an item for the page, each with its `kind` and addresses."""
        return [self._view(item.clip, name, path) for name, path in self._paths(item).items()]

    def time(self, item: Item, views: list[View]) -> dict[str, Any]:
        """Return how long the clip lasts and a frame's share of it, in seconds."""
        record = self.records.get(item.clip)
        lengths = [view["lasts_s"] for view in views if view.get("lasts_s")]
        counts = [len(view["frames"]) for view in views if view.get("frames")]
        stated = record.duration_s if record else None
        rate_hz = (record.frame_rate_hz if record else None) or _FRAME_RATE_HZ
        frames = max(counts, default=FRAMES_PER_CLIP)
        length_s = stated or next(iter(lengths), None) or frames / rate_hz
        phases = [span.model_dump() for span in record.phases] if record else []
        # Frames in a folder are spread over the clip, whatever its rate; a step shows the next one.
        step_s = length_s / max(1, frames - 1) if counts and not lengths else 1 / rate_hz
        return {"length": length_s, "unit": "s", "rate": 1, "step": step_s, "phases": phases}

    def files(self, item: Item) -> list[Path]:
        """Return the video files of an item that lie inside the data folder."""
        inside = (self._inside(path) for path in self._paths(item).values())
        return [path for path in inside if path is not None and path.is_file()]

    def video(self, clip: str, view: str) -> Path:
        """Return the video file of a view.

        Raises:
            InputError: no such clip, view or file, or one outside of the data folder.
        """
        path = self._path(clip, view)
        if not path.is_file():
            raise InputError([Problem(f"{clip}, {view}", "the video is not in the data folder")])
        return path

    def frame(self, clip: str, view: str, number: int) -> Path:
        """Return one JPEG frame of a view, from 0 on; raises `InputError` as `video` does."""
        path = self._path(clip, view)
        files = frame_files(path) if path.is_dir() else []
        if not 0 <= number < len(files):
            raise InputError([Problem(f"{clip}, {view}", f"has no frame {number}")])
        return files[number]

    def skeleton(self, clip: str) -> dict[str, Any]:
        """Return the skeleton of an item's clip, ready to be drawn.

        Its `over` says how it lies over the first view (`review.page_overlay`), or has the
        `fault` for which it cannot; `None` if there is no such view.

        Raises:
            InputError: no such clip, no skeleton, or a file that is none.
        """
        item = get_item(self.store, clip)
        path = self._inside(skeleton_path(self.root, item.clip))
        if path is None or not path.is_file():
            raise InputError([Problem(clip, "the data folder has no skeleton of it")])
        points = load_skeleton(path)
        return draw_skeleton(points) | {"over": self._over(item, points)}

    def has_skeleton(self, clip: str) -> bool:
        """Say whether there is a skeleton of a clip."""
        path = self._inside(skeleton_path(self.root, clip))
        return path is not None and path.is_file()

    def _view(self, clip: str, name: str, path: Path) -> View:
        inside = self._inside(path)
        view: View = {"name": name, "kind": "video", "src": None, "lasts_s": None, "fault": None}
        query = urlencode({"clip": clip, "view": name})
        if inside is None:
            return view | {"fault": "outside"}
        if inside.is_dir():
            count = len(frame_files(inside))
            frames = [f"/review/frame?{query}&number={number}" for number in range(count)]
            fault = None if frames else "missing"
            kind = "frames" if frames else "video"
            return view | {"kind": kind, "frames": frames, "fault": fault}
        if not inside.is_file():
            return view | {"fault": "missing"}
        try:
            length_s = _length_s(inside, inside.stat().st_mtime_ns)
        except (OSError, ValueError, IndexError):  # PyAV's errors are OSError or ValueError
            return view | {"fault": "broken"}
        return view | {"src": f"/review/media?{query}", "lasts_s": length_s}

    def _over(self, item: Item, points: Floats) -> dict[str, Any] | None:
        name, path = next(iter(self._paths(item).items()), ("", None))
        picture = self._inside(path) if path else None
        if picture is None or not picture.exists():
            return None
        found = find_cameras(self.root, item.clip)
        try:
            cameras = read_cameras(found) if found and self._inside(found) else {}
        except InputError:
            return {"fault": "bad_cameras", "view": name}
        if name not in cameras:
            return {"fault": "no_cameras", "view": name}
        try:
            return overlay(points, cameras[name], picture)
        except InputError:  # the view says already that it cannot be read
            return None

    def _paths(self, item: Item) -> dict[str, Path]:
        if item.dialogue.views:
            return {name: self.root / path for name, path in item.dialogue.views.items()}
        if self._inside(self.root / item.clip) is None:
            return {}
        return view_paths(self.root, item.clip, self.records.get(item.clip))

    def _path(self, clip: str, view: str) -> Path:
        known = self._paths(get_item(self.store, clip))
        if view not in known:
            raise InputError([Problem(f"{clip}, {view}", "no such view")])
        inside = self._inside(known[view])
        if inside is None:
            raise InputError([Problem(f"{clip}, {view}", "lies outside of the data folder")])
        return inside

    def _inside(self, path: Path) -> Path | None:
        """Return a path without links; `None` if it leads out of the data folder."""
        resolved = path.resolve()
        return resolved if resolved.is_relative_to(self.root) else None


@functools.lru_cache(maxsize=4096)
def _length_s(path: Path, _changed_ns: int) -> float | None:
    return video_length_s(path)
