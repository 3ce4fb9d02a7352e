# A port that is free now, and the one two beside it, which a gateway takes too.
free_port() {
  node -e '
    const net = require("net");
    const listen = (port) => new Promise((done, fail) => {
      const server = net.createServer().once("error", fail).listen(port, "127.0.0.1", () => done(server));
    });
    const look = async (tries) => {
      const first = await listen(0);
      const port = first.address().port;
      const second = await listen(port + 2).catch(() => undefined);
      first.close();
      if (second) second.close();
      if (second || tries === 0) console.log(port);
      else await look(tries - 1);
    };
    look(20);'
}

probe() {
  curl -q --silent --output /dev/null --write-out '%{http_code}' --noproxy '*' --max-time 2 "http://127.0.0.1:$PORT$1" || :
}

# The first probe that anybody may ask decides: 200 is ready; one that is not there or wants a credential leaves it to the next.
is_ready() {
  for path in @ready@; do
    case $(probe "$path") in
      200) return 0 ;;
      4??) ;;
      *) return 1 ;;
    esac
  done
  return 1
}

has_refused() {
  [ -f "$WORK/gateway-end" ] || grep -qF @refusals@ "$WORK/gateway.log"
}

log_tail() {
  say "last lines of its log:"
  tail -n 12 "$WORK/gateway.log" >&2
}

# Starts the gateway and waits until it is ready or has refused. Sets STARTED to up or refused.
start_gateway() {
  case $ENTRY in
    *.mjs | *.js | *.cjs) set -- "$NODE" "$ENTRY" ;;
    *) set -- "$ENTRY" ;;
  esac
  for try in 1 2 3; do
    STARTED=
    PORT=$(free_port)
    rm -f "$WORK/gateway-end"
    : >"$WORK/gateway.log"
    (umask 077 && config >"$WORK/openclaw.json")
    say "starting the gateway on port $PORT"
    gateway "$(command -v node)" "$WORK/keeper.js" "$WORK" "${REPRO_KEEP:+keep}" "$@" &
    GATEWAY=$!
    seconds=0
    while [ "$seconds" -lt "${REPRO_WAIT:-180}" ]; do
      if has_refused; then
        STARTED=refused
        break
      elif is_ready; then
        STARTED=up
        # What answers is somebody else's if ours has ended.
        [ -f "$WORK/gateway-end" ] && STARTED=refused
        break
      fi
      sleep 1
      seconds=$((seconds + 1))
      [ $((seconds % 15)) -ne 0 ] || say "  starting, $seconds s"
    done
    [ "$STARTED" = up ] && return 0
    # Some releases stay for a while after they have refused.
    for _ in 1 2 3; do
      [ -f "$WORK/gateway-end" ] || sleep 1
    done
    stop_gateway
    grep -q -e EADDRINUSE -e 'address already in use' -e 'already listening' "$WORK/gateway.log" || break
    say "the port was taken in the meantime (try $try of 3)"
  done
  [ "$STARTED" = refused ] && return 0
  log_tail
  unsure "the gateway was not ready after $seconds s"
}

stop_gateway() {
  end "$GATEWAY"
  GATEWAY=
}
