# Makes sure of the other programs that tests run against: as root on Debian it installs the missing ones, else it says what is missing.
set -eu

packages="ffmpeg openssl chromium rtmpdump gstreamer1.0-tools gstreamer1.0-plugins-base gstreamer1.0-plugins-good
gstreamer1.0-plugins-bad gstreamer1.0-plugins-ugly gstreamer1.0-libav glib-networking mpv obs-studio obs-plugins xvfb nginx libnginx-mod-rtmp caddy gcc libc6-dev nats-server redis-server redis-tools python3-redis"

is_there() {
  if command -v dpkg-query >/dev/null 2>&1; then
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null || true)" = installed ]
    return
  fi
  case $1 in
    gstreamer1.0-tools) command -v gst-launch-1.0 ;;
    gstreamer1.0-*) command -v gst-launch-1.0 ;;
    obs-*) command -v obs ;;
    xvfb) command -v Xvfb ;;
    libnginx-mod-rtmp) command -v nginx ;;
    libc6-dev) command -v cc ;;
    python3-redis) /usr/bin/python3 -c 'import redis' ;;
    *) command -v "$1" ;;
  esac >/dev/null 2>&1
}

missing=""
for package in $packages; do is_there "$package" || missing="$missing $package"; done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null 2>&1; then
  printf 'Tests run against real programs; these Debian packages are missing:\n' >&2
  printf '  %s\n' $missing >&2
  printf 'Install them (as root: apt-get install --no-install-recommends%s) and start again.\n' "$missing" >&2
  exit 1
fi

printf 'Installing for the tests:%s\n' "$missing" >&2
# Packages that bring a service must not start it: the tests start their own, on free ports.
guard=/usr/sbin/policy-rc.d
if [ ! -e "$guard" ]; then
  printf '#!/bin/sh\nexit 101\n' >"$guard"
  chmod +x "$guard"
  trap 'rm -f "$guard"' EXIT
  trap 'exit 1' HUP INT TERM
fi
export DEBIAN_FRONTEND=noninteractive
apt-get -qq -o DPkg::Lock::Timeout=300 update >&2
# shellcheck disable=SC2086
apt-get -qq -y -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 install --no-install-recommends $missing </dev/null >&2
