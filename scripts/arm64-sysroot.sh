#!/usr/bin/env bash
# Usage: scripts/arm64-sysroot.sh FOLDER
#
# Fills FOLDER with Debian's arm64 libraries and headers that Kobolt is built with, and what they
# depend on. As packages they cannot be installed beside the machine's own: libsentencepiece-dev and
# libyaml-cpp-dev exist for one architecture at a time. Here apt resolves and fetches them with a
# state of its own, so that neither root nor any change to the system is needed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

sysroot=$(realpath -m "$1")
state=$sysroot.apt
lists=cmake/debian-packages.txt
stamp=$sysroot/complete
wanted=$(sed '/^#/d' "$lists" | grep -E '^(lib|nlohmann)')
[[ -f $stamp && $(<"$stamp") == "$wanted" ]] && exit 0

rm -rf "$sysroot" "$state"
mkdir -p "$sysroot" "$state"/{lists,cache/archives}
: >"$state/status"
apt=(apt-get -q -o APT::Architecture=arm64 -o APT::Architectures=arm64 -o "Dir::State=$state"
  -o "Dir::State::status=$state/status" -o "Dir::Cache=$state/cache" -o APT::Sandbox::User=
  -o APT::Install-Recommends=false)
"${apt[@]}" update
# shellcheck disable=SC2086  # one word a package
"${apt[@]}" install --yes --download-only libc6-dev libstdc++-12-dev $wanted
for package in "$state"/cache/archives/*.deb; do dpkg-deb --extract "$package" "$sysroot"; done
# Links to /lib/... mean the system that the packages are for.
find "$sysroot" -type l -lname '/*' -printf '%l\t%p\n' | while IFS=$'\t' read -r target link; do
  ln -sfnr "$sysroot$target" "$link"
done
# Where the programs look for their loader, if packages keep everything under usr/.
[[ -e $sysroot/lib ]] || ln -s usr/lib "$sysroot/lib"
printf '%s' "$wanted" >"$stamp"
rm -rf "$state"
