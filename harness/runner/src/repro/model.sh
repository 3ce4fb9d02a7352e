start_model() {
  : >"$WORK/model-calls"
  node "$WORK/stand-in.js" "$WORK" &
  MODEL=$!
  for _ in 1 2 3 4 5 6 7 8 9 10; do
    [ -f "$WORK/model-port" ] && break
    sleep 1
  done
  [ -f "$WORK/model-port" ] || unsure "the model stand-in does not start"
  MODEL_URL=http://127.0.0.1:$(cat "$WORK/model-port")/v1
}

# How often a canary has reached the model.
calls() { grep -c -x "$1" "$WORK/model-calls"; }
