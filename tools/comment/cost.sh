#!/usr/bin/env bash
# cost.sh STACK BASE: writes what a change does to a stack's cost, as Markdown, to standard output.
# BASE is a commit; where it lacks the stack, the whole report is written. Ends with 2 where the stack
# is over its budgetPerMonth and with 3 where a price is missing: the comment is written all the same.
set -uo pipefail
stack=$1 base=$2
root=$(cd "$(dirname "$0")/../.." && pwd)
scratch=$(mktemp -d)
trap 'git -C "$root" worktree remove --force "$scratch/base" >/dev/null 2>&1; rm -rf "$scratch"' EXIT

# breakeven FOLDER ARGUMENTS: the command of a checkout, with the packages of this one.
breakeven() {
    (cd "$1" && export PYTHONPATH="$1/components" && shift &&
        "$root/.venv/bin/python" -c "from breakeven.cli.start import main; main()" "$@")
}

# First, so that a comment of an earlier run is found and changed in place of a second one.
echo "<!-- breakeven cost of stack $stack -->"
git -C "$root" worktree add --quiet --detach "$scratch/base" "$base" >&2 || exit 1
breakeven "$scratch/base" report "$stack" --format json --output "$scratch/base.json" >/dev/null 2>&1
if [ -s "$scratch/base.json" ]; then
    breakeven "$root" diff "$stack" --against "$scratch/base.json" --format markdown |
        sed "s#$scratch/base.json#the base#g"
else
    breakeven "$root" report "$stack" --format markdown
fi
