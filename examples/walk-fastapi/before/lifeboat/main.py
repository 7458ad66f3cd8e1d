"""The pages: the whole list, and the parts of it that htmx puts into the page."""

from pathlib import Path

from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import HTMLResponse
from fastapi.staticfiles import StaticFiles
from fastapi.templating import Jinja2Templates

from lifeboat.crew import CREW, Member

HERE = Path(__file__).parent

templates = Jinja2Templates(HERE / "templates")

app = FastAPI()
app.mount("/static", StaticFiles(directory=HERE / "static"), name="static")


def named(words: str) -> list[Member]:
    """Return those of the crew whose name holds the words."""
    return [member for member in CREW if words.casefold() in member.name.casefold()]


@app.get("/")
def station(request: Request, q: str = "") -> HTMLResponse:
    """Return the page."""
    return templates.TemplateResponse(request, "station.html", {"crew": named(q), "q": q})


@app.get("/crew")
def crew(request: Request, q: str = "") -> HTMLResponse:
    """Return the list alone, for the search."""
    return templates.TemplateResponse(request, "parts/crew.html", {"crew": named(q)})


@app.post("/crew/{slug}/call")
def call(request: Request, slug: str) -> HTMLResponse:
    """Put a member on call, or take the member off, and return the row."""
    member = next((member for member in CREW if member.slug == slug), None)
    if member is None:
        raise HTTPException(404)
    member.on_call = not member.on_call
    return templates.TemplateResponse(request, "parts/member.html", {"member": member})
