"""Django's admin application, with ForgeLab's own site; loaded before any model is."""

from django.contrib.admin.apps import AdminConfig


class OwnersAdminConfig(AdminConfig):
    default_site = "forgelab.accounts.admin_site.OwnersAdminSite"
