"""The one page, and the icon of those that name none."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.templatetags.static import static

from trees.models import Tree


def orchard(request: HttpRequest) -> HttpResponse:
    """Return the list of trees."""
    return render(request, "trees/orchard.html", {"trees": Tree.objects.all()})


def favicon(_: HttpRequest) -> HttpResponse:
    """Lead to the icon, for pages such as the admin's."""
    return redirect(static("img/leaf.svg"))
