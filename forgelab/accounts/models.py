"""The people who use ForgeLab."""

from django.contrib.auth.models import AbstractUser


class User(AbstractUser):
    """A person with a login. Our own class from the start, so that fields can be added without a painful migration."""
