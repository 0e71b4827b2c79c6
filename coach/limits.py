"""What the coach takes in: the limits of an upload, as data that a recipe may change."""

from pydantic import BaseModel, ConfigDict, Field

# Containers that hold one film. ffmpeg also opens play lists and scripts that name other files or
# addresses; such a text, uploaded as a film, would read what it names.
FORMATS = (
    "mov",
    "mp4",
    "matroska",
    "webm",
    "avi",
    "mpegts",
    "mpeg",
    "ogg",
    "flv",
    "asf",
    "gif",
)
CODECS = (
    "h264",
    "hevc",
    "vp8",
    "vp9",
    "av1",
    "mpeg4",
    "mpeg2video",
    "mpeg1video",
    "h263",
    "mjpeg",
    "prores",
    "theora",
    "wmv2",
    "msmpeg4v3",
    "flv1",
    "gif",
)


class Limits(BaseModel):
    """The limits of one upload, and of how many are worked on.

    Attributes:
        longest_s: seconds that a clip may last.
        most_bytes: size of the file.
        most_pixels: of one picture, width × height.
        least_frames: fewer pictures show no movement.
        least_side: pixels of the shorter side.
        codecs: ffmpeg's names of what is decoded.
        at_once: how many uploads and answers are worked on at a time.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    longest_s: float = Field(120.0, gt=0)
    most_bytes: int = Field(200 * 1024**2, gt=0)
    most_pixels: int = Field(4096 * 2304, gt=0)
    least_frames: int = Field(8, ge=1)
    least_side: int = Field(64, ge=1)
    codecs: tuple[str, ...] = CODECS
    at_once: int = Field(2, ge=1)
