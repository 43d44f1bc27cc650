# shellcheck shell=bash
# The Debian that machines for tests are made of. Sourced after common.sh.

readonly PLACE=$ROOT/.build/system
readonly PACKAGES=systemd,systemd-sysv,dbus,procps,nodejs,curl,libpam-systemd
BASE=$PLACE/base-$(cksum <<<"$PACKAGES" | cut -d ' ' -f 1).tar
readonly BASE

# make_base: Debian with what the tests and the package need. A minute, and kept.
make_base() {
    [[ -s $BASE ]] && return
    mkdir -p "$PLACE"
    logged system-base "Debian for the machine" \
        mmdebstrap --format=tar --variant=minbase --include="$PACKAGES" "$(codename)" "$BASE.new"
    mv "$BASE.new" "$BASE"
}

codename() {
    sed -n 's/^VERSION_CODENAME=//p' /etc/os-release
}
