#!/bin/sh
# Creates .venv with the first Python >= 3.11 that works. Where Debian or Ubuntu has split the venv module
# off, its package is installed (as root or with passwordless sudo), or named.
set -eu
cd "$(dirname "$0")/.."

is_new_enough() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

first_new_enough() {
    for candidate in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11 python}; do
        if is_new_enough "$candidate"; then
            echo "$candidate"
            return
        fi
    done
    return 1
}

can_make_environments() {
    "$1" -c 'import ensurepip, venv' >/dev/null 2>&1
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    else
        sudo -n "$@"
    fi
}

may_act_as_root() {
    [ "$(id -u)" -eq 0 ] || sudo -n true >/dev/null 2>&1
}

install_debian_package() {
    command -v apt-get >/dev/null 2>&1 && may_act_as_root || return 1
    as_root apt-get update && as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y "$1"
}

python=$(first_new_enough) || {
    echo "azmdr needs Python 3.11 or newer; none of ${PYTHON:-python3, python3.14 ... python3.11, python} is." >&2
    echo "Install one, or name it: make setup PYTHON=/path/to/python3" >&2
    exit 1
}

if ! can_make_environments "$python"; then
    package=$("$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')
    echo "$python has no venv module: installing the system package $package" >&2
    install_debian_package "$package" >&2 || true
    can_make_environments "$python" || {
        echo "$python can't create environments. On Debian and Ubuntu, install the package $package:" >&2
        echo "    sudo apt-get install $package" >&2
        exit 1
    }
fi

echo "Creating .venv with $("$python" --version) ($(command -v "$python"))"
"$python" -m venv --clear .venv
