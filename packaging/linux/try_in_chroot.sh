#!/usr/bin/env bash
# Tries the Debian package as a machine without anything would: in a clean Debian in a folder, as root on this machine.
# Installs it with nothing but what it depends on, starts the window on a screen of its own and looks at it, signs a letter
# of the demonstration with the installed program, upgrades it, removes it, and looks for leftovers. The demonstration's
# services (document server, TSA, OCSP) run from the checkout on this machine. Packages come from where this machine's apt
# gets them. Everything lies in one folder, which is removed at the end.
set -euo pipefail

root=$(cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/../.." && pwd -P)
python=${PYTHON:-$root/.venv/bin/python}
program=$root/dist/signer
given='' work='' keep='' suite='' shots=$root/dist/screens

usage() {
    cat <<'TEXT'
Usage: packaging/linux/try_in_chroot.sh [OPTION…]     (as root)

  --program DIR   the frozen program, as ./run package leaves it (dist/signer), of which a package is made
  --package FILE  a package that is there already
  --suite NAME    the release to try it in (this machine's)
  --work DIR      where the clean system is made; an empty or new folder (a temporary one)
  --shots DIR     where the pictures of the window go (dist/screens)
  --keep          leave the folder as it is at the end, without mounts
TEXT
}

while [ $# -gt 0 ]; do
    case $1 in
    --program) program=$(readlink -f -- "$2") && shift 2 ;;
    --package) given=$(readlink -f -- "$2") && shift 2 ;;
    --suite) suite=$2 && shift 2 ;;
    --work) work=$2 && shift 2 ;;
    --shots) shots=$2 && shift 2 ;;
    --keep) keep=yes && shift ;;
    --help) usage && exit ;;
    *) usage >&2 && exit 2 ;;
    esac
done

say() { printf '\n== %s\n' "$*"; }
die() {
    printf 'FAILED: %s\n' "$*" >&2
    exit 1
}

[ "$(id -u)" = 0 ] || die "this has to be run as root"
for tool in debootstrap Xvfb xdotool openbox; do
    command -v "$tool" >/dev/null || die "$tool is missing on this machine"
done
[ -n "$given" ] || [ -x "$program/signer" ] || die "no program in $program: ./run package makes it"
[ -n "$suite" ] || suite=$(. /etc/os-release && printf '%s' "$VERSION_CODENAME")
mirror=$(apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' |
    awk -v suite="$suite" '$2 == suite && $3 == "main" && !seen++ {print $1}')
[ -n "$mirror" ] || die "this machine's apt knows no $suite"

if [ -n "$work" ]; then mkdir -p "$work"; else work=$(mktemp -d /var/tmp/signer-try-XXXXXX); fi
work=$(readlink -f -- "$work")
clean=$work/system demo=$work/demo
mkdir -p "$clean" "$demo" "$shots"
# The clerk of the clean system has to get through to the demonstration.
chmod 755 "$work"

pids=()
tidy() {
    local status=$? pid
    for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
    for pid in "${pids[@]}"; do wait "$pid" 2>/dev/null || true; done
    # Whatever still runs in there would keep it busy.
    for pid in /proc/[0-9]*; do
        case $(readlink "$pid/root" 2>/dev/null) in "$clean"*) kill -9 "${pid#/proc/}" 2>/dev/null || true ;; esac
    done
    awk -v under="$clean/" 'index($2, under) == 1 {print $2}' /proc/mounts | sort -r | while read -r place; do
        umount "$place" 2>/dev/null || umount -l "$place"
    done
    if [ -z "$keep" ] && ! grep -qF " $clean/" /proc/mounts; then rm -rf --one-file-system -- "$work"; fi
    exit "$status"
}
trap tidy EXIT
trap 'exit 130' INT TERM

inside() { chroot "$clean" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive "$@"; }
# As the clerk, who has set nothing.
clerk() {
    chroot --userspec=clerk:clerk "$clean" /usr/bin/env -i PATH=/usr/bin:/bin LC_ALL=C.UTF-8 HOME="$home" \
        XDG_RUNTIME_DIR="$home" DISPLAY="${DISPLAY:-}" "$@"
}
listing() {
    # What apt and dpkg write down for themselves is no leftover.
    (cd "$clean" && find . -xdev \( -path ./proc -o -path ./dev -o -path ./var/lib/dpkg -o -path ./var/lib/apt -o -path ./var/cache/apt \
        -o -path ./var/cache/debconf -o -path ./var/log -o -path ./tmp -o -path ".$home" -o -path ".$demo" \) -prune -o -print | sort)
}

