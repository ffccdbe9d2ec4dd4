#!/bin/sh
# Repairs the end of Redis's append-only log, then starts Redis:
#   redis.sh DIRECTORY SERVER ARGUMENT...
# A kill may tear the log in the middle of a transaction. Redis itself truncates only the torn
# command and keeps those before it; its next start then runs half a transaction, joined with half
# of the one that follows: https://github.com/valkey-io/valkey/pull/4342.
# Its checker truncates the whole transaction.
set -eu
directory=$1
server=$(command -v "$2")
shift

log=$directory/appendonlydir/appendonly.aof.manifest
[ -e "$log" ] || log=$directory/appendonly.aof
name=${server##*/}
checker=$directory/${name%server}check-aof  # a Redis server acts as the checker when it is started under this name

if [ -s "$log" ]; then
  ln -sf "$server" "$checker"
  if ! said=$("$checker" "$log" 2>&1); then
    echo "$said"
    case $said in
      # Repair only a torn end. With other damage Redis refuses to start, and says why.
      *'Reached EOF'* | *'Expected to read'* | *'Expected \r\n'*) echo y | "$checker" --fix "$log" ;;
    esac
  fi
fi
exec "$@"
