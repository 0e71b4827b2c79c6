"""Finds WordNet for METEOR: NLTK's own copy, or the files of Debian's `wordnet-base`.

NLTK wants `corpora/wordnet` under a folder of `nltk.data.path`, with two files that Debian leaves
out; Debian's files are copied once into the user's cache folder and completed there.
"""

import functools
import os
import shutil
from pathlib import Path
from typing import Any

DEBIAN = Path("/usr/share/wordnet")
HOW_TO = "apt-get install wordnet-base, or python -m nltk.downloader wordnet"
# WordNet's lexicographer files and their part of speech, in the order that numbers them.
_LEXNAMES = (
    ("adj", 3, "all pert"),
    ("adv", 4, "all"),
    (
        "noun",
        1,
        "Tops act animal artifact attribute body cognition communication event feeling food group "
        "location motive object person phenomenon plant possession process quantity relation shape "
        "state substance time",
    ),
    (
        "verb",
        2,
        "body change cognition communication competition consumption contact creation emotion "
        "motion perception possession social stative weather",
    ),
    ("adj", 3, "ppl"),
)


def load_wordnet(folder: Path | None = None, debian: Path = DEBIAN) -> Any | None:
    """Return an NLTK WordNet reader, or `None` if no copy is at hand.

    A process reads each copy once, which takes seconds.

    Args:
        folder: where Debian's files are completed; default: the user's cache folder.
        debian: where Debian's package puts its files.
    """
    import nltk

    for name in ("corpora/wordnet", "corpora/wordnet.zip/wordnet/"):
        try:
            return _reader(nltk.data.find(name))
        except LookupError:
            continue
    if not (debian / "data.noun").is_file():
        return None
    root = folder or Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")).expanduser() / "flex-coach"
    complete(debian, root / "corpora" / "wordnet")
    if str(root) not in nltk.data.path:
        nltk.data.path.append(str(root))
    return _reader(nltk.data.find("corpora/wordnet"))


@functools.cache
def _reader(root: Any) -> Any:
    from nltk.corpus.reader.wordnet import WordNetCorpusReader

    return WordNetCorpusReader(root, None)


def complete(source: Path, target: Path) -> None:
    """Copy Debian's files to `target` with the two that NLTK needs besides; does nothing twice."""
    if (target / "lexnames").is_file():
        return
    target.mkdir(parents=True, exist_ok=True)
    for path in source.iterdir():
        shutil.copyfile(path, target / path.name)
    (target / "index.sense").touch()
    names = [(f"{kind}.{name}", part) for kind, part, all_ in _LEXNAMES for name in all_.split()]
    lines = [f"{number:02}\t{name}\t{part}\n" for number, (name, part) in enumerate(names)]
    partial = target / f".lexnames.{os.getpid()}"
    partial.write_text("".join(lines), encoding="utf-8")
    partial.replace(target / "lexnames")
