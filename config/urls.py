"""The one web surface: the admin, at the root, behind our own login."""

from __future__ import annotations

from django.contrib import admin
from django.urls import path
from django.views.generic import RedirectView

from inventory.login import pages

admin.autodiscover()  # here, where they are asked for, and not at every start

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index"), name="home"),
    *pages.urlpatterns,  # before the admin's own: its login page is among them
    path("admin/", admin.site.urls),
]
