"""What is run on a machine that was logged in to with a password, and the reading of its answers.

Every script says its result after a mark, in one word. What is put in are a user's name (letters, digits, _ and -) and
a public key; neither is ever more than one word of the shell.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass

MARK = "forgelab:"

ASK_SUDO = f"""
[ "$(id -u)" = 0 ] && {{ echo {MARK}root; exit; }}
command -v sudo >/dev/null || {{ echo {MARK}missing; exit; }}
sudo -k -n true 2>/dev/null && echo {MARK}free || echo {MARK}asks
"""

WRONG_PASSWORD = ("incorrect password", "try again", "no password was provided", "authentication fail")
MAY_NOT = ("not in the sudoers", "not allowed", "may not run")


@dataclass(frozen=True)
class Done:
    """What was put on the machine that was not there before."""

    rule_added: bool
    key_added: bool


def answer_in(output: str) -> str:
    """The word after the last mark; empty where there is none."""
    words = re.findall(rf"^{MARK}([a-z]+)$", output.replace("\r", ""), re.MULTILINE)
    return words[-1] if words else ""


def add_key(public_key: str) -> str:
    body = " ".join(public_key.split()[:2])
    return f"""
umask 077
file=$HOME/.ssh/authorized_keys
grep -qsF {shlex.quote(body)} "$file" && {{ echo {MARK}kept; exit; }}
mkdir -p "$HOME/.ssh" || exit 1
[ ! -e "$file" ] || [ -z "$(tail -c 1 "$file")" ] || echo >>"$file"
printf '%s\\n' {shlex.quote(public_key)} >>"$file" && echo {MARK}added
"""


def remove_key(public_key: str) -> str:
    """Take the line away again; the file itself stays, with its owner and its mode."""
    return f"""
umask 077
file=$HOME/.ssh/authorized_keys
rest=$(grep -vxF {shlex.quote(public_key)} "$file"; echo .)
printf '%s' "${{rest%.}}" >"$file"
"""


def rule_file(user: str) -> str:
    return f"/etc/sudoers.d/forgelab-{user}"


def add_rule(user: str) -> str:
    """A rule in a file of its own; should there be one already, what it holds is kept.

    In one line without single quotes or backslashes: the user's login shell may be any, and passes it on.
    """
    file = rule_file(user)
    return (
        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin; "
        f"w=added; [ ! -e {file} ] || w=kept; f=$(mktemp /etc/sudoers.d/.forgelab.XXXXXX) && "
        f'{{ [ ! -e {file} ] || cat {file}; echo "{user} ALL=(ALL:ALL) NOPASSWD: ALL"; }} >"$f" && '
        f'chmod 0440 "$f" && visudo -c -f "$f" >/dev/null && mv -f "$f" {file} && echo {MARK}$w || '
        '{ rm -f "$f"; exit 1; }'
    )


def remove_rule(user: str) -> str:
    return f"sudo -n rm -f {rule_file(user)}\n"


def with_sudo(script: str) -> str:
    """Run it as root; sudo asks on its standard input, without a prompt, also where it would remember the password."""
    return f"env LC_ALL=C sudo -k -S -p '' -- sh -c {shlex.quote(script)}"


def no_sudo(user: str, address: str) -> str:
    return (
        f"There is no sudo on {address}, so {user} cannot become root. As root there: apt-get install sudo && usermod "
        f"-aG sudo {user} - or give the user root."
    )


def sudo_refused(user: str, address: str, said: str) -> dict[str, str]:
    """The field that sudo's words are about, and the sentence for it."""
    said = " ".join(said.split())[-300:]
    if any(words in said.lower() for words in MAY_NOT):
        return {
            "user": f"{user} may not use sudo on {address}. As root there: usermod -aG sudo {user} - then come back. "
            "Or give the user root, or run the one-line command as root."
        }
    if any(words in said.lower() for words in WRONG_PASSWORD):
        return {"password": f"{user} was let in, but sudo on {address} refused the password. Is it another one there?"}
    return {"user": f"sudo on {address} did not do what {user} asked for: {said or 'it said nothing'}"}
