#!/bin/sh
# Serves with tokens, which are made at the first start: those of compose.yaml. They lie in a folder of a volume, each in a
# file that is named after whom it is for. Arguments go to `southbridge serve`.
set -eu
folder=/run/tokens
program=/app/dist/src/cli.js

add() {
  node "$program" token add "$1" --role "$2" --file "$folder/hashes" > "$folder/$1"
}

if ! [ -s "$folder/complete" ]; then
  umask 077
  rm -f "$folder/hashes"
  add load drive
  add operator admin
  add prometheus observe
  # Prometheus runs as a user of its own; no other token is for it.
  chmod 644 "$folder/prometheus"
  date > "$folder/complete"
fi
umask 022
# Signals are for the server.
exec node "$program" serve --token-file "$folder/hashes" "$@"
