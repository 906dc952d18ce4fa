#!/bin/sh
# Stands in git's place on PATH. The file `plan` beside it says: REAL-GIT SUBCOMMAND before|after WHAT, and WHAT is
# process, group or orphan: the caller is killed; zombie: it and its git are stopped, until somebody lets them go on;
# hang: git never answers. Every other call is only git.
here=${0%/*}
read -r real point moment victim < "$here/plan"
case " $* " in
*" $point "*) ;;
*) exec "$real" "$@" ;;
esac
if [ "$victim" = orphan ]; then
    exec setpriv --pdeathsig clear "$here/orphan" "$real" "$moment" "$@"
fi
if [ "$victim" = hang ]; then
    exec sleep 600
fi
if [ "$moment" = after ]; then
    "$real" "$@"
    status=$?
fi
if [ "$victim" = zombie ]; then
    kill -STOP "$PPID"
    kill -STOP $$
    [ "$moment" = before ] || exit "$status"
    exec "$real" "$@"
fi
if [ "$victim" = group ]; then
    kill -9 0
fi
kill -9 "$PPID"
exec "$real" "$@"
