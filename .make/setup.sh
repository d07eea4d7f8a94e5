#!/usr/bin/env bash
# Makes the virtual environment, or does nothing when it is up to date.
#   PYTHON=python3 VENV=.venv .make/setup.sh run|dev
# `run` installs PaperDesk and its markets; `dev` adds what tests and lint need.
set -euo pipefail
{ # read as a whole, so that an edit while it runs does no harm
cd "$(dirname "$0")/.."

level=${1:?usage: .make/setup.sh run|dev}
venv=${VENV:-.venv}
case $level in
  run) extras=markets more=() ;;
  dev) extras=markets,nlp,brokers,ccxt,ib,otel,inspect,mcp,quantstats,dev more=(setuptools) ;; # a test builds the wheel
  *) echo "setup: unknown level '$level'; use run or dev." >&2; exit 2 ;;
esac

say() { echo "setup: $*" >&2; }
fail() { say "$*"; exit 1; }

wanted=$(cat pyproject.toml constraints.txt .make/setup.sh .make/llama-lean.cmake | sha256sum | cut -d ' ' -f 1)
done_at() { [ -x "$venv/bin/python" ] && [ "$(cat "$venv/.paperdesk-$1" 2>/dev/null)" = "$wanted" ]; }
if done_at dev || done_at "$level"; then
  exit 0
fi

suits() { "$1" -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; }

if ! [ -x "$venv/bin/python" ]; then
  python=
  for candidate in "${PYTHON:-python3}" python3.12 python3.13 python3.11; do
    if command -v "$candidate" >/dev/null && suits "$candidate"; then
      python=$(command -v "$candidate")
      break
    fi
  done
  [ -n "$python" ] || fail "no Python 3.11, 3.12 or 3.13 with venv was found; install one, or name it: make PYTHON=/path/to/python3.12."
  say "making $venv with $("$python" --version) ($python)"
  "$python" -m venv "$venv"
fi
suits "$venv/bin/python" || fail "$venv is not of Python 3.11, 3.12 or 3.13; delete it and run this again."

pip=("$venv/bin/python" -m pip --disable-pip-version-check)
lock=(-c constraints.txt)
llama=$(grep -i '^llama_cpp_python==' constraints.txt)
built() { "$venv/bin/python" -c 'import sys; from importlib.metadata import version; sys.exit(version("llama_cpp_python") != sys.argv[1])' "${llama#*==}" 2>/dev/null; }
if ! built; then
  command -v "${CXX:-c++}" >/dev/null || command -v g++ >/dev/null || command -v clang++ >/dev/null \
    || fail "llama.cpp is compiled on this machine and no C++ compiler was found; install one (Debian and Ubuntu: apt install build-essential)."
  say "compiling llama.cpp ($llama): about five minutes on two cores, once"
  lean="-DLLAVA_BUILD=OFF -DCMAKE_PROJECT_llama.cpp_INCLUDE=$PWD/.make/llama-lean.cmake"
  if ! CMAKE_ARGS="${CMAKE_ARGS:-} $lean" "${pip[@]}" install --quiet "${lock[@]}" "$llama"; then
    say "the lean build failed; trying the plain one, which takes twice as long"
    "${pip[@]}" install --quiet "${lock[@]}" "$llama" \
      || fail "llama.cpp could not be compiled; the lines above say why."
  fi
fi

say "installing PaperDesk with [$extras] and its pinned dependencies"
"${pip[@]}" install --quiet "${lock[@]}" --editable ".[$extras]" "${more[@]}" \
  || fail "the packages could not be installed; the lines above say why."

echo "$wanted" >"$venv/.paperdesk-$level"
say "ready: $venv/bin/paperdesk --help"
exit 0
}
