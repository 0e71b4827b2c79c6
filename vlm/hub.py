"""Fetches a model from the hub into the hub's own cache, or says in one sentence why not."""

import errno
from pathlib import Path

from flex.problems import InputError, Problem, nearest
from vlm.configuration import CONFIG, EXAMPLE, check_configuration

MODEL_FILES = ("*.json", "*.safetensors", "*.jinja", "merges.txt")
_LOGIN = "`hf auth login`"
_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EROFS)
_STATUS = {
    401: f"is refused by the hub, which does not know this token (401); log in with {_LOGIN}, or "
    "unset HF_TOKEN",
    403: "is forbidden by the hub for this token (403); accept the model's terms on its page, or "
    f"use a token that may read it ({_LOGIN})",
    429: "is refused by the hub after too many requests (429); wait, or log in with " + _LOGIN,
}


def fetch(model: str) -> Path:
    """Return the folder of a hub id in the hub's cache; it is downloaded unless it is there.

    The configuration comes first, so that a model that cannot be used is not downloaded.

    Raises:
        InputError: no hub id, no such model, no access, no network, or as `check_configuration`.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, HTTPError

    if _is_path(model):
        raise InputError([_no_folder(model)])
    try:
        check_configuration(Path(snapshot_download(model, allow_patterns=[CONFIG])))
        return Path(snapshot_download(model, allow_patterns=list(MODEL_FILES)))
    except HFValidationError as error:
        message = f"is neither a folder nor a hub id such as {EXAMPLE}"
        raise InputError([Problem(model, message)]) from error
    except (OSError, HTTPError) as error:
        raise InputError([_failure(model, error)]) from error


def _is_path(model: str) -> bool:
    """Say whether a name is meant as a folder: a hub id is an owner and a name."""
    return model.startswith((".", "/", "~")) or "\\" in model or model.count("/") != 1


def _no_folder(model: str) -> Problem:
    path = Path(model).expanduser()
    if path.is_file():
        return Problem(model, f"is a file; name the folder that holds {CONFIG}")
    if path.parent.is_dir():
        siblings = [one.name for one in path.parent.iterdir() if one.is_dir()]
        hint = nearest(path.name, siblings) or f"; {path.parent.absolute()} has no folder like it"
    else:
        hint = f"; {path.parent} does not exist either"
    if "/" not in model:
        hint += f"; a model of the hub has its owner before it, such as {EXAMPLE}"
    return Problem(model, f"there is no such folder{hint}")


def _failure(model: str, error: Exception) -> Problem:
    """Say why a model could not be fetched."""
    from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError

    local = Path(model).parent.is_dir()  # then a mistyped folder is likelier than a model
    if isinstance(error, GatedRepoError):
        message = f"is gated on the hub; accept its terms on its page and log in with {_LOGIN}"
    elif isinstance(error, RepositoryNotFoundError):
        message = "is not on the hub, and there is no such folder; if it is private, log in with "
        message += _LOGIN
        if local:
            return _no_folder(model)
    elif getattr(error, "errno", None) in _DISK:
        message = f"cannot be stored in the hub's cache ({error}); HF_HOME names another place"
    elif (status := _status_of(error)) in _STATUS:
        message = _STATUS[status]
    elif local:
        return _no_folder(model)
    else:
        message = (
            f"is no folder, is not whole in the hub's cache, and the hub cannot be reached "
            f"({_reason(error, status)}); fetch it where there is a network, or give a folder"
        )
    return Problem(model, message)


def _status_of(error: BaseException | None) -> int:
    """Return the status that the hub answered with, of an error or of what caused it; 0 if none."""
    while error is not None:
        response = getattr(error, "response", None)
        if response is not None:
            return int(response.status_code)
        error = error.__cause__
    return 0


def _reason(error: BaseException, status: int) -> str:
    if status:
        return f"status {status}"
    cause = error.__cause__ or error
    return "HF_HUB_OFFLINE is set" if "Offline" in type(cause).__name__ else type(cause).__name__
