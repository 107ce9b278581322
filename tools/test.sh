# npm test: sets everything up, then runs every check and every suite; the last line is the sum over all of them.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
. "$root/tools/setup/setup.sh"

failed() { printf '0 passed, 1 failed\n'; exit 1; }
(setup_ready) || failed
sh "$root/tools/setup/programs.sh" || failed
node=$(setup_node)
PATH=$(dirname "$node"):$root/node_modules/.bin:$PATH
export PATH
cd "$root"
exec "$node" tools/suites/run.ts all "$@"
