"""The table, and the first trees."""

from datetime import date

from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

TREES = (
    ("Boskoop", "apple", date(1963, 11, 2)),
    ("Conference", "pear", date(1987, 3, 14)),
    ("Hauszwetschge", "plum", date(2009, 10, 30)),
)


def plant(apps: StateApps, _: BaseDatabaseSchemaEditor) -> None:
    """Write the first trees."""
    tree = apps.get_model("trees", "Tree")
    tree.objects.bulk_create(tree(name=name, fruit=fruit, planted=planted) for name, fruit, planted in TREES)


class Migration(migrations.Migration):
    """What the models are at first."""

    initial = True
    dependencies = ()
    operations = (
        migrations.CreateModel(
            "Tree",
            [
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=80)),
                ("fruit", models.CharField(max_length=80)),
                ("planted", models.DateField()),
            ],
            {"ordering": ("planted",)},
        ),
        migrations.RunPython(plant, migrations.RunPython.noop),
    )
