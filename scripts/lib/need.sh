# What the scripts need of the machine, and how to get it. Sourced, not run.
#
# Says what it does. As root on Debian or Ubuntu it installs what is missing; otherwise it names what is missing and stops.

# The oldest Rust that builds the workspace.
RUST_NEEDED=1.95.0

say() { printf '%s\n' "$*" >&2; }

# have_rust: whether there is a cargo that is new enough.
have_rust() {
  [ -f "${HOME:-/root}/.cargo/env" ] && . "${HOME:-/root}/.cargo/env"
  local have
  have=$(cargo --version 2>/dev/null | awk '{print $2}') || true
  [ -n "$have" ] && [ "$(printf '%s\n%s\n' "$RUST_NEEDED" "$have" | sort -V | head -n 1)" = "$RUST_NEEDED" ]
}

# need_packages COMMAND=PACKAGE ...: every command is there afterwards, or the script has stopped. Where Rust has to be
# fetched too, what fetches it is asked for in the same breath.
need_packages() {
  local pair missing=()
  for pair in "$@"; do
    command -v "${pair%%=*}" >/dev/null 2>&1 || missing+=("${pair#*=}")
  done
  if ! have_rust && ! command -v rustup >/dev/null 2>&1; then
    command -v curl >/dev/null 2>&1 || missing+=(curl)
    [ -e /etc/ssl/certs/ca-certificates.crt ] || missing+=(ca-certificates)
  fi
  [ ${#missing[@]} -eq 0 ] && return 0
  if ! command -v apt-get >/dev/null 2>&1 || [ "$(id -u)" -ne 0 ]; then
    say "Missing: ${missing[*]}. Install them (on Debian or Ubuntu: apt-get install ${missing[*]}) and run this again."
    exit 1
  fi
  say "Installing ${missing[*]} with apt-get ..."
  DEBIAN_FRONTEND=noninteractive apt-get update -qq >&2
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >&2
}

# need_smtp: a Python with aiosmtpd, the mail server of the whole-network tests, is there afterwards, or the script has
# stopped.
need_smtp() {
  local python
  for python in /usr/bin/python3 python3; do
    "$python" -c 'import aiosmtpd.smtp' >/dev/null 2>&1 && return 0
  done
  need_packages aiosmtpd=python3-aiosmtpd
}

# need_rust: a cargo that is new enough is on the PATH afterwards, or the script has stopped. Comes after need_packages.
need_rust() {
  have_rust && return 0
  say "Rust $RUST_NEEDED or newer is needed; getting it with rustup ..."
  if command -v rustup >/dev/null 2>&1; then
    rustup update stable >&2 && rustup default stable >&2
  else
    curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh -s -- -y --profile minimal -c clippy -c rustfmt >&2
  fi
  have_rust || { say "No Rust $RUST_NEEDED came of it; install it from https://rustup.rs and run this again."; exit 1; }
}

# need_postgres: PostgreSQL's programs are there afterwards, or it is said that they are not: what needs them does
# without. No cluster of the system's is made or started; whoever measures starts an own one.
need_postgres() {
  local found=yes program
  for program in initdb pg_ctl pgbench psql; do
    command -v "$program" >/dev/null 2>&1 || compgen -G "/usr/lib/postgresql/*/bin/$program" >/dev/null || found=
  done
  [ -n "$found" ] && return 0
  if ! command -v apt-get >/dev/null 2>&1 || [ "$(id -u)" -ne 0 ]; then
    say "PostgreSQL is missing (on Debian or Ubuntu: apt-get install postgresql); going on without it."
    return 0
  fi
  say "Installing postgresql with apt-get ..."
  local settings=/etc/postgresql-common/createcluster.conf
  if [ ! -e "$settings" ]; then
    mkdir -p "${settings%/*}"
    printf 'create_main_cluster = false\n' >"$settings"
  fi
  { DEBIAN_FRONTEND=noninteractive apt-get update -qq &&
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends postgresql; } >&2 ||
    say "PostgreSQL could not be installed; going on without it."
}
