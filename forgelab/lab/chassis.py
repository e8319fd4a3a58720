"""The box around one device: it mounts the disk in a mount namespace of its own, powers the guest on, and powers it
on again when the guest asks for a reboot. It ends when the guest is off, and then nothing stays mounted."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from .cgroups import joining
from .lxcfs import PROC_FILES
from .processes import PidFile, run

REBOOT = 133  # systemd-nspawn's exit status for a guest that rebooted
V1_INIT = "/usr/local/sbin/forgelab-lab-init"
# nspawn hands v1 controllers over read-only; the cgroup namespace bounds them in any case. systemd 256 and later
# refuse v1 without the second line's word.
V1_INIT_TEXT = """#!/bin/sh
for controller in memory cpu cpuacct pids blkio; do
  mount -o remount,bind,rw,nosuid,nodev,noexec /sys/fs/cgroup/$controller
done
exec /lib/systemd/systemd SYSTEMD_CGROUP_ENABLE_LEGACY_FORCE=1
"""


def main(argv: list[str]) -> int:
    """`chassis HOME NAME LAYERS NAMESPACE LXCFS V1 GROUP...`: run the device whose folder is HOME."""
    home, name, layers, namespace, lxcfs, v1, *groups = argv
    folder = Path(home)
    mount_disk(folder, layers)
    run("mount", "-t", "tmpfs", "-o", "mode=755,size=1m", "forgelab-lab", "/run/systemd/nspawn")
    command = nspawn(folder, name, namespace, bool(int(v1))) + binds(folder, Path(lxcfs))
    if int(v1):
        write_v1_init(folder / "root")
        command.append(V1_INIT)
    code = REBOOT
    while code == REBOOT:
        # The network namespace outlives the guest, but a machine boots without firewall rules.
        run("ip", "netns", "exec", Path(namespace).name, "nft", "flush", "ruleset", check=False)
        guest = subprocess.Popen(joining([Path(group) for group in groups], command), env=environment(bool(int(v1))))
        remember_init(guest, PidFile(folder / "init.pid"))
        code = guest.wait()
        print(f"{name}: the guest ended with {code}", flush=True)
    return 0


def mount_disk(folder: Path, layers: str) -> None:
    """Lay the disk's own folder over the `layers` below it, which are separated by colons, the topmost first."""
    # All options of a mount have to fit into one page of memory, and snapshots lie beside the devices.
    os.chdir(folder)
    layers = layers.replace(f"{folder.parents[1]}/", "../../")
    shutil.rmtree(folder / "work/work/incompat", ignore_errors=True)  # left by `volatile` after a power cut
    options = f"lowerdir={layers},upperdir=upper,workdir=work,volatile"
    # The newer system call, which mount prefers, takes no more than 255 bytes for an option.
    run("env", "LIBMOUNT_FORCE_MOUNT2=always", "mount", "-t", "overlay", "overlay", "-o", options, "root")
    Path("/run/systemd/nspawn").mkdir(parents=True, exist_ok=True)


def nspawn(folder: Path, name: str, namespace: str, v1: bool) -> list[str]:
    return [
        "systemd-nspawn", "--quiet", *([] if v1 else ["--boot"]), "--register=no", "--keep-unit", "--console=pipe",
        f"--machine={name}", f"--directory={folder / 'root'}", f"--network-namespace-path={namespace}",
        "--resolv-conf=off", "--timezone=off", "--link-journal=no", "--kill-signal=SIGRTMIN+4",
        # A namespace path does not imply a private network, so nspawn withholds what guests need for their own.
        "--capability=CAP_NET_ADMIN,CAP_NET_RAW", "--system-call-filter=@keyring bpf",
    ]  # fmt: skip


def environment(v1: bool) -> dict[str, str]:
    return {
        **os.environ,
        "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "0" if v1 else "1",
        "SYSTEMD_NSPAWN_LOCK": "0",
        "SYSTEMD_NSPAWN_TMPFS_TMP": "0",
        "SYSTEMD_NSPAWN_API_VFS_WRITABLE": "network",
    }


def binds(folder: Path, lxcfs: Path) -> list[str]:
    """lxcfs' view of /proc, and a copy of /proc/sys/vm: those settings have no namespace, so a guest that changes
    them must not change the machine's. nspawn looks for sources below /proc inside the guest: bound there first."""
    vm = folder / "vm"
    copy_settings(Path("/proc/sys/vm"), vm)
    files = [f"--bind={lxcfs}/proc/{name}:/proc/{name}" for name in PROC_FILES]
    return [f"--bind={lxcfs}", *files, f"--bind={vm}", f"--bind={vm}:/proc/sys/vm"]


def copy_settings(source: Path, target: Path) -> None:
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir()
    for file in source.iterdir():
        try:
            text = file.read_text()
        except OSError:
            text = ""  # write-only ones such as drop_caches
        (target / file.name).write_text(text)


def write_v1_init(root: Path) -> None:
    script = root / V1_INIT.lstrip("/")
    script.parent.mkdir(parents=True, exist_ok=True)
    script.write_text(V1_INIT_TEXT)
    script.chmod(0o755)


def remember_init(guest: subprocess.Popen[bytes], pidfile: PidFile, timeout: float = 60) -> None:
    """Write down which process is the guest's PID 1: the child of nspawn that lives in another PID namespace."""
    own = Path("/proc/self/ns/pid").readlink()
    end = time.monotonic() + timeout
    while time.monotonic() < end and guest.poll() is None:
        try:
            children = Path(f"/proc/{guest.pid}/task/{guest.pid}/children").read_text().split()
            if children and Path(f"/proc/{children[0]}/ns/pid").readlink() != own:
                return pidfile.write(int(children[0]))
        except OSError:
            pass
        time.sleep(0.01)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