say "A clean $suite"
debootstrap --variant=minbase --include=ca-certificates "$suite" "$clean" "$mirror" >"$work/debootstrap.log" 2>&1 ||
    { tail -n 20 "$work/debootstrap.log" >&2 && die "debootstrap"; }
mount -t proc proc "$clean/proc"
mount --bind /dev "$clean/dev"
mkdir -p "$clean$demo"
mount --bind "$demo" "$clean$demo"
apt-config dump | grep -E '^Acquire::(http|https)::[Pp]roxy ' >"$clean/etc/apt/apt.conf.d/10proxy" || true
cp /etc/resolv.conf "$clean/etc/resolv.conf"
inside apt-get -qq update
inside useradd --create-home --shell /bin/sh clerk
home=$(inside getent passwd clerk | cut -d: -f6)
listing >"$work/before"

say "Two packages of the same program"
package=$given
[ -n "$package" ] || package=$(PYTHONPATH=$root/packaging "$python" -P -m signer_packaging.deb "$program" "$work/packages")
newer=$work/packages/signer_next.deb
mkdir -p "$work/packages"
version=$(dpkg-deb --field "$package" Version)
dpkg-deb --raw-extract "$package" "$work/next"
sed -i "s/^Version: .*/Version: $version+next/" "$work/next/DEBIAN/control"
dpkg-deb --root-owner-group -Zgzip -z1 --build "$work/next" "$newer" >/dev/null
rm -rf "$work/next"
dpkg-deb --info "$package"
mkdir "$clean/packages"
cp "$package" "$newer" "$clean/packages/"

say "Installed with nothing but what it depends on"
inside apt-get -qq install -y --no-install-recommends "/packages/${package##*/}" >"$work/install.log" 2>&1 ||
    { tail -n 20 "$work/install.log" >&2 && die "apt-get install"; }
inside dpkg --verify signer
du -sm "$clean/usr/lib/signer"
missing=$(inside sh -c 'find /usr/lib/signer -type f \( -name "*.so*" -o -name "signer*" \) -exec env LD_LIBRARY_PATH=/usr/lib/signer/_internal ldd {} + 2>/dev/null' |
    grep 'not found' | sort -u || true)
[ -z "$missing" ] || die "libraries that nobody brings: $missing"
clerk signer --help | head -n 3
clerk signer --json tokens && die "a token was found where there is none" || [ $? = 3 ] || die "signer tokens"

say "The window, on a machine without a token"
"$python" -c '
import pathlib, sys
sys.path.insert(0, sys.argv[1])
from tests.support.screen import screen
with screen() as shown:
    print(shown.display, flush=True)
    sys.stdin.read()
' "$root" < <(sleep infinity) >"$work/display" &
pids+=($!)
for _ in $(seq 200); do [ ! -s "$work/display" ] || break && sleep 0.1; done
DISPLAY=$(cat "$work/display")
export DISPLAY
[ -n "$DISPLAY" ] || die "no screen"

window_of() { xdotool search --onlyvisible --class signer 2>/dev/null | tail -n 1; }
wait_for_window() {
    local _
    for _ in $(seq 600); do
        [ -z "$(window_of)" ] || return 0
        kill -0 "$1" 2>/dev/null || return 1
        sleep 0.1
    done
    return 1
}
picture() { "$python" -c 'import sys; from PIL import ImageGrab; ImageGrab.grab(xdisplay=sys.argv[1]).save(sys.argv[2])' "$DISPLAY" "$shots/$1.png"; }
start_window() {
    clerk signer-gui "$@" >"$work/window.log" 2>&1 &
    window=$!
    pids+=("$window")
    wait_for_window "$window" || { cat "$work/window.log" >&2 && die "the window didn't come"; }
    # Time for what comes after the first paint; nothing depends on it but the picture.
    sleep 15
    kill -0 "$window" || die "the window went away"
}
close_window() {
    xdotool key alt+F4
    local _
    for _ in $(seq 300); do kill -0 "$window" 2>/dev/null || break && sleep 0.1; done
    ! kill -0 "$window" 2>/dev/null || die "the window doesn't close"
}

