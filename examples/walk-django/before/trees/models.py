"""What grows."""

from django.db import models


class Tree(models.Model):
    """One tree of the orchard."""

    name = models.CharField(max_length=80)
    fruit = models.CharField(max_length=80)
    planted = models.DateField()

    class Meta:
        """The order of the page and of the admin."""

        ordering = ("planted",)

    def __str__(self) -> str:
        return self.name
