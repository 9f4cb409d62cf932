# How one private server is steered: lines in, lines out. Sourced by the servers' scripts beside it, which say
# how their server is prepared, started, killed and emptied; this file knows no server.
#
#   line in            line out
#   (at the start)     ready NAME=VALUE …       what the caller needs to connect
#   kill               done                     kill -9, no farewell
#   start              done                     the same directory and ports again
#   empty              done                     killed, all it stored deleted, still down
#   control ARGUMENT…  done                     the server's own control program (rabbitmqctl)
#   (end of input)                              stopped and its directory removed: also when the caller dies
#
# Anything that goes wrong is answered `failed`, followed by what the server said, and ends the server.

set -euo pipefail

# As root the directory must be reachable by the user the server runs as, so a private TMPDIR is not used.
if [ "$(id -u)" = 0 ]; then unset TMPDIR; fi
directory=$(mktemp -d "${TMPDIR:-/tmp}/zhida-test.XXXXXX")
chmod 711 "$directory"
log="$directory/log"
: >"$log"

# A port on which nobody listens, below the range from which the kernel serves outgoing connections: a server that
# was killed finds its port free again.
free_port() {
    local port
    while :; do
        port=$((20000 + SRANDOM % 12000))
        (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || break
    done
    echo "$port"
}

random_secret() { od -An -N16 -tx1 /dev/urandom | tr -d ' \n'; }

# Polls a condition ten times a second until it holds; fails when process $1 has ended, or after three
# minutes: a build may be running beside it.
wait_until() {
    local pid=$1 tries
    shift
    for ((tries = 0; tries < 1800; tries++)); do
        if "$@"; then return 0; fi
        kill -0 "$pid" 2>/dev/null || return 1
        sleep 0.1
    done
    return 1
}

# Process $1 and everything it started that is still its descendant.
family() {
    local children="" child
    echo "$1"
    { read -r children <"/proc/$1/task/$1/children"; } 2>/dev/null || true
    for child in $children; do family "$child"; done
}

# Whether a process is dead, reaped or not: a container without an init may leave orphans unreaped for ever.
is_dead() {
    local stat
    { read -r stat <"/proc/$1/stat"; } 2>/dev/null || return 0
    case "${stat##*) }" in Z* | X*) return 0 ;; *) return 1 ;; esac
}

# kill -9 for a process we started and its family; waits until all of them are gone.
kill_family() {
    local pid=$1 members member
    members=$(family "$pid")
    for member in $members; do kill -9 "$member" 2>/dev/null || true; done
    wait "$pid" 2>/dev/null || true
    for member in $members; do
        until is_dead "$member"; do sleep 0.02; done
    done
}

failed() {
    echo failed
    tail -n 40 "$log"
    exit 1
}

finish() {
    trap '' INT TERM HUP PIPE
    stop_for_good || true
    rm -rf "$directory"
}

# Ctrl-C reaches the whole process group; the server must outlive the tests that are still using it, so only TERM
# and the end of input count.
serve() {
    trap finish EXIT
    trap '' INT
    trap 'exit 143' TERM HUP PIPE
    local attempt
    for attempt in 1 2 3; do # another process may have taken one of the free ports in between
        prepare >>"$log" 2>&1 || failed
        if start >>"$log" 2>&1; then break; fi
        stop_for_good
        if [ "$attempt" = 3 ]; then failed; fi
    done
    echo "ready $(greeting)"
    local verb rest words
    while read -r verb rest; do
        case "$verb" in
        kill) kill_server ;;
        start) start ;;
        empty) kill_server && empty ;;
        # The arguments are words without quoting: names of queues, numbers, an Erlang term without blanks.
        control)
            read -ra words <<<"$rest"
            control "${words[@]}"
            ;;
        *) false ;;
        esac >>"$log" 2>&1 || failed
        echo done
    done
}
