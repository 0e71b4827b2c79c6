"""Which muscles work in a clip, as a film of a body that lights up; needs a run of `emg`.

    muscles = find_muscles(None, data, graph, folder)      # `None`: there is no such run
    muscles.shown(lift)                                    # Shown: a film, or why there is none

What a model reads decides what it can be shown: one of skeletons has nothing to go by in an upload,
and works for the examples of a data folder only. torch is imported with the first clip.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from coach.chat import Lift
from coach.words import say
from flex.dataset import Clip
from flex.files import hash_text
from flex.graph import Graph
from flex.problems import InputError, Problem

if TYPE_CHECKING:
    from emg.model import Model

DEFAULT_RUN = Path("runs/emg/small")
# The file that a finished run has (emg.model, which is not imported here as it imports torch).
MODEL_FILE = "model.json"
LONGEST_S = 30.0


@dataclass(frozen=True)
class Shown:
    """What the page shows of a clip's muscles.

    Attributes:
        film: an MP4 file, or `None`.
        why_not: a sentence for the visitor, where there is no film.
        simulated: whether the model has learnt from simulated clips only.
    """

    film: Path | None = None
    why_not: str = ""
    simulated: bool = False


class Muscles:
    """Makes films of clips, one at a time, with the model of a run.

    Args:
        run: folder of a finished `python -m emg train`.
        data: the data folder of the examples.
        graph: names the exercises.
        folder: the page's own, where films and what is read of uploads are kept.
        opener: reads the model; for tests.
    """

    def __init__(
        self,
        run: Path,
        data: Path,
        graph: Graph,
        folder: Path,
        opener: "Callable[[Path], Model] | None" = None,
    ) -> None:
        self._run, self._data, self._graph, self._folder = run, data, graph, folder
        self._opener = opener or _load
        self._one = threading.Lock()
        self._model: Model | None = None

    def shown(self, lift: Lift) -> Shown:
        """Return the film of a clip, or why there is none; a film is made once.

        Raises:
            Exception: whatever is not the clip's or the model's fault.
        """
        with self._one:
            try:
                model = self._opened()
                clip, why_not = self._clip(lift, model)
                if clip is None:
                    return Shown(why_not=why_not)
                simulated = model.facts.get("sources") == ["simulated"]
                return Shown(self._film(lift, clip, model), simulated=simulated)
            except InputError as error:
                said = "; ".join(problem.message for problem in error.problems)
                return Shown(why_not=say("muscles_fault", why=said))

    def _opened(self) -> "Model":
        if self._model is None:
            model = self._opener(self._run)
            # What is read of an upload goes with the page's folder.
            recipe = model.recipe.model_copy(update={"cache": self._folder / "emg"})
            self._model = replace(model, recipe=recipe)
        return self._model

    def _clip(self, lift: Lift, model: "Model") -> tuple[Clip | None, str]:
        """Return what the model reads of a clip, or why it cannot."""
        if lift.upload.duration_s > LONGEST_S:
            return None, say("muscles_long", limit=f"{LONGEST_S:.0f}")
        if lift.example:
            from emg.samples import one_sample

            return one_sample(lift.example, self._data, model.recipe, self._graph).clip, ""
        if model.recipe.pose:
            return None, say("muscles_no_skeleton")
        if len(model.recipe.views) > 1:
            return None, say("muscles_views", count=len(model.recipe.views))
        found = lift.assessment(self._graph)
        if found.doubt:
            return None, say("muscles_doubted")
        if found.action is None:
            return None, say("muscles_no_exercise")
        return Clip(lift.upload.name, found.action, {model.recipe.views[0]: lift.upload.path}), ""

    def _film(self, lift: Lift, clip: Clip, model: "Model") -> Path:
        from emg.film import film
        from emg.predict import predict_clip

        key = hash_text(lift.upload.sha, clip.clip, clip.action)
        path = self._folder / "muscles" / f"{key}.mp4"
        if not path.exists():
            film(predict_clip(model, clip), clip, path)
        return path


def find_muscles(run: Path | None, data: Path, graph: Graph, folder: Path) -> Muscles | None:
    """Return what shows muscles; `None` if no run is named and the default one is not there.

    Args:
        run: folder of the run; that of `make emg`, if not given.
        data: the data folder of the examples.
        graph: names the exercises.
        folder: the page's own.

    Raises:
        InputError: the named folder holds no finished run.
    """
    if run is None and not (DEFAULT_RUN / MODEL_FILE).is_file():
        return None
    found = run or DEFAULT_RUN
    if not (found / MODEL_FILE).is_file():
        message = f"holds no {MODEL_FILE}: expected a finished run of `python -m emg train`"
        raise InputError([Problem(str(found), message)])
    return Muscles(found, data, graph, folder)


def _load(run: Path) -> "Model":
    from emg.model import load_model

    return load_model(run)
