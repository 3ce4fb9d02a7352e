# Where the gateway comes from: a path, or a release from npm. Sets VERSION and ENTRY.
find_gateway() {
  ENTRY=
  VERSION=${REPRO_VERSION:-}
  if [ -n "${REPRO_GATEWAY:-}" ] && [ ! -e "$REPRO_GATEWAY" ] && is_version "${REPRO_GATEWAY#openclaw@}"; then
    VERSION=${REPRO_GATEWAY#openclaw@}
  elif [ -n "${REPRO_GATEWAY:-}" ]; then
    [ -f "$REPRO_GATEWAY" ] || unsure "REPRO_GATEWAY=$REPRO_GATEWAY is neither a file nor a release"
    ENTRY=$(cd "$(dirname "$REPRO_GATEWAY")" && pwd -P)/$(basename "$REPRO_GATEWAY")
    case $ENTRY in
      *.mjs | *.js | *.cjs) ;;
      *)
        [ -x "$ENTRY" ] || unsure "$ENTRY is not executable"
        [ -n "$VERSION" ] || VERSION=$("$ENTRY" --version 2>/dev/null | tr ' ' '\n' | grep '^20[0-9][0-9]\.' | head -n 1)
        ;;
    esac
    [ -n "$VERSION" ] || VERSION=$(manifest version)
    if ! is_version "$VERSION"; then
      say "$ENTRY does not say which release it is; it is judged as $RELEASE (REPRO_VERSION=... says otherwise)"
      VERSION=$RELEASE
    fi
  fi
  VERSION=${VERSION:-$RELEASE}
  is_version "$VERSION" || unsure "$VERSION is not a release"
}

# A field of the package.json that belongs to the entry point.
manifest() {
  node -e '
    const path = require("path");
    let folder = path.dirname(process.argv[1]);
    for (;;) {
      try {
        const manifest = require(path.join(folder, "package.json"));
        console.log(process.argv[2] === "node" ? (manifest.engines || {}).node || "" : manifest.version || "");
        break;
      } catch (error) {
        if (folder === path.dirname(folder)) break;
        folder = path.dirname(folder);
      }
    }' "$ENTRY" "$1"
}

# Only ever in the background: it becomes npm.
npm_install() {
  cd "$WORK/npm" || exit 1
  exec npm install "$@" --ignore-scripts --no-audit --no-fund --no-progress --loglevel=error >"$WORK/npm.log" 2>&1
}

install() {
  what=$1
  mkdir -p "$WORK/npm"
  [ -f "$WORK/npm/package.json" ] || echo '{"name":"repro","private":true}' >"$WORK/npm/package.json"
  say "installing $* from npm"
  run "installing $what" npm_install "$@" && return 0
  if grep -q -e 'git ls-remote' -e 'git --no-replace-objects' -e 'code 128' "$WORK/npm.log"; then
    say "$what wants a package from a git host that cannot be reached; taking the one from npm"
    echo '{"name":"repro","private":true,"overrides":{"libsignal":"2.0.1"}}' >"$WORK/npm/package.json"
    run "installing $what" npm_install "$@" && return 0
  fi
  tail -n 15 "$WORK/npm.log" >&2
  unsure "npm cannot install $what"
}

# The machine's Node where the release takes it, else one beside it. Sets NODE.
choose_node() {
  NODE=$(command -v node)
  case $ENTRY in
    *.mjs | *.js | *.cjs) ;;
    *) return 0 ;;
  esac
  range=$(manifest node)
  node "$WORK/engines.js" "$range" "$(node --version)" && return 0
  package=$(node -p '"node-" + process.platform + "-" + process.arch')
  wanted=$range
  for version in @nodes@; do
    if node "$WORK/engines.js" "$range" "$version"; then
      wanted=$version
      break
    fi
  done
  say "openclaw@$VERSION wants Node $range; this is $(node --version)"
  install "$package@$wanted"
  NODE=$WORK/npm/node_modules/$package/bin/node
  [ -x "$NODE" ] || unsure "$package@$wanted brings no Node"
}

prepare() {
  for tool in node npm curl mktemp; do
    command -v "$tool" >/dev/null || unsure "$tool is missing"
  done
  WORK=$(mktemp -d "${TMPDIR:-/tmp}/openclaw-repro.XXXXXX") || unsure "no temporary folder can be made"
  WORK=$(cd "$WORK" && pwd -P)
  case $WORK in
    *[\"\\]*) unsure "the path of the temporary folder needs quoting: $WORK" ;;
  esac
  mkdir "$WORK/home" "$WORK/state" "$WORK/tmp" "$WORK/workspace"
  write_helpers
  find_gateway
  applies
  if [ -z "$ENTRY" ]; then
    set -- "openclaw@$VERSION"
    #@ needs
    install "$@"
    ENTRY=$WORK/npm/node_modules/openclaw/openclaw.mjs
    [ -f "$ENTRY" ] || unsure "openclaw@$VERSION has no openclaw.mjs"
  fi
  choose_node
  printf '%-9s %s\n' cell "$CELL" gateway "openclaw@$VERSION, Node $("$NODE" --version), $(uname -srm)"
}
