#!/usr/bin/env bash
# What `make test-data` needs from the system, and nothing else names: installs what is missing, with apt-get.
# Everything else comes by itself: Python packages, Keycloak (Maven), Redis (a wheel), checkers (Go modules).
set -euo pipefail

missing=()
# Is one of these files there? Else the package that has it is missing.
needs() { # package, files
  local package=$1 file
  shift
  for file in "$@"; do
    if [ -r "$file" ]; then return; fi
  done
  missing+=("$package")
}

shopt -s nullglob
needs postgresql /usr/lib/postgresql/*/bin/initdb "$(command -v initdb || true)" # a database for Keycloak
needs default-jre-headless "$(command -v java || true)"                          # runs Keycloak; 17 or newer
needs maven "$(command -v mvn || true)"                                          # downloads Keycloak
needs chromium "$(command -v chromium || command -v google-chrome || true)"      # looks at the pages
needs poppler-utils "$(command -v pdftotext || true)"                            # reads what is printed
needs gcc "$(command -v gcc || true)"                                            # builds Alloy, which has C in it
needs libc6-dev /usr/include/stdio.h

if [ ${#missing[@]} -eq 0 ]; then exit 0; fi
as_root=()
if [ "$(id -u)" -ne 0 ]; then as_root=(sudo -n); fi
if ! command -v apt-get > /dev/null || ! "${as_root[@]}" true 2> /dev/null; then
  echo "error: make test-data needs these Debian packages, or what your system has in their place: ${missing[*]}." >&2
  echo "Only root may install them, with apt-get: install them yourself, then run it again." >&2
  exit 1
fi
echo "installing ${missing[*]} (apt-get)"
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" > /dev/null
