"""The page and the admin."""

from bricks.views import home, ready
from django.contrib import admin
from django.urls import path

urlpatterns = [path("", home, name="home"), path("ready", ready), path("admin/", admin.site.urls)]
