"""The pages."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def draw(request: HttpRequest) -> HttpResponse:
    """Show the page to draw on."""
    return render(request, "draw.html")
