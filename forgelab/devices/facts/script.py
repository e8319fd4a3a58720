"""The shell scripts that ask a device. Only /proc, /sys and what every Debian-family system has, before any install.

`FIGURES` is what changes by the minute, and all that the collector asks: shell built-ins but for grep and df, since a
small device is asked a thousand times a day. `SCRIPT` is that and everything else.
"""

from __future__ import annotations

FIGURES = r"""
LC_ALL=C; export LC_ALL
echo "cores=$(grep -c ^processor /proc/cpuinfo)"
while read -r name value rest; do
  case "$name" in
    MemTotal:) echo "memory_total_kb=$value" ;;
    MemAvailable:) echo "memory_available_kb=$value"; break ;;
  esac
done </proc/meminfo
read -r one five rest </proc/loadavg && echo "load=$five"
read -r up rest </proc/uptime && echo "uptime=${up%%.*}"
df -Pk / | { read -r head; read -r source total used free rest; echo "disk_total_kb=$total"
  echo "disk_free_kb=$free"; }
for zone in /sys/class/thermal/thermal_zone*; do
  read -r type 2>/dev/null <"$zone/type" && read -r degrees 2>/dev/null <"$zone/temp" && echo "heat=$type $degrees"
done
for chip in /sys/class/hwmon/hwmon*; do
  read -r type 2>/dev/null <"$chip/name" && read -r degrees 2>/dev/null <"$chip/temp1_input" &&
    echo "heat=$type $degrees"
done
true
"""

SCRIPT = (
    FIGURES
    + r"""
. /etc/os-release 2>/dev/null
echo "distribution=$ID"; echo "distribution_version=$VERSION_ID"; echo "distribution_release=$VERSION_CODENAME"
echo "architecture=$(uname -m)"
if [ -r /proc/device-tree/model ]; then echo "model=$(tr -d '\0' </proc/device-tree/model)"
else
  for name in product_name board_name; do
    [ -r /sys/class/dmi/id/$name ] && echo "model=$(cat /sys/class/dmi/id/$name)"
  done
fi
if command -v systemd-detect-virt >/dev/null; then echo "virtualisation=$(systemd-detect-virt)"
elif grep -qw hypervisor /proc/cpuinfo; then echo "virtualisation=vm"; fi

# The disk below the root file system, also through LVM, RAID and encryption.
disk=$(lsblk -snro TYPE,NAME,ROTA "$(findmnt -nvo SOURCE / 2>/dev/null)" 2>/dev/null | grep -m1 ^disk)
echo "root_disk=$disk"
if disks=$(lsblk -J -d -b -o NAME,TYPE,SIZE,ROTA,MODEL 2>/dev/null) && [ -n "$disks" ]; then
  echo "disks=$(echo "$disks" | tr -d '\n')"
else
  for disk in /sys/block/*; do
    read -r size <"$disk/size" && read -r rotates <"$disk/queue/rotational" || continue
    model=; read -r model 2>/dev/null <"$disk/device/model"
    echo "disk=${disk##*/} $size $rotates $model"
  done
fi

# Who listens. Only root sees every process; without ss, the kernel's own tables list the ports.
if command -v ss >/dev/null; then
  { if [ "$(id -u)" = 0 ]; then ss -Hltnp; else sudo -n ss -Hltnp 2>/dev/null || ss -Hltnp; fi; } 2>/dev/null |
    head -n 1000 | while read -r line; do echo "listens=$line"; done
else
  cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | head -n 4000 |
    while read -r number local remote state rest; do [ "$state" = 0A ] && echo "bound=$local"; done
fi

# The address to wake it by: that of the card which leads to the one who asks, else to everybody else.
card() { ip -o route get "$1" 2>/dev/null | sed -n 's/.* dev \([^ ]*\).*/\1/p' | head -n 1; }
asks=${SSH_CONNECTION%% *}
name=$(card "${asks:-192.0.2.1}"); [ -n "$name" ] && [ "$name" != lo ] || name=$(card 192.0.2.1)
if [ -n "$name" ] && read -r mac 2>/dev/null <"/sys/class/net/$name/address"; then echo "mac_address=$mac"; fi
true
"""
)
