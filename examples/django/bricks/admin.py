"""The admin, with the widgets that bring scripts of their own."""

from django.contrib import admin

from bricks.models import Brick, Colour, Kiln, Price


class Prices(admin.TabularInline):
    """Prices are edited with their brick."""

    model = Price
    extra = 1


@admin.register(Brick)
class BrickAdmin(admin.ModelAdmin):
    """A form with completion, two calendars, two lists, a slug and rows that can be added."""

    autocomplete_fields = ("kiln",)
    filter_horizontal = ("colours",)
    inlines = (Prices,)
    list_filter = ("kiln",)
    prepopulated_fields = {"slug": ("name",)}  # noqa: RUF012
    search_fields = ("name",)


@admin.register(Kiln)
class KilnAdmin(admin.ModelAdmin):
    """Searched by the completion of bricks."""

    search_fields = ("name",)


admin.site.register(Colour)
