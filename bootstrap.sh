#!/bin/sh
# Sets up all that Counterproof needs on Debian or Ubuntu, from Python >= 3.11 and make. Safe to run again; at once when done.
#
#   ./bootstrap.sh           the system's packages, then .venv and the browser that the program will drive
#   ./bootstrap.sh system    only the system's packages, a browser among them (for a set-up that an ordinary user finishes),
#                            and those that only tests need
#
# What apt installs, it installs only as root or where sudo asks for no password; COUNTERPROOF_APT=no forbids it.
set -eu
cd "$(dirname "$0")"
PATH="$PATH:/usr/sbin:/sbin"

python_packages='python3-venv'
lock=requirements.lock
venv=.venv
state=.state
choice=$state/browser         # one line: the path of the browser that the program drives
stamp=$venv/.ready            # what .venv was made from
download_s=240                # Playwright's own Chromium is 170 MB or so; after that the system's has to do

say() { printf '%s\n' "bootstrap: $*" >&2; }
die() { say "$*"; exit 7; }   # 7: set-up missing (docs/cli.md)
have() { command -v "$1" >/dev/null 2>&1; }

# --- apt, when allowed -------------------------------------------------------------------------------------------------

may_apt() {
  [ "${COUNTERPROOF_APT:-yes}" != no ] && have apt-get || return 1
  [ "$(id -u)" = 0 ] || sudo -n true 2>/dev/null
}
as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi; }
apt_install() {
  if [ -z "${lists_are_new:-}" ]; then
    as_root apt-get update -qq >>"$state/apt.log" 2>&1 || say "apt-get update failed; going on with the lists that are there."
    lists_are_new=yes
  fi
  say "apt installs: $*"
  as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq --no-install-recommends -o DPkg::Lock::Timeout=300 "$@" >>"$state/apt.log" 2>&1 && return
  tail -n 5 "$state/apt.log" >&2
  return 1
}

# --- the system's packages ---------------------------------------------------------------------------------------------

new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }
pick_python() {
  for python in ${PYTHON:-} python3 python3.14 python3.13 python3.12 python3.11 /usr/bin/python3; do
    if have "$python" && new_enough "$python"; then command -v "$python"; return; fi
  done
  return 1
}
can_make_venvs() { "$1" -c 'import ensurepip, venv' 2>/dev/null; }
# A post with boxes in place of its letters is poor evidence.
has_font() { have fc-list && [ -n "$(fc-list "$1" family 2>/dev/null | head -n 1)" ]; }
has_fonts() { has_font :lang=zh-cn && has_font :lang=ja && has_font :lang=ko && has_font :lang=ar && has_font :charset=1f600; }

has_library() { ldconfig -p 2>/dev/null | grep -q "$1"; }

install_system() {
  if ! python=$(pick_python); then
    if may_apt; then apt_install python3 || say "apt could not install python3"; fi
    python=$(pick_python) || die "no Python >= 3.11 here. Install one (Debian 12, Ubuntu 24.04 and later bring it as python3), or name it: PYTHON=/path/to/python3 make setup"
  fi
  wanted=''
  if ! can_make_venvs "$python"; then
    [ "$python" = /usr/bin/python3 ] || python_packages="$(basename "$(readlink -f "$python")")-venv"
    wanted="$wanted $python_packages"
  fi
  have openssl || wanted="$wanted openssl"           # the demo's time-stamp authority; verifying by hand
  # Tests without the outside network; keys hidden from the browser.
  if ! have unshare || ! have setpriv; then wanted="$wanted util-linux"; fi
  have ip || wanted="$wanted iproute2"
  have jq || wanted="$wanted jq"                     # verify.sh
  has_library libatomic.so.1 || wanted="$wanted libatomic1"  # Playwright's driver is linked to it
  has_fonts || wanted="$wanted fontconfig fonts-noto-cjk fonts-noto-core fonts-noto-color-emoji"
  [ -n "$wanted" ] || return 0
  if may_apt; then
    # shellcheck disable=SC2086  # a list of names
    apt_install $wanted || say "apt could not install:$wanted"
  fi
  can_make_venvs "$python" || die "$python cannot make virtual environments. Install it: apt-get install $python_packages"
  for tool in openssl unshare setpriv ip; do
    have "$tool" || say "$tool is missing; the demo and the tests need it: apt-get install openssl util-linux iproute2"
  done
  has_fonts || say "Chinese, Japanese, Korean, Arabic or emoji would show as boxes in screenshots. Install: apt-get install fontconfig fonts-noto-cjk fonts-noto-core fonts-noto-color-emoji"
}

# What only tests need, and whoever runs the program need not download: without it those tests are skipped with a notice.
install_for_tests() {
  wanted=''
  have go || wanted="$wanted golang-go"              # a log checker nobody here wrote (tests/oracles)
  [ -d /usr/share/gocode/src/golang.org/x/mod/sumdb ] || wanted="$wanted golang-golang-x-mod-dev"
  have shellcheck || wanted="$wanted shellcheck"     # verify.sh
  have qpdf || wanted="$wanted qpdf"                 # looks papers over, as a court's own program may
  have softhsm2-util || wanted="$wanted softhsm2"    # a PKCS#11 token in software (tests/archive/signing)
  # pywb, which packages are replayed in, brings parts to be compiled (.ci/oracles).
  ls /usr/include/python3*/Python.h >/dev/null 2>&1 && have gcc || wanted="$wanted gcc libc6-dev python3-dev"
  have Xvfb || wanted="$wanted xvfb"                 # a screen for --browser headed
  if ! have chromium-headless-shell && apt-cache show chromium-headless-shell >/dev/null 2>&1; then
    wanted="$wanted chromium-headless-shell"         # --browser shell; Ubuntu has none
  fi
  [ -n "$wanted" ] || return 0
  if may_apt; then
    # shellcheck disable=SC2086  # a list of names
    apt_install $wanted && return
  fi
  say "some tests are skipped here without:$wanted (apt-get install$wanted)"
}

