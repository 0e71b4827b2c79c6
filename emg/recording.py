"""One sEMG recording from a file of its own: FLEX's EMG.csv, any other CSV, or C3D.

    signal = read_recording(Path("data/flex-sim/EMG/A16/001/EMG.csv"), load_graph())

A file inside a data folder takes channels and sample rate from its record. Any other CSV says
neither: channels are then numbered and the rate has to be stated.
"""

from pathlib import Path

from flex.annotations import ANNOTATIONS_FILE, load_annotations
from flex.dataset import SEMG_FOLDER, Clip, SemgSignal, clip_semg, load_semg
from flex.graph import Graph
from flex.problems import InputError, Problem
from flex.semg_c3d import read_c3d

C3D = ".c3d"


def read_recording(path: Path, graph: Graph, sample_rate_hz: float | None = None) -> SemgSignal:
    """Return the sEMG in a file; C3D comes in millivolts, CSV in the unit of the file.

    Args:
        path: CSV without a header, or C3D.
        graph: names the columns of FLEX's files.
        sample_rate_hz: of a CSV file whose record does not state it.

    Raises:
        InputError: no such file, one that cannot be read, or a rate that nobody states.
    """
    if path.suffix.lower() == C3D:
        return read_c3d(path)
    clip = _in_folder(path.resolve(), graph)
    if clip is not None:
        return clip_semg(clip, graph, sample_rate_hz)
    if sample_rate_hz is None:
        message = "the sample rate is not known: state it with --rate, in Hz"
        raise InputError([Problem(str(path), message)])
    names = tuple(f"column {number}" for number in range(1, _columns(path) + 1))
    return load_semg(path, names, sample_rate_hz)


def _in_folder(path: Path, graph: Graph) -> Clip | None:
    """Return the clip of ROOT/EMG/A01/001/EMG.csv, with its record if there is one."""
    if len(path.parents) < 4 or path.parents[2].name != SEMG_FOLDER:
        return None
    action, clip = path.parents[1].name, f"{path.parents[1].name}/{path.parent.name}"
    if action not in graph.actions:
        return None
    labels = path.parents[3] / ANNOTATIONS_FILE
    records = load_annotations(labels, graph) if labels.is_file() else []
    record = next((record for record in records if record.clip == clip), None)
    return Clip(clip, action, {}, semg=path, annotation=record)


def _columns(path: Path) -> int:
    try:
        with path.open(encoding="utf-8-sig") as stream:
            return stream.readline().count(",") + 1
    except (OSError, UnicodeDecodeError) as error:
        raise InputError([Problem(str(path), f"cannot be read: {error}")]) from error
