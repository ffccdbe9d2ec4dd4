#!/bin/sh
# Starts Redis, after mending the end of its append-only log: redis.sh DIRECTORY SERVER ARGUMENT...
# A kill may tear that end amid a transaction. Redis cuts off the command that is torn and keeps
# those before it, and its next start runs half a transaction and half of the one that follows:
# https://github.com/valkey-io/valkey/pull/4342. Its checker cuts off the whole transaction.
set -eu
directory=$1
server=$(command -v "$2")
shift

log=$directory/appendonlydir/appendonly.aof.manifest
[ -e "$log" ] || log=$directory/appendonly.aof
name=${server##*/}
checker=$directory/${name%server}check-aof  # what the server is, if it is called so

if [ -s "$log" ]; then
  ln -sf "$server" "$checker"
  if ! said=$("$checker" "$log" 2>&1); then
    echo "$said"
    case $said in
      # Other damage is not ours to cut off: Redis refuses to start, and says why.
      *'Reached EOF'* | *'Expected to read'* | *'Expected \r\n'*) echo y | "$checker" --fix "$log" ;;
    esac
  fi
fi
exec "$@"
