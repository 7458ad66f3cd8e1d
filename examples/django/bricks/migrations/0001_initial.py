# ruff: noqa: D100, D101, RUF012 - as `manage.py makemigrations` writes it

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Colour",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=40)),
            ],
        ),
        migrations.CreateModel(
            name="Kiln",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=40)),
            ],
        ),
        migrations.CreateModel(
            name="Brick",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=40)),
                ("slug", models.SlugField()),
                ("fired", models.DateTimeField()),
                ("colours", models.ManyToManyField(blank=True, to="bricks.colour")),
                ("kiln", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="bricks.kiln")),
            ],
        ),
        migrations.CreateModel(
            name="Price",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("since", models.DateField()),
                ("cents", models.IntegerField()),
                ("brick", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="bricks.brick")),
            ],
        ),
    ]
