#!/bin/sh
# health.sh alive: the server answers, or is still loading its data, which a restart would only begin anew.
# health.sh ready: the server answers and takes commands.
answer=$(redis-cli -p 6379 ping 2>&1)
case "$1 $answer" in
  *" PONG") exit 0 ;;
  "alive LOADING"*) exit 0 ;;
esac
echo "redis answered: $answer" >&2
exit 1
