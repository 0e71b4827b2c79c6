"""The page on which one logs in, or chooses a name on one's own machine."""

from typing import Annotated

from fastapi import FastAPI, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from flex.problems import InputError
from review.page_login import COOKIE, LASTS_S, Door
from review.page_words import filled, page_words, style
from review.people import add_person, get_person, people
from review.records import ROLES, Role

Field = Annotated[str, Form(max_length=200)]


def add_door(app: FastAPI, door: Door) -> None:
    """Add /login and /logout to an app."""

    def show(said: str = "", status: int = 200) -> Response:
        names = people(door.store) if door.accounts is None else None
        text = filled(
            "login.html.j2", people=names, roles=ROLES, said=said, style=style("door.css")
        )
        return HTMLResponse(text, status_code=status)

    def asked() -> Response:
        return show()

    def tried(
        request: Request,
        name: Field,
        password: Field = "",
        role: Annotated[Role | None, Form()] = None,
    ) -> Response:
        name = name.strip()
        if door.accounts is not None and not door.accounts.check(name, password):
            return show(page_words().says["wrong_password"], 401)
        try:
            if door.accounts is None and role is not None:
                if name in {person.name for person in people(door.store)}:
                    return show(page_words().says["name_taken"], 409)
                add_person(door.store, name, role)
            get_person(door.store, name)
        except InputError as error:
            said = page_words().says["no_reviewer"] if door.accounts else error.problems[0].message
            return show(said, 403)
        answer = RedirectResponse("/", status_code=303)
        answer.set_cookie(
            COOKIE,
            door.ticket(name),
            max_age=LASTS_S,
            httponly=True,
            samesite="lax",
            secure=request.url.scheme == "https",
        )
        return answer

    def left() -> Response:
        answer = RedirectResponse("/login", status_code=303)
        answer.delete_cookie(COOKIE)
        return answer

    app.add_api_route("/login", asked, response_class=HTMLResponse)
    app.add_api_route("/login", tried, methods=["POST"], response_class=HTMLResponse)
    app.add_api_route("/logout", left, methods=["POST"], response_class=HTMLResponse)