start_window
picture first-start
xdotool getwindowname "$(window_of)"
close_window
[ ! -s "$work/window.log" ] || { cat "$work/window.log" >&2 && die "the window had something to complain of"; }

say "With what is recommended: a software token"
inside apt-get -qq install -y --no-install-recommends softhsm2 >>"$work/install.log" 2>&1

say "The demonstration's services, from the checkout"
env -u DISPLAY "$python" -P -m signer_app --data-dir "$demo/data" demo --serve >"$work/serve" 2>"$work/serve.err" &
pids+=($!)
for _ in $(seq 3000); do
    ! grep -q ready "$work/serve" || break
    kill -0 "${pids[-1]}" 2>/dev/null || { cat "$work/serve.err" >&2 && die "demo --serve"; }
    sleep 0.1
done
chown -R "$(stat -c %u:%g "$clean$home")" "$demo"
fact() { "$python" -c 'import json, sys; print(json.load(open(sys.argv[1]))[sys.argv[2]])' "$demo/data/demo.json" "$1"; }
pin=$(fact pin) agency=$(fact agency_cert) letters=$(fact samples_dir)

say "A letter signed, checked and sent by the installed program"
clerk signer --data-dir "$demo/data" --json tokens >"$work/tokens.json" ||
    { cat "$work/tokens.json" "$work/serve.err" >&2 && die "signer tokens"; }
printf '%s\n' "$pin" | clerk signer --data-dir "$demo/data" --json sign "$letters/quyet-dinh.pdf" --profile agency --cert "$agency" \
    --number 1/QĐ-UBND --date 2026-11-20 --to H77,H77.02 --out "$demo/signed" --pin-stdin >"$work/sign.json" ||
    { cat "$work/sign.json" >&2 && die "signer sign"; }
cat "$work/sign.json"
clerk signer --data-dir "$demo/data" --json verify "$demo/signed/quyet-dinh.signed.pdf" >"$work/verify.json" || die "signer verify"
grep -o '"verdict": *"[a-z]*"' "$work/verify.json" | sort | uniq -c
clerk signer --data-dir "$demo/data" --json sync --once || die "signer sync"
clerk signer --data-dir "$demo/data" --json journal --verify >/dev/null || die "signer journal"
clerk signer --data-dir "$demo/data" --json doctor >"$work/doctor.json" || true
grep -o '"state": *"bad"' "$work/doctor.json" && cat "$work/doctor.json" || true

say "The window with PDF files, as 'Ký số…' opens them; a second one hands its file over"
start_window --data-dir "$demo/data" "$letters/cong-van.pdf" "$letters/ke-hoach.pdf"
picture documents
clerk signer-gui --data-dir "$demo/data" "$letters/giay-moi.pdf" || die "handing over"
sleep 5
picture handed-over
close_window

say "Upgraded in place"
inside apt-get -qq install -y --no-install-recommends "/packages/${newer##*/}" >>"$work/install.log" 2>&1 || die "upgrade"
inside dpkg-query -W -f '${Package} ${Version} ${Status}\n' signer
inside dpkg --verify signer
clerk signer --data-dir "$demo/data" --json tokens | cmp - "$work/tokens.json" || die "the upgraded program sees another token"
clerk signer --data-dir "$demo/data" --json verify "$demo/signed/quyet-dinh.signed.pdf" >/dev/null || die "verify after the upgrade"

say "Removed"
inside apt-get -qq purge -y signer >>"$work/install.log" 2>&1 || die "purge"
! inside sh -c 'dpkg-query -W signer' 2>/dev/null || die "dpkg still knows it"
[ -s "$demo/data/signer.sqlite" ] || die "the clerk's documents are gone"
inside apt-get -qq autoremove -y --purge softhsm2 >>"$work/install.log" 2>&1
rm -rf "$clean/packages"
listing >"$work/after"
# What other packages still own is theirs.
cat "$clean"/var/lib/dpkg/info/*.list | sed 's/^/./' | sort -u >"$work/owned"
leftovers=$(comm -13 "$work/before" "$work/after" | comm -23 - "$work/owned")
case $leftovers in '' | ./run/adduser) ;; *) die "left behind: $leftovers" ;; esac
say "All went well. Pictures of the window: $shots"
