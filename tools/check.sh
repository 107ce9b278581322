# npm run check: build, lint, format, types, house, spec, docs and unit tests; no program beside Node is needed.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
. "$root/tools/setup/setup.sh"

setup_is_installed && setup_node >/dev/null || (setup_ready)
node=$(setup_node)
PATH=$(dirname "$node"):$root/node_modules/.bin:$PATH
export PATH
cd "$root"
exec "$node" tools/suites/run.ts check "$@"
