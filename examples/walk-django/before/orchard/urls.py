"""The list of trees, and the admin."""

from django.contrib import admin
from django.urls import path
from trees.views import favicon, orchard

urlpatterns = [path("", orchard, name="orchard"), path("favicon.ico", favicon), path("admin/", admin.site.urls)]
