"""`manage.py test --settings yard.test_settings`: the page is tested without a build."""

from django.test import TestCase


class HomeTest(TestCase):
    """The page."""

    def test_the_page_has_its_form(self) -> None:
        """The widget's script is named, whatever its hash will be."""
        self.assertContains(self.client.get("/"), '<script src="/static/bricks/js/count.js"></script>', html=True)

    def test_the_admin_has_its_login(self) -> None:
        """The admin's stylesheet is named."""
        self.assertContains(self.client.get("/admin/login/"), "/static/admin/css/login.css")
