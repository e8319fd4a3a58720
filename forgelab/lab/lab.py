from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from . import requirements
from .device import DeviceConfig, LabDevice
from .errors import LabError
from .guest import guest_files, write_disk, write_identity
from .images import Images, check_suite
from .lxcfs import Lxcfs
from .network import Network, available_cpus
from .processes import locked, run
from .site import Site, free_number
from .sizes import parse_cpus, parse_memory
from .snapshots import Snapshot, Snapshots

DEFAULT_IMAGE = "bookworm"
NO_CGROUP_V1 = ("forky",)  # systemd 258 dropped it


class Lab:
    """Virtual Debian devices on this machine.

    `dir` holds everything (default: $FORGELAB_LAB_DIR, else /var/lib/forgelab-lab), `net` is the first three numbers
    of a /24 network ($FORGELAB_LAB_NET, else 10.78.0), `bridge` its interface ($FORGELAB_LAB_BRIDGE, else flbr0) and
    `images` a folder of images, which labs may share. `report` receives a sentence whenever something takes long.
    """

    def __init__(
        self, dir: str | Path | None = None, net: str | None = None, bridge: str | None = None,
        images: str | Path | None = None, report: Callable[[str], None] = lambda text: None,
    ) -> None:  # fmt: skip
        self.site = Site.choose(dir, net, bridge, images)
        self.images = Images(self.site.images)
        self.snapshots = Snapshots(self.site)
        self.network = Network(self.site)
        self.lxcfs = Lxcfs(self.site)
        self.report = report

    @property
    def key_path(self) -> Path:
        """The private SSH key that every device accepts for `root` and `homelab`."""
        return self.site.dir / "ssh/id_ed25519"

    def check(self) -> None:
        """Raises LabUnavailable naming everything this machine lacks, and how to get it."""
        requirements.check()

    def net_up(self) -> None:
        """Bring up the bridge, the package proxy and lxcfs, as `up` does by itself."""
        self.check()
        with locked(self.site.lock):
            self._net_up()

    def up(
        self, name: str, *, image: str | None = None, source: str | None = None, memory: str | int | None = None,
        cpus: str | float | None = None, unit_limits: bool = False, timeout: float = 120,
    ) -> LabDevice:  # fmt: skip
        """One device, ready for SSH; see `up_many`."""
        return self.up_many(
            [name], image=image, source=source, memory=memory, cpus=cpus, unit_limits=unit_limits, timeout=timeout
        )[0]

    def up_many(
        self, names: Sequence[str], *, image: str | None = None, source: str | None = None,
        memory: str | int | None = None, cpus: str | float | None = None, unit_limits: bool = False,
        timeout: float = 120,
    ) -> list[LabDevice]:  # fmt: skip
        """Devices that are on and ready for SSH, made if they do not exist.

        `image` is bookworm (the default), trixie or forky; instead of it, `source` is the snapshot that new devices
        start from. `memory` such as `2G` or bytes, `cpus` such as 1.5: None means no limit for a new device, that of
        the snapshot's device for one that starts from it, and the same as before for one that exists. `unit_limits`
        lets limits of systemd units inside the device (MemoryMax= ...) bite on machines with cgroup v1.
        Raises LabError, LabUnavailable.
        """
        for name in names:
            check_name(name)
        size, share = parse_memory(memory), parse_cpus(cpus, len(available_cpus()))
        if source and image:
            raise LabError(f"image: the snapshot {source} stands on an image already; give one or the other.")
        self.check()
        build = self._any_new(names) and not source
        layer = self.images.build(image or DEFAULT_IMAGE, self.report) if build else Path()
        with locked(self.site.lock):
            start = self.snapshots.starting_point(source) if source else None
            self._net_up()
            devices = []
            for name in names:
                config = DeviceConfig(name, 0, image or DEFAULT_IMAGE, str(layer), unit_limits=unit_limits)
                device = self._existing(name, image, source) if self._exists(name) else self._create(config, start)
                self._limit(device, size, share)
                device.power_on()
                devices.append(device)
        for device in devices:
            device.wait_ready(timeout)
        return devices

    def snapshot(self, name: str, as_name: str, timeout: float = 120) -> Snapshot:
        """Keep the disk of the device `name` as a snapshot called `as_name`.

        The device is shut down in order for it and, if it was on, started again: so databases have written everything,
        and their copies come up as after any other start. Raises LabError, also when it did not shut down in time.
        """
        device = self.device(name)
        self.snapshots.check_new(check_name(as_name), device)
        was_on = device.is_on
        if not device.stop(timeout):
            raise LabError(
                f"{name} did not shut down within {timeout:g} s, so its power was cut and nothing was kept of it; see "
                f"{device.home / 'console.log'}. Start it with `forgelab lab start {name}` and try again."
            )
        with locked(self.site.lock):
            device = self.device(name)
            if device.is_on:
                raise LabError(f"{name} was started meanwhile, so nothing was kept of it. Try again.")
            made = self.snapshots.take(device, as_name)
        if was_on:
            device.start(timeout)
        return made

    def remove_snapshot(self, name: str) -> None:
        """Raises LabError when there is none of this name, or something stands on it."""
        with locked(self.site.lock):
            self.snapshots.remove(name)

    def device(self, name: str) -> LabDevice:
        """Raises LabError when there is no such device."""
        return LabDevice.load(self.site, name)

    def devices(self) -> list[LabDevice]:
        """All devices, by name; one that is being removed meanwhile is left out."""
        found = []
        for path in sorted(self.site.devices.glob("*/device.json")):
            try:
                found.append(self.device(path.parent.name))
            except LabError:
                if path.exists():
                    raise
        return found

    def down(self, everything: bool = False) -> None:
        """Remove every device, the bridge, the proxy, lxcfs and the rules, also those of a lab whose owner crashed.

        Images, snapshots, keys and the package cache stay, and so does an `unreachable` route that keeps the lab's
        addresses from ever leaving this machine; `everything` removes those as well.
        """
        with locked(self.site.lock):
            for device in self.devices():
                device.discard()
            shutil.rmtree(self.site.devices, ignore_errors=True)
            self.network.down(keep_unreachable=not everything)
            self.lxcfs.down()
            self.site.record_path.unlink(missing_ok=True)
            if everything:
                self.images.remove_all()
                shutil.rmtree(self.site.dir, ignore_errors=True)

    def _net_up(self) -> None:
        self.site.record()
        self.network.up()
        self.lxcfs.up()

    def _exists(self, name: str) -> bool:
        return (self.site.devices / name / "device.json").exists()

    def _any_new(self, names: Sequence[str]) -> bool:
        return not all(self._exists(name) for name in names)

    def _existing(self, name: str, image: str | None, source: str | None) -> LabDevice:
        device = self.device(name)
        if source and source != device.config.source:
            raise LabError(f"{name} exists and was not made from {source}. Remove it first: `forgelab lab rm {name}`.")
        if image and check_suite(image) != device.image:
            raise LabError(
                f"{name} exists with image {device.image}, not {image}. Remove it first: `forgelab lab rm {name}`."
            )
        return device

    def _create(self, config: DeviceConfig, start: Snapshot | None) -> LabDevice:
        if start:
            config.source, config.snapshots, config.image, config.layer = (
                start.name,
                start.stack,
                start.image,
                start.layer,
            )
            config.memory, config.cpus = start.memory, start.cpus
        config.number = free_number(device.config.number for device in self.devices())
        device = LabDevice(self.site, config)
        if config.unit_limits and config.image in NO_CGROUP_V1 and not device.group.pure_v2:
            raise LabError(
                f"unit_limits: {config.name} cannot have them with image {config.image}, whose systemd needs a machine "
                "with cgroup v2 only. Use bookworm or trixie, or leave them out."
            )
        shutil.rmtree(device.home, ignore_errors=True)
        for folder in ("upper", "work", "root"):
            (device.home / folder).mkdir(parents=True)
        if start:
            write_identity(device.disk, config.name, device.address, (start.device, start.address), self._public_key())
        else:
            files = guest_files(config.name, device.address, self.site, self.network.registries(), self._public_key())
            write_disk(device.disk, files, f"root@{config.name}")
        (device.home / "known_hosts").write_text("".join(f"{line}\n" for line in device.host_keys()))
        device.save()
        return device

    def _limit(self, device: LabDevice, memory: int | None, cpus: float | None) -> None:
        device.config.memory = memory or device.config.memory
        device.config.cpus = cpus or device.config.cpus
        device.save()
        if device.is_on:
            device.apply_limits()

    def _public_key(self) -> str:
        if not self.key_path.exists():
            self.key_path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "forgelab-lab", "-f", self.key_path)
        return self.key_path.with_suffix(".pub").read_text()


def check_name(name: str) -> str:
    """Raises LabError for a name that is not a short host name."""
    if not re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?", name):
        raise LabError(f"name: {name!r} is not allowed; use up to 32 lower-case letters, digits and inner hyphens.")
    return name
