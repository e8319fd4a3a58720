#!/bin/sh
# Joins this machine to ForgeLab: makes the user forgelab with sudo and ForgeLab's key, then reports its address to ForgeLab.
# All of it is one function, called on the last line: a script that was cut off on its way does nothing at all.
# The words between at signs are put in by ForgeLab, each quoted for the shell.

forgelab_join() {
  set -u
  umask 022
  PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
  LC_ALL=C
  export PATH LC_ALL
  user=@USER@
  key=@PUBLIC_KEY@
  report_url=@REPORT_URL@

  say() { printf 'ForgeLab: %s\n' "$*"; }
  fail() {
    printf 'ForgeLab: %s\n' "$*" >&2
    exit 1
  }

  # -- Can it be done at all? Nothing is changed before this is known.
  [ "$(id -u)" = 0 ] || fail "This must run as root. Put sudo before sh; where there is no sudo, log in as root."
  system=$(. /etc/os-release 2>/dev/null && printf '%s' "${PRETTY_NAME:-}")
  command -v apt-get >/dev/null ||
    fail "${system:-This system} has no apt. ForgeLab looks after Debian, Ubuntu and Raspberry Pi OS."
  command -v sshd >/dev/null ||
    fail "No SSH server is installed here. Install it with: apt-get install openssh-server - then run the command again."
  if command -v systemctl >/dev/null && [ -d /run/systemd/system ]; then
    systemctl -q is-active ssh.service sshd.service ssh.socket sshd.socket ||
      fail "The SSH server is installed but does not run. Start it with: systemctl enable --now ssh - then run the command again."
  else
    pidof sshd >/dev/null || fail "The SSH server is installed but does not run. Start it with: service ssh start"
  fi
  [ -d /run/sshd ] || mkdir -m 0755 /run/sshd # sshd -T wants it; where a socket starts sshd it may be missing
  sshd_says=$(sshd -T -C "user=$user,host=localhost,addr=127.0.0.1" 2>/dev/null || sshd -T 2>&1) ||
    fail "The SSH server's configuration is broken: $sshd_says"
  setting() { printf '%s\n' "$sshd_says" | sed -n "s/^$1 //p"; }
  [ "$(setting pubkeyauthentication)" != no ] ||
    fail "The SSH server here lets nobody in by a key. Set PubkeyAuthentication yes in /etc/ssh/sshd_config, then: systemctl reload ssh"
  allowed=$(setting allowusers)
  if [ -n "$allowed" ]; then
    found=
    set -f
    for pattern in $allowed; do
      case "$user" in $pattern) found=yes ;; esac
    done
    set +f
    [ -n "$found" ] ||
      fail "The SSH server here lets in certain users only (AllowUsers). Add $user to that line in /etc/ssh/sshd_config, then: systemctl reload ssh"
  fi

  # -- What ForgeLab needs
  missing=
  command -v sudo >/dev/null || missing="$missing sudo"
  command -v python3 >/dev/null || missing="$missing python3"
  if [ -n "$missing" ]; then
    say "Installing$missing"
    DEBIAN_FRONTEND=noninteractive
    export DEBIAN_FRONTEND
    # shellcheck disable=SC2086 # several words
    apt-get -qq -y install --no-install-recommends $missing >/dev/null 2>&1 || {
      apt-get -qq update >/dev/null 2>&1
      apt_says=$(apt-get -qq -y install --no-install-recommends $missing 2>&1) ||
        fail "Apt could not install$missing: $(printf '%s\n' "$apt_says" | tail -n 3)"
    }
  fi

  # -- The user: its own group and home, and no password that would open it
  if getent passwd "$user" >/dev/null; then
    say "The user $user is there already and is used."
  else
    group=--user-group
    ! getent group "$user" >/dev/null || group="--gid=$user"
    useradd --create-home --shell /bin/bash --comment ForgeLab --password '*' "$group" "$user" ||
      fail "The user $user could not be made."
    say "Made the user $user, which no password opens."
  fi
  home=$(getent passwd "$user" | cut -d: -f6)
  case "$(getent passwd "$user" | cut -d: -f7)" in
    */nologin | */false) fail "The user $user may not log in here. Give it a shell: usermod --shell /bin/bash $user" ;;
  esac
  [ -d "$home" ] || fail "The home of $user, $home, is not there. Make it: mkhomedir_helper $user"

  # -- sudo without a password, checked before it counts; what the file may hold already is kept
  rule="$user ALL=(ALL:ALL) NOPASSWD: ALL"
  file=/etc/sudoers.d/$user
  if ! grep -qsxF "$rule" "$file"; then
    # A name with a dot: sudo passes over it until it is renamed.
    new=$(mktemp /etc/sudoers.d/.forgelab.XXXXXX) || fail "Nothing can be written to /etc/sudoers.d."
    { [ ! -e "$file" ] || cat "$file"; printf '%s\n' "$rule"; } >"$new"
    chmod 0440 "$new"
    if ! visudo_says=$(visudo -c -f "$new" 2>&1); then
      rm -f "$new"
      fail "Sudo would not take the rule for $user: $visudo_says"
    fi
    mv -f "$new" "$file"
    say "Allowed $user to use sudo ($file)."
  fi

  # -- ForgeLab's key, where this SSH server looks for keys
  keys=$(setting authorizedkeysfile | cut -d' ' -f1 | sed "s|%h|$home|g; s|%u|$user|g; s|%%|%|g")
  case "$keys" in
    none) fail "The SSH server here reads no keys (AuthorizedKeysFile none in /etc/ssh/sshd_config)." ;;
    /*) ;;
    *) keys=$home/${keys:-.ssh/authorized_keys} ;;
  esac
  folder=$(dirname "$keys")
  if [ ! -d "$folder" ]; then
    mkdir -m 0700 "$folder" && chown "$user:" "$folder" || fail "$folder could not be made."
  fi
  if ! grep -qsF "$(printf '%s' "$key" | cut -d' ' -f1,2)" "$keys"; then
    [ -e "$keys" ] || { (umask 077; : >"$keys") && chown "$user:" "$keys"; } || fail "$keys could not be written."
    # A last line without its end would swallow the key.
    [ -z "$(tail -c 1 "$keys")" ] || echo >>"$keys"
    printf '%s\n' "$key" >>"$keys" || fail "$keys could not be written."
    say "Put ForgeLab's key into $keys"
  fi
  say "ForgeLab's key, whose fingerprint its page shows too:"
  printf '%s\n' "$key" | ssh-keygen -lf - | sed 's/^/  /'

  # -- Report to ForgeLab
  host_keys=$(setting hostkey | while read -r path; do cut -d' ' -f1,2 "$path.pub" 2>/dev/null; done)
  [ -n "$host_keys" ] || host_keys=$(cat /etc/ssh/ssh_host_*_key.pub 2>/dev/null | cut -d' ' -f1,2)
  [ -n "$host_keys" ] || fail "No SSH host key is here. Make them with: ssh-keygen -A - then run the command again."
  say "The host keys of this machine, which ForgeLab shows too when it has joined:"
  printf '%s\n' "$host_keys" | while read -r line; do
    printf '%s\n' "$line" | ssh-keygen -lf - | sed 's/^/  /; s/ no comment//'
  done
  card=$(ip -o route show default 2>/dev/null | sed -n 's/.* dev \([^ ]*\).*/\1/p' | head -n 1)
  report=$(
    printf 'hostname=%s\n' "$(hostname)"
    setting port | sed 's/^/port=/'
    printf '%s\n' "$host_keys" | sed 's/^/host_key=/'
    hostname -I 2>/dev/null | tr ' ' '\n' | sed -n 's/^[0-9a-fA-F.:][0-9a-fA-F.:]*$/address=&/p'
    [ -z "$card" ] || sed 's/^/mac=/' "/sys/class/net/$card/address" 2>/dev/null
  )
  say "Reporting to ForgeLab, which now logs in here to check that it can ..."
  if command -v curl >/dev/null; then
    answer=$(printf '%s\n' "$report" | curl -sS --max-time 180 -H 'Content-Type: text/plain' --data-binary @- "$report_url" 2>&1)
  else
    answer=$(wget -qO- --content-on-error --timeout=180 --tries=1 --header='Content-Type: text/plain' --post-data="$report" "$report_url" 2>&1)
  fi
  case "$answer" in
    "joined: "*) say "${answer#joined: }" ;;
    "refused: "*) fail "${answer#refused: }" ;;
    *) fail "It could not be reached, so this machine has not joined. It said: ${answer:-nothing}" ;;
  esac
}

forgelab_join </dev/null
