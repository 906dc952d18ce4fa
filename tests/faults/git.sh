#!/bin/sh
# Stands in git's place on PATH. The file `plan` beside it says: REAL-GIT SUBCOMMAND before|after process|group|orphan.
# When that subcommand comes by, its caller is killed; every other call is only git.
here=${0%/*}
read -r real point moment victim < "$here/plan"
case " $* " in
*" $point "*) ;;
*) exec "$real" "$@" ;;
esac
if [ "$victim" = orphan ]; then
    exec setpriv --pdeathsig clear "$here/orphan" "$real" "$moment" "$@"
fi
if [ "$moment" = after ]; then
    "$real" "$@"
fi
if [ "$victim" = group ]; then
    kill -9 0
fi
kill -9 "$PPID"
exec "$real" "$@"
