"""What a device says of itself: one small shell script, and the reading of its answer."""

from forgelab.devices.facts.disks import DISK_KINDS
from forgelab.devices.facts.figures import LARGEST, Figures, figures
from forgelab.devices.facts.reading import Facts, parse
from forgelab.devices.facts.script import FIGURES, SCRIPT

__all__ = ["DISK_KINDS", "FIGURES", "LARGEST", "SCRIPT", "Facts", "Figures", "figures", "parse"]
