# install-packages.sh PACKAGE...: installs the npm packages for every user below /usr/local. They are installed aside
# first and then moved into place, so an interruption leaves none half installed.
set -eu
umask 022
modules=/usr/local/lib/node_modules
mkdir -p "$modules"
rm -rf /usr/local/lib/.forgelab-npm-*
stage=$(mktemp -d /usr/local/lib/.forgelab-npm-XXXXXX)
trap 'rm -rf "$stage"' EXIT
trap 'exit 1' HUP INT TERM
PATH=/usr/local/bin:$PATH
# Node.js brings its own list of authorities: a mirror with a certificate that only this device trusts is fine too.
export NODE_EXTRA_CA_CERTS="${NODE_EXTRA_CA_CERTS:-/etc/ssl/certs/ca-certificates.crt}"

npm install --global --prefix "$stage/prefix" --cache "$stage/cache" --no-audit --no-fund --no-update-notifier \
    --loglevel=error --fetch-retries=1 "$@" >&2
cd "$stage/prefix"

for link in bin/*; do
    [ -L "$link" ] || continue
    there=/usr/local/$link
    case "$(readlink "$there" || true)" in ../lib/node_modules/*) continue ;; esac
    if [ -e "$there" ] || [ -L "$there" ]; then
        echo "$there was not installed by npm and is not replaced: remove it or the package that brings it." >&2
        exit 1
    fi
done

sync --file-system .
for package in lib/node_modules/*; do
    case "$package" in
        */@*) scoped=$package; set -- "$scoped"/* ;;
        *) set -- "$package" ;;
    esac
    for folder in "$@"; do
        name=${folder#lib/node_modules/}
        mkdir -p "$modules/$(dirname "$name")" "$stage/replaced/$(dirname "$name")"
        [ ! -e "$modules/$name" ] || mv -T "$modules/$name" "$stage/replaced/$name"
        mv -T "$folder" "$modules/$name"
    done
done
for link in bin/*; do
    [ ! -L "$link" ] || mv -fT "$link" "/usr/local/$link"
done
