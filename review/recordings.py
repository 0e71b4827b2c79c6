"""Which clip a recording is of, by the bytes of its file.

    Recordings(media).clips_of(frozenset({sha}))      # {sha: "A01/001"}

The chat knows of an upload only the name that its user gave it and a hash of it.
"""

from collections.abc import Callable, Mapping

from flex.files import hash_file
from review.page_media import Media
from review.records import item_of


class Recordings:
    """The video files of the present items."""

    def __init__(self, media: Media, progress: Callable[[], None] = lambda: None) -> None:
        """Make it; `progress` is called after each item that was looked at."""
        self._media, self._progress = media, progress

    def clips_of(self, hashes: frozenset[str]) -> Mapping[str, str]:
        """Return hash → clip for those SHA-256 that are of a video file of an item.

        Files are read until all are found.
        """
        found: dict[str, str] = {}
        with self._media.store.read() as db:
            rows = db.execute("SELECT * FROM items WHERE present = 1 ORDER BY id").fetchall()
        for item in map(item_of, rows):
            for path in self._media.files(item):
                sha = hash_file(path)
                if sha in hashes:
                    found.setdefault(sha, item.clip)
            self._progress()
            if len(found) == len(hashes):
                break
        return found
