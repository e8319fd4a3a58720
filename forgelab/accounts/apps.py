from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "forgelab.accounts"

    def ready(self) -> None:
        from forgelab.accounts import logins

        logins.connect()
