# The text on stdin, without a line break at its end, becomes the body of the next request.
payload() {
  text=$(cat)
  printf %s "$text" >"$WORK/body"
}

# Sends what is written on stdin in curl's own notation. The headers that curl adds by itself are left out.
send() {
  cat >"$WORK/request"
  run '' curl -q --silent --show-error --globoff --path-as-is --noproxy '*' --http1.1 --max-time 120 \
    --header User-Agent: --header Accept: --header Expect: --header 'Connection: close' \
    --write-out '%{http_code}\n%{content_type}\n' --output "$WORK/$1" --config "$WORK/request" >"$WORK/$1.seen"
  SENT=$?
  # An answer without a body leaves no file; that of HEAD is its headers; a stream is over with its last event.
  [ -f "$WORK/$1" ] || : >"$WORK/$1"
  grep -qx head "$WORK/request" && : >"$WORK/$1"
  [ "$SENT" -eq 0 ] || ! grep -q '^data: \[DONE\]' "$WORK/$1" || SENT=0
}
