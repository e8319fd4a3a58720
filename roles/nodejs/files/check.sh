# check.sh HOME PACKAGE...: prints the word node if Node.js at HOME is not complete and linked, and each PACKAGE
# (NAME or NAME@VERSION) that is not installed for every user. HOME is empty for the distribution's Node.js.
home=$1
shift
for program in node npm npx corepack; do
    linked=$(readlink "/usr/local/bin/$program")
    if [ -n "$home" ]; then
        [ "$linked" = "$home/bin/$program" ] && [ -x "$linked" ] && continue
    else
        [ "${linked#/opt/forgelab/nodejs/}" = "$linked" ] && continue
    fi
    echo node
    break
done
for package in "$@"; do
    name=$(printf %s "$package" | sed 's/\(.\)@.*/\1/')
    version=${package#"$name"}
    version=${version#@}
    described=/usr/local/lib/node_modules/$name/package.json
    found=$(sed -n 's/^[[:space:]]*"version"[[:space:]]*:[[:space:]]*"\([^"]*\)".*/\1/p' "$described" 2>/dev/null)
    case "$found." in
        .) echo "$package" ;;
        "$version."*) ;;
        *) [ -z "$version" ] || echo "$package" ;;
    esac
done
exit 0
