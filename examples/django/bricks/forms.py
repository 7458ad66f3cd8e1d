"""A form whose widget brings its own stylesheet and script, as those of third-party apps do."""

from django import forms


class CountInput(forms.NumberInput):
    """A number with a button that adds a pallet."""

    class Media:
        """Names as `{% static %}` takes them."""

        css = {"all": ["bricks/count.css"]}  # noqa: RUF012
        js = ["bricks/js/count.js"]  # noqa: RUF012


class OrderForm(forms.Form):
    """How many bricks."""

    count = forms.IntegerField(widget=CountInput(attrs={"class": "count"}))
