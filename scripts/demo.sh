#!/usr/bin/env bash
# demo.sh [KOBOLT]: the main job on real input. Searches for the best setting of the example
# checkpoint on the descriptions of the packages that are installed here, and shows what came out
# and what it cost. Needs nothing but the program, awk and coreutils.
set -euo pipefail
kobolt=$(realpath "${1:-build/kobolt}")
cd "$(dirname "${BASH_SOURCE[0]}")/.."
model=examples/deb-bart
documents=400
minutes=2
shown=6

out=build/demo
best=$out/best
data=$out/packages.jsonl
mkdir -p "$out"

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }

# Lines of a file at equal distances, the same ones every time.
sample() {
  awk -v total="$(wc -l <"$1")" -v wanted="$documents" '
    BEGIN { if (wanted > total) wanted = total }
    int(NR * wanted / total) > int((NR - 1) * wanted / total)' "$1"
}

# A search goes on where it was, as long as its documents and the program are the same.
[[ $best/trials.sqlite -nt $kobolt ]] || rm -rf "$best"
if [[ -r /var/lib/dpkg/status ]]; then
  awk -f scripts/dpkg_descriptions.awk /var/lib/dpkg/status >"$out/all.jsonl"
  sample "$out/all.jsonl" >"$out/new.jsonl"
fi
if [[ -s $out/new.jsonl ]]; then
  cmp -s "$out/new.jsonl" "$data" || rm -rf "$best"
  mv "$out/new.jsonl" "$data"
  say "Input: descriptions of $(wc -l <"$data") packages installed on this machine (/var/lib/dpkg/status)"
  echo "The references are the maintainers' own one-line synopses. The model saw most of these"
  echo "packages in training, so the scores say what a setting keeps of fp32, not how well it would"
  echo "do on texts that it has never seen."
else
  data=examples/descriptions.jsonl
  say "Input: $data, as there is no package database here"
fi

say "The fastest setting that keeps 99 % of fp32's ROUGE: about $minutes minutes"
"$kobolt" optimize "$model" --data "$data" --keep 99% --minutes "$minutes" -o "$best" |
  tee "$out/table.txt"

say "Some of the summaries of the chosen engine, above the maintainer's own line"
head -n "$shown" "$data" >"$out/shown.jsonl"
"$kobolt" run "$best/model.kobolt" "$out/shown.jsonl" --config "$best/settings.yaml" >"$out/shown.txt"
awk -v summaries="$out/shown.txt" '
  {
    getline summary < summaries
    reference = $0
    sub(/.*"summary": "/, "", reference)
    sub(/"}$/, "", reference)
    gsub(/\\"/, "\"", reference)
    id = $0
    sub(/^{"id": "/, "", id)
    sub(/".*/, "", id)
    printf "%s\n  kobolt      %s\n  maintainer  %s\n", id, summary, reference
  }' "$out/shown.jsonl"

say "What is left of it"
echo "$best: model.kobolt, report.html (open it in a browser), settings.yaml and trials.sqlite."
echo "Try: echo 'This package copies files.' | $kobolt run $best/model.kobolt"
