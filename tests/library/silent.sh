#!/usr/bin/env bash
# silent.sh NM LIBRARY.a: fails when our objects refer to anything that prints or ends the process.
#
# Not on the list, because compiled-in templates of the standard library and fmt need them:
# std::terminate (noexcept), fwrite (fmt::detail, reached only by fmt::print, which the list has)
# and vsnprintf (formatting into memory).
set -euo pipefail
forbidden='abort|exit|_exit|quick_exit|stdout|stderr|puts|putchar|printf|fprintf|vprintf|vfprintf'
forbidden+='|perror|__assert_fail|__printf_chk|__fprintf_chk|__vfprintf_chk'
forbidden+='|_ZSt4cout|_ZSt4cerr|_ZSt4clog|_ZN3fmt[^ ]*(6vprint|vprint)[^ ]*'

symbols=$("$1" --undefined-only -A "$2" 2>/dev/null)
# A list that matches nothing would always pass: make sure that nm was understood.
grep -E ' U (malloc|_Znwm)$' <<<"$symbols" >/dev/null
if found=$(grep -E " U ($forbidden)$" <<<"$symbols"); then
  echo "the library must neither print nor end the process, but refers to:"
  echo "$found"
  exit 1
fi
