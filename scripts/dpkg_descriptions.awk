# Debian's package database (/var/lib/dpkg/status, or a Packages file) as JSON lines:
#   {"id": package, "document": long description, "summary": one-line synopsis}
# The long description becomes one line: paragraphs and list items joined by spaces. Left out are
# packages whose description is short and those that repeat another's word for word.
#
#   awk -f dpkg_descriptions.awk /var/lib/dpkg/status

BEGIN {
  SHORTEST = 60  # bytes; less is hardly longer than its summary
  for (i = 1; i < 32; i++) CONTROL[sprintf("%c", i)] = 1
}

function json(text,    i, c, result) {
  gsub(/\\/, "\\\\", text)
  gsub(/"/, "\\\"", text)
  if (text !~ /[\001-\037]/) return "\"" text "\""
  for (i = 1; i <= length(text); i++) {
    c = substr(text, i, 1)
    result = result (c in CONTROL ? " " : c)
  }
  return "\"" result "\""
}

function finish() {
  if (installed && length(document) >= SHORTEST && synopsis != "" && !(document in seen)) {
    seen[document] = 1
    printf "{\"id\": %s, \"document\": %s, \"summary\": %s}\n", json(name), json(document), json(synopsis)
  }
  name = synopsis = document = ""
  installed = 1
  inside = 0
}

BEGIN { finish() }
/^$/ { finish(); next }
/^ / {
  if (!inside || $0 == " .") next
  gsub(/[ \t]+/, " ")
  document = document (document == "" ? "" : " ") substr($0, 2)
  next
}
{ inside = 0 }
/^Package: / { name = substr($0, 10) }
/^Status: / { installed = $NF == "installed" }
/^Description: / { synopsis = substr($0, 14); inside = 1 }
END { finish() }
