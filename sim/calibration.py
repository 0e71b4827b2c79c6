"""The simulated cameras in the form of the data folder, to lay skeletons over videos.

    write_calibration(stage, root, record, video)    # ROOT/Cameras/A01/001/cameras.json

A person's day of recording has its own cameras (`sim.cameras`), so each clip has a file.
"""

from pathlib import Path

from flex.cameras import Calibration, cameras_path, write_cameras
from flex.sample import Annotation
from sim.cameras import Camera, place_camera
from sim.film import Video, session
from sim.lift import Stage


def calibration(camera: Camera, size: int) -> Calibration:
    """Return a camera whose pictures are `size` × `size` pixels, in metres."""
    focal, middle = camera.focal(size), size / 2
    return Calibration.model_validate(
        {
            "width": size,
            "height": size,
            "matrix": [[focal, 0.0, middle], [0.0, focal, middle], [0.0, 0.0, 1.0]],
            "rotation": camera.axes.tolist(),
            "translation": (-camera.axes @ camera.eye).tolist(),
        }
    )


def write_calibration(stage: Stage, root: Path, record: Annotation, video: Video) -> None:
    """Write the cameras that film a clip, unless the file is there and has them all."""
    when = session(stage, record)
    cameras = {
        f"View-{view}": calibration(place_camera(stage.study, view, when), video.size)
        for view in video.views
    }
    write_cameras(cameras_path(root, record.clip), cameras)
