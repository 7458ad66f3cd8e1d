"""The form in which trees are planted."""

from django.contrib import admin

from trees.models import Tree


@admin.register(Tree)
class TreeAdmin(admin.ModelAdmin):
    """A list with a search, and a form with Django's date picker."""

    list_display = ("name", "fruit", "planted")
    search_fields = ("name", "fruit")
