"""Bricks, the kilns that fire them, and the colours that they come in."""

from django.db import models


class Kiln(models.Model):
    """Where a brick is fired."""

    name = models.CharField(max_length=40)

    def __str__(self) -> str:
        return self.name


class Colour(models.Model):
    """What a brick may be glazed in."""

    name = models.CharField(max_length=40)

    def __str__(self) -> str:
        return self.name


class Brick(models.Model):
    """A kind of brick."""

    name = models.CharField(max_length=40)
    slug = models.SlugField()
    kiln = models.ForeignKey(Kiln, models.CASCADE)
    colours = models.ManyToManyField(Colour, blank=True)
    fired = models.DateTimeField()

    def __str__(self) -> str:
        return self.name


class Price(models.Model):
    """What a brick costs from a day on."""

    brick = models.ForeignKey(Brick, models.CASCADE)
    since = models.DateField()
    cents = models.IntegerField()

    def __str__(self) -> str:
        return f"{self.cents} since {self.since}"
