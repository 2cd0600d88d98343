#!/usr/bin/env bash
# installed.sh CMAKE BUILD EXAMPLES shared|static CXX SANITIZERS: installs, builds the example
# against the installed package, runs it.
set -euo pipefail
cmake=$1 build=$2 examples=$3 kind=$4 compiler=$5 sanitizers=$6
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

"$cmake" --install "$build" --prefix "$folder/prefix" >"$folder/install.log"
static=OFF
if [[ $kind == static ]]; then static=ON; fi
"$cmake" -S "$examples" -B "$folder/build" -G Ninja -DCMAKE_PREFIX_PATH="$folder/prefix" \
  -DCMAKE_CXX_COMPILER="$compiler" -DCMAKE_CXX_FLAGS="${sanitizers:+-fsanitize=$sanitizers}" \
  -DKOBOLT_EXAMPLES_STATIC=$static >"$folder/configure.log"
"$cmake" --build "$folder/build"

# Wrong use and a missing engine end with the status and message that they should.
status=0
"$folder/build/summarize" 2>/dev/null || status=$?
[[ $status == 2 ]] || { echo "without arguments: status $status, expected 2"; exit 1; }
status=0
message=$("$folder/build/summarize" "$folder/missing.kobolt" 2>&1 </dev/null) || status=$?
[[ $status == 1 && $message == *missing.kobolt* ]] || {
  echo "missing engine: status $status, message: $message"
  exit 1
}
if [[ -f $examples/deb-bart/model.safetensors ]]; then
  lines=$(printf 'A tool that copies files between machines over a network.\nA game of cards.\n' |
    "$folder/build/summarize" "$examples/deb-bart" | wc -l)
  [[ $lines == 2 ]] || { echo "two documents gave $lines summaries"; exit 1; }
fi
"$folder/prefix/bin/kobolt" --version
