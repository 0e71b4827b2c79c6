"""Where the five cameras stand, and where a point of the world lands in their pictures.

    camera = place_camera(study, view=1, session=("P01", "A16"))
    pixels, depth_m = camera.project(motion.joints, size=224)

FLEX (section 3.1) films in a curtained square of 5 m with a cinema camera in each corner, views 1
and 2 in front of the person, and with a phone between those two (view 5). Nobody puts tripods down
twice in the same spot, so every session moves them a little.
"""

from dataclasses import dataclass

import numpy as np

from flex.problems import InputError, Problem
from sim.study import Floats, Study

Session = tuple[str | int, ...]
VIEWS = (1, 2, 3, 4, 5)
CORNER_M = 2.42
# View → the middle of the lens in metres, and the slope of the picture's edge. The slope takes in
# hands at 2.3 m, plates overhead up to 2.4 m, and a person who lies along the room's middle.
_LENS_M = {
    1: (CORNER_M, CORNER_M, 1.45),
    2: (CORNER_M, -CORNER_M, 1.45),
    3: (-CORNER_M, -CORNER_M, 1.45),
    4: (-CORNER_M, CORNER_M, 1.45),
    5: (CORNER_M + 0.35, 0.0, 1.12),
}
_SLOPE = dict.fromkeys(VIEWS, 0.46) | {5: 0.57}
# View → how high above the middle of the room the camera aims.
_AIM_M = {1: 1.20, 2: 1.20, 3: 1.11, 4: 1.11, 5: 1.05}
_LENS_SD_M, _AIM_SD_M, _SLOPE_SD, _ROLL_SD_RAD = 0.04, 0.025, 0.012, 0.008
_PHONE_SHAKE = 2.0  # the phone's place varies this many times as much


@dataclass(frozen=True)
class Camera:
    """A pinhole camera with a square picture.

    Attributes:
        view: 1 to 5.
        eye: (3,) the pinhole, metres.
        axes: (3, 3) unit rows: right and down in the picture, and forward into the scene.
        slope: half of the picture's width at a distance of 1.
    """

    view: int
    eye: Floats
    axes: Floats
    slope: float

    def focal(self, size: int) -> float:
        """Return the focal length in pixels for a picture of `size` × `size`."""
        return size / 2 / self.slope

    def project(self, points: Floats, size: int) -> tuple[Floats, Floats]:
        """Return where points land.

        Args:
            points: (..., 3) in metres.
            size: width and height of the picture in pixels.

        Returns:
            (..., 2) column and row in pixels from the upper left corner, and (...) depth in metres.
        """
        seen = (points - self.eye) @ self.axes.T
        depth_m = seen[..., 2]
        pixels: Floats = size / 2 + self.focal(size) * seen[..., :2] / depth_m[..., None]
        return pixels, depth_m


def place_camera(study: Study, view: int, session: Session) -> Camera:
    """Return the camera of a view as it stood in a session.

    Raises:
        InputError: there is no such view.
    """
    if view not in VIEWS:
        message = f"there is no such view, expected one of {', '.join(map(str, VIEWS))}"
        raise InputError([Problem(f"view {view}", message)])
    draws = study.draws("camera", view, *session)
    shake = _PHONE_SHAKE if view == 5 else 1.0
    eye = np.array(_LENS_M[view]) + draws.normal(scale=_LENS_SD_M * shake, size=3)
    target = np.array((0.0, 0.0, _AIM_M[view])) + draws.normal(scale=_AIM_SD_M, size=3)
    slope = _SLOPE[view] + abs(float(draws.normal(scale=_SLOPE_SD)))
    roll = float(draws.normal(scale=_ROLL_SD_RAD * shake))
    return Camera(view, eye, _look_at(eye, target, roll), slope)


def _look_at(eye: Floats, target: Floats, roll: float) -> Floats:
    forward = (target - eye) / np.linalg.norm(target - eye)
    right = np.cross(forward, (0.0, 0.0, 1.0))
    right /= np.linalg.norm(right)
    down = np.cross(forward, right)
    turned = np.cos(roll) * right + np.sin(roll) * down
    return np.stack([turned, np.cross(forward, turned), forward])
