"""The page, and what a health check asks."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

from assetbuild.web.django import get_assets
from bricks.forms import OrderForm


def home(request: HttpRequest) -> HttpResponse:
    """Return the page."""
    return render(request, "bricks/home.html", {"form": OrderForm(), "picture": "bricks/img/hills.png"})


def ready(_request: HttpRequest) -> JsonResponse:
    """Return which build this process serves."""
    return JsonResponse(get_assets().health())
