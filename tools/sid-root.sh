#!/bin/sh
# sid-root.sh - tries the project on CPythons newer than the machine has.
#
#   sh tools/sid-root.sh [DIRECTORY]
#
# Makes (once) a root of Debian unstable with debootstrap, puts the newest CPythons, their
# headers and the newest Devel::NYTProf into it, copies this checkout there and runs the
# quick set of the tests on each of them. By hand only: it takes root, some 700 MB of disk
# and several minutes. DIRECTORY defaults to /var/tmp/pynytprof-sid.
set -eu

root=${1:-/var/tmp/pynytprof-sid}
mirror=${MIRROR:-}      # empty: the one that debootstrap takes by itself
pythons=${PYTHONS:-3.13 3.14 3.15}

say() { printf '== %s\n' "$*"; }
inside() { chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 "$@"; }

[ "$(id -u)" -eq 0 ] || { echo 'sid-root.sh: needs root for debootstrap and chroot' >&2; exit 1; }
command -v debootstrap >/dev/null || { echo 'sid-root.sh: needs the Debian package debootstrap' >&2; exit 1; }

make_root() {
    say "debootstrap sid in $root"
    # shellcheck disable=SC2086  # nothing, if there is none
    debootstrap --variant=minbase --include=ca-certificates sid "$root" $mirror
}

install_packages() {
    say "packages: CPython $pythons, Devel::NYTProf, a compiler"
    cp /etc/resolv.conf "$root/etc/resolv.conf"
    # A mirror that lags behind has an expired Release file; its signature is checked all the same.
    printf 'Acquire::Check-Valid-Until "false";\n' >"$root/etc/apt/apt.conf.d/90lagging-mirror"
    inside apt-get -q update
    packages='git gcc libc6-dev pkgconf python3 python3-dev python3-venv zlib1g-dev libcmocka-dev libdevel-nytprof-perl'
    for version in $pythons; do
        packages="$packages python$version python$version-dev python$version-venv"
    done
    # shellcheck disable=SC2086  # a list
    inside env DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends install $packages
}

# The root trusts the certificates that this machine trusts.
copy_certificates() {
    cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt"
}

copy_checkout() {
    say 'the checkout'
    rm -rf "$root/src/pynytprof"
    mkdir -p "$root/src/pynytprof"
    git ls-files -z | tar -c --null -T - -f - | tar -x -C "$root/src/pynytprof" -f -
}

run_tests() {
    # shellcheck disable=SC2086  # a list
    inside sh -c "cd /src/pynytprof && sh test.sh --quick --only '$pythons'"
}

cd "$(dirname "$0")/.."
[ -x "$root/usr/bin/env" ] || make_root
install_packages
copy_certificates
mkdir -p "$root/proc" "$root/dev" "$root/sys"
[ -e "$root/proc/self" ] || mount -t proc proc "$root/proc"
[ -e "$root/sys/devices" ] || mount -t sysfs sysfs "$root/sys"       # which clock may be trusted
trap 'umount "$root/proc" "$root/sys" 2>/dev/null || :' EXIT
copy_checkout
run_tests
