"""Forms for adding a device, and for one that may sleep."""

from __future__ import annotations

from typing import Any

from django import forms

from forgelab.devices.models import Device
from forgelab.lib import names
from forgelab.lib.validators import validate_address, validate_slug, validate_user


class DeviceForm(forms.Form):
    """Where a device that is reached by SSH is, and who logs in there."""

    name = forms.CharField(
        label="Name", max_length=63, validators=[validate_slug], help_text=f"{names.SLUG_RULE.capitalize()}."
    )
    address = forms.CharField(
        label="Address", max_length=253, validators=[validate_address], help_text="An IP address or a host name."
    )
    user = forms.CharField(label="User", max_length=32, initial="root", validators=[validate_user])
    port = forms.IntegerField(label="SSH port", min_value=1, max_value=65535, initial=22)
    jump = forms.ModelChoiceField(
        label="Jump host", queryset=Device.objects.none(), required=False, to_field_name="name",
        empty_label="None: ForgeLab reaches it directly",
        help_text="The device to connect through, if ForgeLab cannot reach this one directly.",
    )  # fmt: skip
    SECRETS: tuple[str, ...] = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["jump"].queryset = Device.objects.filter(connection=Device.Connection.SSH)
        if not self.fields["jump"].queryset.exists():
            del self.fields["jump"]

    def clean_name(self) -> str:
        return _free_name(self.cleaned_data["name"])

    @property
    def connection(self) -> dict[str, Any]:
        """The machine's name and address as the services' keywords."""
        return {name: self.cleaned_data.get(name) for name in ("name", "address", "user", "port", "jump")}

    def where(self) -> list[forms.BoundField]:
        return [field for field in self if field.name not in self.SECRETS]

    def secrets(self) -> list[forms.BoundField]:
        """The fields that are asked for once the machine has shown its keys."""
        return [self[name] for name in self.SECRETS]


class PasswordForm(DeviceForm):
    """A device that is logged in to with a password, once."""

    password = forms.CharField(
        label="Password",
        required=False,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text="Used once to install ForgeLab's key, never stored. "
        "For a user other than root it is also given to sudo.",
    )
    SECRETS = ("password",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["user"].initial = None  # few machines allow root to log in with a password


class KeyForm(DeviceForm):
    """A device where a key is authorized already: ForgeLab's own, whose public half the page shows, or the user's."""

    private_key = forms.CharField(
        label="Private key",
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 4, "spellcheck": "false", "autocomplete": "off"}),
        help_text="Leave it empty to use ForgeLab's own key. A key of your own is stored encrypted.",
    )
    passphrase = forms.CharField(
        label="Passphrase",
        required=False,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text="If the key has one. It is used once and not stored.",
    )
    SECRETS = ("private_key", "passphrase")


class ThisMachineForm(forms.Form):
    """The machine that ForgeLab itself runs on."""

    name = DeviceForm.base_fields["name"]
    address = forms.CharField(
        label="Address",
        max_length=253,
        validators=[validate_address],
        help_text="The address that your other devices use for this machine. ForgeLab itself needs no network for it.",
    )

    def clean_name(self) -> str:
        return _free_name(self.cleaned_data["name"])


class CommandForm(forms.Form):
    """The name of a machine that joins by a command; empty for its own host name."""

    name = forms.CharField(
        label="Name", required=False, max_length=63, validators=[validate_slug],
        help_text="Leave it empty to take the machine's own host name.",
    )  # fmt: skip


def _free_name(name: str) -> str:
    if Device.objects.filter(name=name).exists():
        raise forms.ValidationError(f"There is a device {name} already. Choose another name.")
    return name


class SleepForm(forms.Form):
    """Whether a device may sleep, and the address by which it is woken."""

    sleeps = forms.BooleanField(
        label="It may sleep",
        required=False,
        help_text="When it does not answer, it is shown as asleep instead of unreachable, and a run wakes it first "
        "(wake-on-LAN).",
    )
    mac_address = forms.CharField(
        label="MAC address", required=False, max_length=40,
        widget=forms.TextInput(
            attrs={"placeholder": "read at the next refresh", "autocomplete": "off", "spellcheck": "false"}
        ),
    )  # fmt: skip
