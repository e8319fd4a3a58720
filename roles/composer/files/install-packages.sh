# install-packages.sh HOME COMPOSER_JSON [look]: installs what COMPOSER_JSON requires into HOME, a folder named after it, and
# links the programs into /usr/local/bin. Prints "changed" if anything had to be done. HOME appears by one rename
# after everything is on the disk, so an interruption leaves nothing half done.
# With "look" nothing is done: it only says whether there is anything to do.
set -eu
umask 022
home=$1 wanted=$2 look=${3:-}
base=$(dirname "$home")

is_ours() {
    case "$(readlink "$1" || true)" in "$base"/*) return 0 ;; esac
    return 1
}

[ -z "$look" ] || [ -d "$home" ] || { echo changed; exit 0; }

act() {
    [ -n "$look" ] || "$@"
}

if [ ! -d "$home" ]; then
    mkdir -p "$base"
    rm -rf "$base"/.installing-*
    stage=$(mktemp -d "$base/.installing-XXXXXX")
    trap 'rm -rf "$stage"' EXIT
    trap 'exit 1' HUP INT TERM
    mkdir "$stage/home"
    printf '%s\n' "$wanted" > "$stage/home/composer.json"
    # Nothing of the packages is run as root: neither their plugins nor their scripts.
    COMPOSER_HOME=$stage/composer COMPOSER_CACHE_DIR=$stage/cache COMPOSER_ALLOW_SUPERUSER=1 \
        composer --working-dir="$stage/home" --no-ansi --no-interaction --no-plugins update \
        --no-scripts --no-dev --no-audit --no-progress --quiet
    for program in "$stage/home/bin"/*; do
        [ -e "$program" ] || continue
        link=/usr/local/bin/$(basename "$program")
        if { [ -e "$link" ] || [ -L "$link" ]; } && ! is_ours "$link"; then
            echo "$link is not from ForgeLab and is not replaced: remove it, or the package that brings it." >&2
            exit 1
        fi
    done
    chmod 0755 "$stage/home"
    sync --file-system "$stage/home"
    mv -T "$stage/home" "$home"
    echo changed
fi

for link in /usr/local/bin/*; do
    if is_ours "$link" && [ ! -e "$home/bin/$(basename "$link")" ]; then
        act rm "$link"
        echo changed
    fi
done
for program in "$home/bin"/*; do
    [ -e "$program" ] || continue
    link=/usr/local/bin/$(basename "$program")
    if [ "$(readlink "$link" || true)" != "$program" ]; then
        act ln -s "$program" "$base/.installing-link"
        act mv -fT "$base/.installing-link" "$link"
        echo changed
    fi
done
