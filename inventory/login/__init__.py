"""Logging in: the one place that knows django-allauth, with its passwords, second factors and single sign-on."""
