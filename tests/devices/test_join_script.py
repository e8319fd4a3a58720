"""The script by which machines join: nothing in it is code that was not written here; and the reading of its report."""

from __future__ import annotations

import os
import subprocess

import pytest

from forgelab.devices import join_script
from tests.factories import HOST_KEY

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIB+NyLOy3WlLqOEWf3VIhZjmIFrGdYoYLMxYgQ/VLr0T forgelab"
URL = "http://192.168.1.5:8000/join/8sbghg2bspdzlOMN7S3tMezBxIrOXqEvs49NRrit3p4"
AS_NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--"] if os.geteuid() == 0 else []
REPORT = f"hostname=attic\nport=22\nhost_key={HOST_KEY}\naddress=192.168.1.7\nmac=52:54:00:12:34:56\n"


def run(text: str, *before: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*before, "sh", "-s"], input=text, capture_output=True, text=True)


def test_every_value_is_one_word_of_the_shell() -> None:
    hostile = "a' b\"; touch /tmp/x; $(id) `id` @USER@ \\"
    text = join_script.script(report_url=hostile, public_key=hostile)
    # The assignments alone, from the script itself, then what they hold.
    lines = [line for line in text.splitlines() if line.strip().startswith(("user=", "key=", "report_url="))]
    shown = run("\n".join([*lines, 'printf "%s\\n" "$user" "$key" "$report_url"']))
    assert shown.stdout.splitlines() == ["forgelab", hostile, hostile]


def test_it_is_a_valid_script_with_nothing_left_to_put_in() -> None:
    text = join_script.script(report_url=URL, public_key=KEY)
    assert subprocess.run(["sh", "-n"], input=text, text=True).returncode == 0
    assert not {"@USER@", "@PUBLIC_KEY@", "@REPORT_URL@"} & set(text.split())


def test_who_is_not_root_gets_an_error_and_a_script_that_was_cut_off_says_and_does_nothing() -> None:
    """As an unprivileged user, whom the whole script tells at once that it needs root: that it began would be seen."""
    text = join_script.script(report_url=URL, public_key=KEY)
    whole = run(text, *AS_NOBODY)
    assert whole.returncode == 1
    assert "must run as root" in whole.stderr
    call = text.rindex("forgelab_join")
    for end in (*range(0, call, 97), call, call + 7):
        assert "ForgeLab" not in run(text[:end], *AS_NOBODY).stderr


def test_a_refusal_is_a_script_that_fails_and_says_why() -> None:
    done = run(join_script.refusal("It's too $(old) `now`."))
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "ForgeLab: It's too $(old) `now`.\n")


def test_a_report_is_read() -> None:
    report = join_script.parse(REPORT)
    assert (report.name, report.ports, report.addresses) == ("attic", (22,), ("192.168.1.7",))
    assert [str(key) for key in report.host_keys] == [HOST_KEY]
    assert report.mac_address == "52:54:00:12:34:56"


@pytest.mark.parametrize(
    ("hostname", "name"),
    [
        ("attic.home.arpa", "attic"),
        ("RaspberryPi", "raspberrypi"),
        ("my_box", "my-box"),
        ("7of9", "device-7of9"),
        ("all", "device"),
        ("{{ 7*7 }}", "device-7-7"),
        ("", "device"),
        ("x" * 90, "x" * 60),
    ],
)
def test_any_host_name_becomes_the_name_of_a_device(hostname: str, name: str) -> None:
    assert join_script.parse(REPORT.replace("=attic", f"={hostname}")).name == name


@pytest.mark.parametrize("line", ["port=0", "port=99999", "port=22;id", "mac=52:54", "address=$(id)", "nonsense", "="])
def test_what_is_no_value_is_passed_over(line: str) -> None:
    assert join_script.parse(REPORT + line) == join_script.parse(REPORT)


@pytest.mark.parametrize("text", ["", "port=22", f"host_key={HOST_KEY}", "port=22\nhost_key=ssh-ed25519 AAAA", "\0\0"])
def test_a_report_without_a_key_or_a_port_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no SSH host key or no SSH port"):
        join_script.parse(text)


def test_only_addresses_that_others_can_reach_are_tried() -> None:
    given = ["127.0.0.1", "::1", "fe80::1", "169.254.1.1", "0.0.0.0", "224.0.0.1", "x", "::ffff:10.0.0.5", "10.0.0.5"]
    assert join_script.usable(given) == ("10.0.0.5",)
    assert join_script.usable(["fd00::7"]) == ("fd00::7",)
