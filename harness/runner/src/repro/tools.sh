say() { printf '%s\n' "$*" >&2; }

# Where the contract can neither be said to hold nor to be broken. `git bisect run` skips on 125.
unsure() {
  say "cannot tell: $*"
  exit 125
}

# A release as a number: 2026.3.23-2 was published again after 2026.3.23, betas come before.
rank() {
  core=${1%%-*}
  minor=${core#*.}
  case $1 in
    *-beta.*) stage=${1##*-beta.} ;;
    *-*) stage=$((5000 + ${1#*-})) ;;
    *) stage=5000 ;;
  esac
  echo $((((${core%%.*} * 100 + ${minor%%.*}) * 1000 + ${minor#*.}) * 10000 + stage))
}

# Whether the release is this one or a later one, and before that one; either may be empty.
within() {
  [ -z "$1" ] || [ "$(rank "$VERSION")" -ge "$(rank "$1")" ] || return 1
  [ -z "$2" ] || [ "$(rank "$VERSION")" -lt "$(rank "$2")" ]
}

is_version() {
  printf '%s\n' "$1" | grep -Eq '^20[0-9]{2}\.[0-9]{1,2}\.[0-9]{1,3}(-[0-9]{1,3}|-beta\.[0-9]{1,3})?$'
}

# Letters of both cases and digits, so that a change of case shows.
random_secret() {
  printf 'cG-%s' "$(LC_ALL=C tr -dc 'A-Za-z2-9' </dev/urandom | head -c 36)"
}

random_canary() {
  printf 'canary-%s' "$(LC_ALL=C tr -dc '0-9a-f' </dev/urandom | head -c 16)"
}

# Ends a job of ours and waits for it.
end() {
  [ -n "$1" ] || return 0
  kill "$1" 2>/dev/null
  wait "$1" 2>/dev/null
}

cleanup() {
  code=$?
  trap '' INT TERM HUP
  end "$JOB"
  end "$GATEWAY"
  end "$MODEL"
  if [ -n "${REPRO_KEEP:-}" ]; then
    say "kept: $WORK"
  elif [ -n "$WORK" ]; then
    rm -rf "$WORK"
  fi
  exit "$code"
}

# Runs a command so that a signal is heard while it runs; says every now and then that it still does, if told what it is.
run() {
  what=$1
  shift
  "$@" &
  JOB=$!
  seconds=0
  while [ -n "$what" ] && kill -0 "$JOB" 2>/dev/null; do
    sleep 1
    seconds=$((seconds + 1))
    [ $((seconds % 15)) -ne 0 ] || say "  $what, $seconds s"
  done
  wait "$JOB"
  status=$?
  JOB=
  return "$status"
}
