"""Loads the model behind the page, which is there at once and says so meanwhile.

loading = Loading(lambda: open_local_talker("models/tiny-coach-base", None, Sampler()))
loading.start()
loading.talker                # None while it loads
"""

import threading
from collections.abc import Callable

from coach.talk import Talker
from flex.problems import InputError


class Loading:
    """A talker that comes later.

    Attributes:
        talker: `None` until it is there.
        failure: why it does not come, in one sentence; empty unless so.
        over: set when one of the two is known.
    """

    def __init__(self, opener: Callable[[], Talker]) -> None:
        self._opener = opener
        self.talker: Talker | None = None
        self.failure = ""
        self.over = threading.Event()

    def start(self) -> None:
        """Load in a thread of its own."""
        threading.Thread(target=self._load, daemon=True).start()

    def _load(self) -> None:
        try:
            self.talker = self._opener()
        except InputError as error:
            self.failure = "; ".join(f"{p.place}: {p.message}" for p in error.problems)
        except ImportError as error:
            self.failure = f"{error.name} is not installed: pip install -e '.[train]'"
        except Exception as error:
            # Whatever it is, the page must say it; nobody looks at this thread.
            self.failure = f"{type(error).__name__}: {error}"
        finally:
            self.over.set()