# --- the browser -------------------------------------------------------------------------------------------------------

# Says its version: so it is there, is no stub that points at a snap, and finds its libraries.
runs() { [ -n "$1" ] && [ -x "$1" ] && timeout 30 "$1" --version >/dev/null 2>&1; }
from_playwright() {
  "$venv/bin/python" -c '
from playwright.sync_api import sync_playwright
with sync_playwright() as playwright:
    print(playwright.chromium.executable_path)' 2>/dev/null
}
from_system() {
  for name in chromium chromium-browser google-chrome-stable google-chrome; do
    path=$(command -v "$name" 2>/dev/null) || continue
    if runs "$path"; then printf '%s\n' "$path"; return; fi
  done
  return 1
}
from_debian() {
  may_apt || return 1
  apt_install chromium chromium-sandbox && from_system
}
no_browser='no browser to drive. Install Chromium (Debian: apt-get install chromium; Ubuntu: .venv/bin/playwright install --with-deps chromium), or name one: COUNTERPROOF_BROWSER=/path/to/chromium'

choose_browser() {
  "$venv/bin/playwright" --version >/dev/null 2>"$state/browser.log" \
    || die "Playwright's driver does not start: $(tail -n 1 "$state/browser.log"). Debian: apt-get install libatomic1"
  if [ -n "${COUNTERPROOF_BROWSER:-}" ]; then
    runs "$COUNTERPROOF_BROWSER" || die "COUNTERPROOF_BROWSER names $COUNTERPROOF_BROWSER, which does not start."
    return                    # the program reads the variable itself: nothing to keep
  fi
  if [ -f "$choice" ] && runs "$(cat "$choice")"; then return; fi
  own=$(from_playwright) || own=''
  if ! runs "$own"; then
    say "downloading Playwright's Chromium (the system's is used if that does not work)"
    if PLAYWRIGHT_DOWNLOAD_CONNECTION_TIMEOUT=10000 timeout "$download_s" \
        "$venv/bin/playwright" install --no-shell chromium >"$state/browser.log" 2>&1; then
      runs "$own" || { may_apt && as_root "$PWD/$venv/bin/playwright" install-deps chromium >>"$state/browser.log" 2>&1; } \
        || say "Playwright's Chromium lacks libraries; see $state/browser.log"
    else
      say "it could not be downloaded; see $state/browser.log"
    fi
  fi
  if runs "$own"; then browser=$own; else browser=$(from_system) || browser=$(from_debian) || die "$no_browser"; fi
  printf '%s\n' "$browser" >"$choice"
  say "browser: $browser ($(timeout 30 "$browser" --version 2>/dev/null))"
}

# --- the virtual environment -------------------------------------------------------------------------------------------

fingerprint() { { cat "$lock" bootstrap.sh pyproject.toml; "$venv/bin/python" -V; } 2>&1 | sha256sum | cut -d' ' -f1; }
is_ready() {
  [ -x "$venv/bin/python" ] && [ "$(cat "$stamp" 2>/dev/null)" = "$(fingerprint)" ] || return 1
  [ -n "${COUNTERPROOF_BROWSER:-}" ] || [ -x "$(cat "$choice" 2>/dev/null)" ]
}

install_venv() {
  if ! { [ -x "$venv/bin/python" ] && new_enough "$venv/bin/python" && "$venv/bin/python" -m pip -V >/dev/null 2>&1; }; then
    say "making $venv with $python"
    "$python" -m venv --clear "$venv"
  fi
  say "installing the locked dependencies (a minute or two)"
  pip() { "$venv/bin/python" -m pip --disable-pip-version-check --no-input -qq install "$@"; }
  # Nothing is left to resolve: the lock names all. A pip before 23.3 looks for `coverage[toml]` past the `coverage` that
  # is locked, finds a newer release and refuses it for want of a hash.
  pip --no-deps --require-hashes --requirement "$lock" || die "the locked dependencies could not be installed; is there a way to a Python package index?"
  "$venv/bin/python" -m pip --disable-pip-version-check check >"$state/pip.log" 2>&1 || die "the lock lacks something: $(tail -n 1 "$state/pip.log")"
  pip --no-deps --no-build-isolation --editable . || die "could not install Counterproof itself into $venv"
}

mkdir -p "$state"
if [ "${1:-}" = system ]; then
  install_system
  install_for_tests
  from_system >/dev/null || from_debian >/dev/null || say "$no_browser"
  exit 0
fi

if have flock; then exec 9>"$state/lock"; flock 9; fi   # two commands at once: the second waits
is_ready && exit 0
install_system
install_venv
choose_browser
fingerprint >"$stamp"
say "ready"
