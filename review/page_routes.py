"""The JSON that the desk talks to: next, ahead, decide, undo, skip, check, and the recordings.

Every route asks for a reviewer's ticket. A decision is on the disk before it is acknowledged, and
its `origin` lets the desk send it again after a lost answer without deciding twice.
"""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, Depends, FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field

from flex.graph import Graph
from flex.problems import InputError
from review.decisions import LONGEST_TEXT, ConflictError, undo
from review.page_items import findings, shown
from review.page_login import COOKIE, Door
from review.page_media import Media
from review.page_words import page_words
from review.queue import Assignment, next_item, open_item, peek, skip, upcoming
from review.records import Person
from review.store import Store
from review.submit import FailingEditError, submit

# A file of a clip does not change while people look at it.
_KEEP = {"Cache-Control": "private, max-age=3600"}
Clip = Annotated[str, Field(min_length=1, max_length=300)]
Text = Annotated[str, Field(max_length=LONGEST_TEXT)]


class _Asked(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Which(_Asked):
    """An item."""

    clip: Clip


class Draft(Which):
    """A text to check."""

    text: Text


class Said(Which):
    """A decision as the desk sends it."""

    action: Literal["accept", "edit", "reject"]
    seen: Annotated[str, Field(min_length=1, max_length=80)]
    origin: Annotated[str, Field(min_length=8, max_length=80)]
    text: Text | None = None
    reason: Annotated[str, Field(max_length=2000)] | None = None
    occurrences: Annotated[list[Annotated[str, Field(max_length=40)]], Field(max_length=500)] | (
        None
    ) = None
    failing: bool = False
    duration_ms: Annotated[int, Field(ge=0, le=7 * 24 * 3600 * 1000)] | None = None


@dataclass(frozen=True)
class Desk:
    """What the routes work with."""

    store: Store
    graph: Graph
    media: Media
    door: Door

    def whoever(self, request: Request) -> Person:
        """Return who asks; answers 401 to anybody who is no reviewer."""
        person = self.door.person(request.cookies.get(COOKIE))
        if person is None:
            raise HTTPException(401, page_words().says["logged_out"])
        return person

    def page(self, assignment: Assignment | None) -> dict[str, Any] | None:
        """Return an assignment as the desk shows it."""
        if assignment is None:
            return None
        return shown(self.store, self.graph, self.media, assignment)

    def turn_to(self, person: Person) -> dict[str, Any]:
        """Return the person's next item, and what is done and left."""
        item = self.page(next_item(self.store, person.name))
        return {"item": item, "counts": counts(self.store, person)}


def counts(store: Store, person: Person) -> dict[str, int]:
    """Return how many decisions the person made, and how many items are open in that stage."""
    column = {"first": "open_first", "second": "open_second", "admin": "open_settle"}[person.role]
    with store.read() as db:
        done = db.execute("SELECT count(*) FROM voices WHERE person = ?", (person.name,))
        left = db.execute(f"SELECT count(*) FROM items WHERE {column} = 1")
        return {"done": done.fetchone()[0], "left": left.fetchone()[0]}


def add_routes(app: FastAPI, desk: Desk) -> None:
    """Add the routes under /review to an app, and friendly answers to what goes wrong there."""
    routes = APIRouter(prefix="/review")
    who = Annotated[Person, Depends(desk.whoever)]

    def me(person: who) -> dict[str, Any]:
        return {"name": person.name, "role": person.role}

    def following(person: who) -> dict[str, Any]:
        return desk.turn_to(person)

    def ahead(person: who, asked: Annotated[Which, Body()]) -> dict[str, Any]:
        return {"item": desk.page(upcoming(desk.store, person.name, asked.clip))}

    def decided(person: who, said: Annotated[Said, Body()]) -> dict[str, Any]:
        try:
            made = submit(
                desk.store,
                desk.graph,
                person.name,
                said.clip,
                said.action,
                seen=said.seen,
                text=said.text,
                reason=said.reason,
                occurrences=said.occurrences,
                failing=said.failing,
                duration_ms=said.duration_ms,
                origin=f"page {person.name} {said.origin}",
            )
        except FailingEditError as error:  # no fault of the request: the desk asks the person
            return {"decision": None, "failing": [one.model_dump() for one in error.findings]}
        except ConflictError as error:  # nor is this one, and browsers log other codes as errors
            refused = {"kind": "changed", "message": _message(error)}
            return {"decision": None, "refused": refused}
        return {"decision": made.id, "failing": None, **desk.turn_to(person)}

    def undone(person: who) -> dict[str, Any]:
        taken = undo(desk.store, person.name)
        if taken is None:
            return {"undone": None}
        item = desk.page(open_item(desk.store, person.name, taken.clip))
        found = {"clip": taken.clip, "action": taken.action}
        return {"undone": found, "item": item, "counts": counts(desk.store, person)}

    def skipped(person: who, asked: Annotated[Which, Body()]) -> dict[str, Any]:
        skip(desk.store, person.name, asked.clip)
        return desk.turn_to(person)

    def checked(person: who, draft: Annotated[Draft, Body()]) -> dict[str, Any]:
        item = peek(desk.store, person.name, draft.clip).item
        return {"findings": findings(desk.graph, item, draft.text)}

    def progress(person: who) -> dict[str, int]:
        return counts(desk.store, person)

    for name, answer in (
        ("next", following),
        ("ahead", ahead),
        ("decide", decided),
        ("undo", undone),
        ("skip", skipped),
        ("check", checked),
    ):
        routes.add_api_route(f"/{name}", answer, methods=["POST"])
    routes.add_api_route("/me", me)
    routes.add_api_route("/progress", progress)
    _recordings(routes, desk)
    app.include_router(routes)
    _answers(app)


def _recordings(routes: APIRouter, desk: Desk) -> None:
    who = Annotated[Person, Depends(desk.whoever)]

    def video(person: who, clip: Clip, view: Clip) -> Response:
        # A `FileResponse` answers requests for a range.
        return FileResponse(desk.media.video(clip, view), headers=_KEEP)

    def frame(person: who, clip: Clip, view: Clip, number: int) -> Response:
        path = desk.media.frame(clip, view, number)
        return FileResponse(path, headers=_KEEP, media_type="image/jpeg")

    def skeleton(person: who, clip: Clip) -> Response:
        return JSONResponse(desk.media.skeleton(clip), headers=_KEEP)

    for name, answer in (("media", video), ("frame", frame), ("skeleton", skeleton)):
        routes.add_api_route(f"/{name}", answer, response_class=Response)


def _message(error: InputError) -> str:
    return "\n".join(one.message for one in error.problems)


def _answers(app: FastAPI) -> None:
    @app.exception_handler(InputError)
    async def bad_input(request: Request, error: InputError) -> Response:
        code = 404 if request.method == "GET" else 422
        return JSONResponse({"kind": "input", "message": _message(error)}, status_code=code)

    @app.exception_handler(RequestValidationError)
    async def odd_request(request: Request, error: RequestValidationError) -> Response:
        places = (".".join(map(str, one["loc"])) + ": " + one["msg"] for one in error.errors())
        return JSONResponse({"kind": "input", "message": "\n".join(places)}, status_code=422)

    @app.exception_handler(Exception)
    async def crash(request: Request, error: Exception) -> Response:
        # One request's fault is answered there and touches no other; the server prints it.
        content = {"kind": "crash", "message": page_words().says["crash"]}
        return JSONResponse(content, status_code=500)
