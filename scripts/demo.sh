#!/usr/bin/env bash
# demo.sh KOBOLT: the main job on real input. Compiles the example checkpoint to fp32 and int8,
# summarises the descriptions of the packages that are installed here, and shows what came out and
# what it cost. Needs nothing but the program, awk and coreutils.
set -euo pipefail
kobolt=$(realpath "${1:-build/kobolt}")
cd "$(dirname "${BASH_SOURCE[0]}")/.."
model=examples/deb-bart
documents=200
shown=6

out=build/demo
mkdir -p "$out"
data=$out/packages.jsonl

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }

# Lines of a file at equal distances, the same ones every time.
sample() {
  awk -v total="$(wc -l <"$1")" -v wanted="$documents" '
    BEGIN { if (wanted > total) wanted = total }
    int(NR * wanted / total) > int((NR - 1) * wanted / total)' "$1"
}

if [[ -r /var/lib/dpkg/status ]]; then
  awk -f scripts/dpkg_descriptions.awk /var/lib/dpkg/status >"$out/all.jsonl"
  sample "$out/all.jsonl" >"$data"
fi
if [[ -s $data ]]; then
  say "Input: descriptions of $(wc -l <"$data") packages installed on this machine (/var/lib/dpkg/status)"
  echo "The references are the maintainers' own one-line synopses. The model saw most of these"
  echo "packages in training, so the scores say what int8 keeps of fp32, not how well it would do"
  echo "on texts that it has never seen."
else
  data=examples/descriptions.jsonl
  say "Input: $data, as there is no package database here"
fi

# A value of a flat JSON object that was printed one member a line.
value() { awk -v key="\"$2\":" '$1 == key { sub(/,$/, "", $2); print $2; exit }' "$1"; }
megabytes() { awk -v bytes="$1" 'BEGIN { printf "%.1f MB", bytes / 1e6 }'; }

rows=()
for precision in fp32 int8; do
  say "$precision: compile, summarise, score, measure"
  engine=$out/deb-bart-$precision.kobolt
  "$kobolt" compile "$model" -o "$engine" --precision "$precision"
  "$kobolt" eval "$engine" --data "$data" --predictions "$out/$precision.jsonl" --json \
    >"$out/eval-$precision.json"
  # Latency is that of one document alone, as long as the usual description.
  "$kobolt" bench "$engine" --batch 1 --sequence 64 --beams 4 --new-tokens 16 --iterations 30 \
    --warmup 3 --json >"$out/bench-$precision.json"
  rouge=$(awk '
    $1 == "\"rougeL\":" { inside = 1 }
    inside && $1 == "\"f\":" { inside = 2 }
    inside == 2 && $1 == "\"mean\":" { sub(/,$/, "", $2); print $2; exit }' \
    "$out/eval-$precision.json")
  rows+=("$(printf '%-9s  %7.4f  %11.1f  %11.1f ms  %9s  %11s' "$precision" "$rouge" \
    "$(value "$out/eval-$precision.json" documents_per_second)" \
    "$(awk -v s="$(value "$out/bench-$precision.json" p50)" 'BEGIN { print s * 1000 }')" \
    "$(megabytes "$(stat -c %s "$engine")")" \
    "$(megabytes "$(value "$out/eval-$precision.json" peak_memory)")")")
done

say "Some of the summaries (int8), above the maintainer's own line"
head -n "$shown" "$data" >"$out/shown.jsonl"
"$kobolt" run "$out/deb-bart-int8.kobolt" "$out/shown.jsonl" >"$out/shown.txt"
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

say "What it cost"
printf '%-9s  %7s  %11s  %14s  %9s  %11s\n' precision ROUGE-L documents/s "latency (p50)" file "peak memory"
printf '%s\n' "${rows[@]}"
echo
echo "documents/s: all documents with beam 4. Latency: one document of 64 tokens, 16 tokens out,"
echo "beam 4. Engines and predictions are in $out. Try: $kobolt run $out/deb-bart-int8.kobolt"
