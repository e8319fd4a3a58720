"""ForgeLab: Laravel Forge for homelabs."""

__version__ = "0.1.0"
