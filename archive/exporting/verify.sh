#!/bin/sh
# shellcheck disable=SC2015,SC2016  # what stands after || is meant for either failure; $p in quotes is jq's
# verify.sh DIR [TRUST [CHECKPOINT]]: checks an evidence export without the program that made it.
#
# TRUST is the trust file, or its SHA-256 digest, that you were given BY ANOTHER WAY than DIR. Without it everything is
# held against the keys that DIR brings itself, which anybody can make up: the most that is said then is
# "self-consistent only". CHECKPOINT is one that you kept from before: the log must go on from it.
#
# Exit 0 holds, 1 does not hold, 2 cannot be run, 3 self-consistent only.
# Needs sh, coreutils, find, grep, awk, sed, jq, OpenSSL 3. Writes to a temporary folder of its own and nowhere else.
# The formats are in docs/manifest.md of Counterproof.
set -eu
LC_ALL=C PATH=${PATH:-/usr/bin:/bin}
export LC_ALL PATH
unset CDPATH
IFS='
 	'

usage() { printf '%s\n' "usage: sh verify.sh DIR [TRUST-FILE|ITS-SHA256 [CHECKPOINT]]" >&2; exit 2; }
cannot() { printf 'cannot be checked: %s\n' "$*" >&2; exit 2; }
case $# in 1 | 2 | 3) ;; *) usage ;; esac
for tool in jq openssl sha256sum awk sed base64 od find grep sort comm cmp head tail wc date mktemp tr cut; do
  command -v "$tool" >/dev/null || cannot "$tool is not installed"
done
case $(openssl version) in OpenSSL\ [3-9]*) ;; *) cannot "OpenSSL 3 is needed, there is $(openssl version)" ;; esac

absolute() { case $1 in /*) printf '%s' "$1" ;; *) printf '%s/%s' "$PWD" "$1" ;; esac; }
DIR=$(absolute "$1") GIVEN='' DIGEST='' KEPT=''
case ${2-} in
  '') ;;
  *) plain=${2#sha256:}
     if [ ${#plain} -eq 64 ] && ! printf '%s' "$plain" | grep -q '[^0-9a-f]'; then DIGEST=$plain
     else GIVEN=$(absolute "$2"); [ -f "$GIVEN" ] || cannot "there is no trust file $2"; fi ;;
esac
[ -z "${3-}" ] || { KEPT=$(absolute "$3"); [ -f "$KEPT" ] || cannot "there is no checkpoint $3"; }
cd "$DIR" 2>/dev/null || cannot "there is no folder $1 (a zip has to be unpacked first)"

T=$(mktemp -d "${TMPDIR:-/tmp}/verify.XXXXXXXX")
trap 'rm -rf "$T"' EXIT # what the script exits with stays
trap 'exit 2' HUP INT TERM
mkdir "$T/keys" "$T/roots" "$T/people" "$T/revoked" "$T/payload"
for name in bad blamed chain differ disposed ends exports ids listed needed scopes stampable stamped starts told wanted; do
  : >"$T/$name"
done

# Words

say() { printf '%s\n' "$*" | tr -cd '[:print:]\n'; }
ok() { say "OK    $*"; }
note() { say "NOTE  $*"; }
bad() { say "FAIL  $*"; printf '%s\n' "$1" >>"$T/bad"; }
blame() { printf '%s\n' "$1" >>"$T/blamed"; }   # a file that was named for its own fault
faults() { wc -l <"$T/bad"; }
is_hex() { case $1 in *[!0-9a-f]*) return 1 ;; esac; [ ${#1} -eq 64 ]; }
is_number() { case $1 in '' | *[!0-9]* | 0?*) return 1 ;; esac; [ ${#1} -le 15 ]; }
each_failed() { while read -r line; do bad "$1 $line"; done; }

# Bytes

sha() { sha256sum <"$1" | cut -c1-64; }
hash() { openssl dgst -sha256 -binary; }
leaf_hash() { { printf '\000'; cat "$1"; } | hash; }
node_hash() { { printf '\001'; cat "$1" "$2"; } | hash >"$T/node"; mv "$T/node" "$3"; }
hex() { od -An -v -tx1 "$1" | tr -d ' \n'; }
length() { wc -c <"$1" | tr -d ' '; }
# 32 raw bytes of an Ed25519 key -> PEM (RFC 8410: the twelve bytes before them never change)
pem() { { printf '\060\052\060\005\006\003\053\145\160\003\041\000'; cat; } | openssl pkey -pubin -inform DER 2>/dev/null; }
signed_by() { openssl pkeyutl -verify -pubin -inkey "$1" -rawin -in "$2" -sigfile "$3" >/dev/null 2>&1; }

# 13 package: no file but those that a list names, each as it is listed

N='(0|[1-9][0-9]{0,15})' H='[0-9a-f]{64}' A='[a-z0-9][a-z0-9.-]{0,63}'
PAYLOAD="data/(artifacts/$H|custody/(entry-$N\\.(json|tlog-proof)|checkpoint(-$N)?(\\.$A\\.ts[qr])?|consistency-$N\\.txt"
PAYLOAD="$PAYLOAD|scopes\\.json|contents\\.txt|missing\\.json)|trust/(trust\\.json|log\\.pem|log\\.vkey|root-$H\\.pem|tsa-$A\\.pem))"
TAGS='(bagit\.txt|bag-info\.txt|manifest-sha256\.txt|tagmanifest-sha256\.txt|README\.txt|verify\.sh)'

find . ! -type f ! -type d >"$T/odd"
find . -type d | grep -Ev '^\.(/data(/(artifacts|custody|trust))?)?$' >>"$T/odd" || :
if [ -s "$T/odd" ]; then
  each_failed PKG_UNSAFE <"$T/odd"
  say "does not hold"; exit 1
fi
find . -type f | sed 's|^\./||' | sort >"$T/files"
grep -Evx "$PAYLOAD|$TAGS" "$T/files" >"$T/extra" || :
each_failed PKG_EXTRA <"$T/extra"

# The paths of a list, and those of its files that are not as it says, into $T/differ
list() {
  [ -f "$1" ] || { bad "PKG_MEMBER $1 is not here"; return 0; }
  if grep -Evxq "$H  ($PAYLOAD|$TAGS)" "$1" || [ -n "$(cut -c67- "$1" | sort | uniq -d)" ]; then
    bad "PKG_MEMBER $1 is no list of the files of an export"; return 0
  fi
  cut -c67- "$1" >>"$T/$2"
  sha256sum --check --strict --quiet "$1" 2>/dev/null | sed -n 's/: FAILED.*$//p' >>"$T/differ" || :
}
list manifest-sha256.txt listed
list tagmanifest-sha256.txt listed
printf '%s\n' tagmanifest-sha256.txt >>"$T/listed"
sort -u "$T/listed" >"$T/listed.sorted"
if [ -f manifest-sha256.txt ] && [ -f tagmanifest-sha256.txt ]; then
  comm -23 "$T/files" "$T/listed.sorted" | comm -23 - "$T/extra" | each_failed PKG_EXTRA
fi
[ -f data/custody/contents.txt ] && list data/custody/contents.txt told
printf 'BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n' | cmp -s - bagit.txt || bad "PKG_MEMBER bagit.txt"

# 1 trust: whose keys are believed

OWN=data/trust/trust.json TRUST=$OWN
[ -f "$OWN" ] || { [ -n "$GIVEN" ] || { bad "TRUST_DIGEST there is no $OWN"; say "does not hold"; exit 1; }; }
own=$([ ! -f "$OWN" ] || sha "$OWN")
[ -z "$GIVEN" ] || { DIGEST=$(sha "$GIVEN"); TRUST=$GIVEN; }
if [ -n "$DIGEST" ] && [ "$DIGEST" != "$own" ]; then
  bad "TRUST_DIGEST $OWN is not the trust file that you were given ($DIGEST)"; blame "$OWN"
fi
jq -e '.v == 1 and (.log.vkey | type == "string") and .root.threshold >= 1 and (.root.keys | length) >= .root.threshold' \
  "$TRUST" >/dev/null 2>&1 || { bad "TRUST_DIGEST $TRUST is not a trust file"; say "does not hold"; exit 1; }
LOG=$(jq -r .log.name "$TRUST") VKEY=$(jq -r .log.vkey "$TRUST")
THRESHOLD=$(jq -r .root.threshold "$TRUST") PEOPLE=$(jq -r .people.threshold "$TRUST")
printf '%s' "$LOG" | grep -Eqx '[a-z0-9][a-z0-9./-]{0,199}' || cannot "the trust file names no log"
is_number "$THRESHOLD" && is_number "$PEOPLE" || cannot "the trust file has no thresholds"
SLUG=$(printf '%s' "$LOG" | tr / _)
LOG_ID=$(printf '%s' "$VKEY" | cut -d+ -f2)
printf '%s' "$VKEY" | cut -d+ -f3- | base64 -d 2>/dev/null | tail -c 32 | pem >"$T/log.pem" || cannot "the log's key cannot be read"
know() {   # base64 of a key, and a folder that marks it
  printf '%s' "$1" | base64 -d >"$T/raw" 2>/dev/null || return 1
  [ "$(length "$T/raw")" -eq 32 ] || return 1
  id=$(sha "$T/raw")
  [ -f "$T/keys/$id.pem" ] || pem <"$T/raw" >"$T/keys/$id.pem" || return 1
  [ -z "$2" ] || : >"$T/$2/$id"
}
for key in $(jq -r '.root.keys[].public_key' "$TRUST"); do know "$key" roots || cannot "a root key cannot be read"; done

# 2 checkpoint: a C2SP signed note of three lines, by the log's key

checkpoint() {   # file -> $SIZE and the root in $2; or 1 and a fault
  SIZE=''
  awk 'NR <= 3 && length($0) == 0 { exit 1 } NR == 4 && length($0) { exit 1 } NR > 4 && substr($0, 1, 4) != "\342\200\224 " { exit 1 }
       END { if (NR < 5) exit 1 }' "$1" 2>/dev/null || { bad "CP_FORMAT $1"; return 1; }
  head -n 3 "$1" >"$T/body"
  [ "$(sed -n 1p "$1")" = "$LOG" ] || { bad "CP_ORIGIN $1 is not of $LOG"; return 1; }
  SIZE=$(sed -n 2p "$1"); is_number "$SIZE" || { bad "CP_FORMAT $1"; return 1; }
  sed -n 3p "$1" | base64 -d >"$2" 2>/dev/null && [ "$(length "$2")" -eq 32 ] || { bad "CP_FORMAT $1"; return 1; }
  signed=0
  tail -n +5 "$1" | cut -d' ' -f2,3 >"$T/lines"
  while read -r name line; do
    [ "$name" = "$LOG" ] || continue
    printf '%s' "$line" | base64 -d >"$T/signature" 2>/dev/null || { bad "CP_FORMAT $1"; return 1; }
    head -c 4 "$T/signature" >"$T/id"
    [ "$(hex "$T/id")" = "$LOG_ID" ] || continue
    tail -c +5 "$T/signature" >"$T/sig"
    signed_by "$T/log.pem" "$T/body" "$T/sig" || { bad "CP_SIG $1"; return 1; }
    signed=1
  done <"$T/lines"
  [ "$signed" = 1 ] || { bad "CP_KEY $1 is not signed by the log's key"; return 1; }
}

C=data/custody/checkpoint TREE=''
if [ ! -f "$C" ]; then bad "CP_MISSING $C"
elif checkpoint "$C" "$T/root"; then TREE=$SIZE; ok "checkpoint of $TREE entries, signed by $LOG"
else blame "$C"; fi

# The hash lines of a proof, one a file, after its first lines; what follows its empty line must be the checkpoint.
proof_lines() {   # file, how many lines come before
  empty=$(awk 'length($0) == 0 { print NR; exit }' "$1")
  [ -n "$empty" ] && tail -n +$((empty + 1)) "$1" | cmp -s - "$C" || return 1
  sed -n "$(($2 + 1)),$((empty - 1))p" "$1" >"$T/hashes"
  [ "$empty" -gt "$2" ] && ! grep -Evxq '[A-Za-z0-9+/]{43}=' "$T/hashes" && [ "$(wc -l <"$T/hashes")" -le 63 ]
}

# RFC 9162 2.1.4.2: the tree of $1 leaves with the root in $2 is the beginning of the export's
goes_on() {
  proof=data/custody/consistency-$1.txt
  [ -f "$proof" ] || { bad "PROOF_MISSING $proof"; blame "$proof"; return 1; }
  [ "$(head -n 1 "$proof")" = "old $1" ] && proof_lines "$proof" 1 || { bad "PROOF_FORMAT $proof"; blame "$proof"; return 1; }
  consistent "$1" "$2" && return 0
  bad "LOG_INCONSISTENT the log of $TREE entries does not go on from the one of $1"; blame "$proof"
  return 1
}
consistent() {
  if [ "$1" -eq "$TREE" ]; then [ ! -s "$T/hashes" ] && cmp -s "$2" "$T/root"; return; fi
  if [ "$1" -eq 0 ]; then [ ! -s "$T/hashes" ] && printf '' | hash | cmp -s - "$2"; return; fi
  [ "$1" -lt "$TREE" ] || return 1
  fn=$(($1 - 1)) sn=$((TREE - 1)) first=1
  while [ $((fn & 1)) -eq 1 ]; do fn=$((fn >> 1)) sn=$((sn >> 1)); done
  if [ $(($1 & ($1 - 1))) -eq 0 ]; then cp "$2" "$T/fr"; cp "$2" "$T/sr"; first=0; fi
  while read -r line; do
    printf '%s' "$line" | base64 -d >"$T/c" || return 1
    if [ $first = 1 ]; then cp "$T/c" "$T/fr"; cp "$T/c" "$T/sr"; first=0; continue; fi
    [ "$sn" -ne 0 ] || return 1
    if [ $((fn & 1)) -eq 1 ] || [ "$fn" -eq "$sn" ]; then
      node_hash "$T/c" "$T/fr" "$T/fr"; node_hash "$T/c" "$T/sr" "$T/sr"
      while [ $((fn & 1)) -eq 0 ] && [ "$fn" -ne 0 ]; do fn=$((fn >> 1)) sn=$((sn >> 1)); done
    else node_hash "$T/sr" "$T/c" "$T/sr"; fi
    fn=$((fn >> 1)) sn=$((sn >> 1))
  done <"$T/hashes"
  [ $first = 0 ] && [ "$sn" -eq 0 ] && cmp -s "$T/fr" "$2" && cmp -s "$T/sr" "$T/root"
}

[ -z "$TREE" ] || printf '%s %s\n' "$TREE" "$C" >"$T/stampable"
grep -Ex "data/custody/checkpoint-$N" "$T/files" >"$T/earlier" || :
while read -r file; do
  size=${file##*-}
  if [ -z "$TREE" ]; then continue; fi
  checkpoint "$file" "$T/old" || { blame "$file"; continue; }
  [ "$SIZE" = "$size" ] && [ "$SIZE" -le "$TREE" ] || { bad "CP_SIZE $file"; blame "$file"; continue; }
  if goes_on "$size" "$T/old"; then printf '%s %s\n' "$size" "$file" >>"$T/stampable"; fi
done <"$T/earlier"
if [ -n "$KEPT" ] && [ -n "$TREE" ] && checkpoint "$KEPT" "$T/old"; then
  if [ "$SIZE" -gt "$TREE" ]; then bad "KEPT_UNPROVED your checkpoint is of $SIZE entries, the export of $TREE"
  elif [ "$SIZE" -eq "$TREE" ]; then
    if cmp -s "$T/old" "$T/root"; then ok "it is your checkpoint"; else bad "LOG_FORK two trees of $TREE entries"; fi
  elif goes_on "$SIZE" "$T/old"; then ok "the log goes on from your checkpoint of $SIZE entries"; fi
fi

# 9 time: each token judged at its own time, by the roots that the trust file has for its authority

stamp() {   # size, checkpoint file, token file, authority
  query=${3%.tsr}.tsq
  jq -j --arg id "$4" '.authorities[] | select(.id == $id) | .roots_pem' "$TRUST" >"$T/tsa.pem"
  if [ ! -s "$T/tsa.pem" ]; then note "$4: no roots in the trust file, so its token proves nothing"; return 0; fi
  openssl ts -reply -in "$3" -text >"$T/text" 2>/dev/null || return 1
  when=$(sed -n 's/^Time stamp: //p' "$T/text")
  seconds=$(date -d "$when" +%s 2>/dev/null) || return 1
  openssl ts -verify -data "$2" -in "$3" -CAfile "$T/tsa.pem" -attime "$seconds" >/dev/null 2>&1 || return 1
  openssl ts -verify -queryfile "$query" -in "$3" -CAfile "$T/tsa.pem" -attime "$seconds" >/dev/null 2>&1 || return 1
  jq -r --arg id "$4" '.authorities[] | select(.id == $id) | .pins[]' "$TRUST" >"$T/pins"
  if [ -s "$T/pins" ]; then
    openssl ts -reply -in "$3" -token_out -out "$T/token" 2>/dev/null || return 1
    openssl cms -verify -noverify -inform DER -in "$T/token" -signer "$T/signer" -out /dev/null 2>/dev/null || return 1
    openssl x509 -in "$T/signer" -outform DER 2>/dev/null | sha256sum | cut -c1-64 >"$T/pin"
    grep -qxF -f "$T/pin" "$T/pins" || return 1
  fi
  printf '%s %s\n' "$4" "$1" >>"$T/stamped"
  ok "$4 saw $1 entries at $when"
}
grep -Ex "data/custody/checkpoint(-$N)?\\.$A\\.tsr" "$T/files" >"$T/tokens" || :
while read -r token; do
  base=${token##*/} ; rest=${base#checkpoint}
  of=$(awk -v t="$token" 'index(t, $2 ".") == 1 && length($2) > best { best = length($2); found = $1 " " $2 } END { print found }' "$T/stampable")
  [ -n "$of" ] || { [ -z "$TREE" ] || note "$base: its checkpoint does not hold, so it is not judged"; continue; }
  size=${of%% *} cp=${of#* }
  case $rest in .*) [ "$cp" = "$C" ] || continue ;; esac
  authority=${token#"$cp".}; authority=${authority%.tsr}
  stamp "$size" "$cp" "$token" "$authority" || { bad "TS_SIG the token of $authority over $size entries does not hold"; blame "$token"; blame "${token%.tsr}.tsq"; }
done <"$T/tokens"

# 4 tree, 5 leaves, 6 signatures: each entry

inclusion() {   # index, entry; RFC 9162 2.1.3.2
  proof=data/custody/entry-$1.tlog-proof
  [ -f "$proof" ] || { bad "PROOF_MISSING entry $1"; return 1; }
  [ "$(sed -n 1p "$proof")" = "c2sp.org/tlog-proof@v1" ] && [ "$(sed -n 2p "$proof")" = "index $1" ] && proof_lines "$proof" 2 ||
    { bad "PROOF_FORMAT entry $1"; return 1; }
  [ "$1" -lt "$TREE" ] || { bad "PROOF_ROOT entry $1 is not in a tree of $TREE"; return 1; }
  cp "$T/leaf" "$T/h"; fn=$1 sn=$((TREE - 1)) good=1
  while read -r line; do
    printf '%s' "$line" | base64 -d >"$T/s" || good=0
    [ "$sn" -ne 0 ] || good=0
    if [ $((fn & 1)) -eq 1 ] || [ "$fn" -eq "$sn" ]; then
      node_hash "$T/s" "$T/h" "$T/h"
      while [ $((fn & 1)) -eq 0 ] && [ "$fn" -ne 0 ]; do fn=$((fn >> 1)) sn=$((sn >> 1)); done
    else node_hash "$T/h" "$T/s" "$T/h"; fi
    fn=$((fn >> 1)) sn=$((sn >> 1))
  done <"$T/hashes"
  [ "$sn" -eq 0 ] && [ $good = 1 ] && cmp -s "$T/h" "$T/root" || { bad "PROOF_ROOT entry $1 does not lead to the signed root"; return 1; }
}

signatures() {   # index, entry: DSSE; -> $roots, $people
  known=0 roots=0 people=0
  { printf 'DSSEv1 28 application/vnd.in-toto+json %d ' "$(length "$P")"; cat "$P"; } >"$T/pae"
  jq -r '.event.signatures[] | "\(.keyid) \(.sig)"' "$2" | sort -u >"$T/sigs"
  while read -r keyid line; do
    is_hex "$keyid" && [ -f "$T/keys/$keyid.pem" ] || continue
    printf '%s' "$line" | base64 -d >"$T/sig" 2>/dev/null && signed_by "$T/keys/$keyid.pem" "$T/pae" "$T/sig" ||
      { bad "EVENT_SIG entry $1 is not what key $keyid signed"; return 1; }
    known=$((known + 1))
    if [ -f "$T/revoked/$keyid" ]; then bad "EVENT_KEY_REVOKED entry $1 is signed by key $keyid, revoked before it"; return 1; fi
    if [ -f "$T/roots/$keyid" ]; then roots=$((roots + 1)) people=$((people + 1))
    elif [ -f "$T/people/$keyid" ]; then people=$((people + 1)); fi
  done <"$T/sigs"
  [ "$known" -gt 0 ] || { bad "EVENT_KEY_UNKNOWN entry $1 is signed by no key that was introduced before it"; return 1; }
}

authority_of() {   # index: enough of those signed whose word the type asks for
  needed=0 got=0
  case $type in
    log.opened/v1 | key.introduced/v1 | key.revoked/v1 | trust.changed/v1) needed=$THRESHOLD got=$roots ;;
    evidence.released/v1 | evidence.disposed/v1) needed=$PEOPLE got=$people ;;
    evidence.held/v1 | record.corrected/v1) needed=1 got=$people ;;
  esac
  [ "$got" -ge "$needed" ] || { bad "AUTHORITY_MISSING entry $1, $type, needs $needed signatures and has $got"; return 1; }
}

learn() {   # index
  case $type in
    key.introduced/v1)
      role=$(jq -r .predicate.body.role "$P") key=$(jq -r .predicate.body.public_key "$P") mark=''
      case $role in person) mark=people ;; worker | log) ;; *) return 0 ;; esac
      says=$(jq -r .predicate.body.keyid "$P")
      is_hex "$says" && [ "$(printf '%s' "$key" | base64 -d 2>/dev/null | sha256sum | cut -c1-64)" = "$says" ] ||
        { bad "ENTRY_SCHEMA entry $1: it is not the id of the key beside it"; return 0; }
      [ -f "$T/keys/$says.pem" ] || know "$key" "$mark" || bad "ENTRY_SCHEMA entry $1: the key cannot be read" ;;
    key.revoked/v1)
      says=$(jq -r .predicate.body.keyid "$P"); if is_hex "$says"; then : >"$T/revoked/$says"; fi ;;
    log.opened/v1)
      [ "$(jq -r '.predicate.body | "\(.log) \(.vkey)"' "$P")" = "$LOG $VKEY" ] || bad "TRUST_LOG entry $1 opens the log with another key" ;;
  esac
}

SHAPE='(.v == 1) and (.chains | length == 1) and (.event.payloadType == "application/vnd.in-toto+json") and
  (.event.signatures | length >= 1 and length <= 8)'
LINE='[.index, .log, .chains[0].scope, .chains[0].seq, (.chains[0].prev // "-")] | map(tostring) | join(" ")'
FACTS='.predicate as $p | .subject[0] as $s |
  [(.predicateType | ltrimstr("https://counterproof.example/custody/")), $p.event_id, $p.chain, ($p.run // "-"), $s.name,
   $s.digest.sha256, $s.annotations.bytes, ($p.body.capture // "-"), ($p.body.item // "-"), ($p.refs[0].payload_sha256 // "-")] |
  map(tostring) | join(" ")'

entry() {   # index
  file=data/custody/entry-$1.json P=$T/payload/$1
  leaf_hash "$file" >"$T/leaf"
  proved=1
  if [ -n "$TREE" ]; then inclusion "$1" "$file" || proved=0; fi
  jq -e "$SHAPE" "$file" >/dev/null 2>&1 && jq -r "$LINE" "$file" >"$T/line" 2>/dev/null && [ "$(wc -l <"$T/line")" -eq 1 ] ||
    { bad "ENTRY_PARSE entry $1"; return 1; }
  read -r index log scope seq prev <"$T/line"
  [ "$index" = "$1" ] || { bad "ENTRY_INDEX entry $1 says it is $index"; return 1; }
  [ "$log" = "$LOG" ] || { bad "ENTRY_LOG entry $1 is of another log"; return 1; }
  is_number "$seq" || { bad "ENTRY_SCHEMA entry $1"; return 1; }
  case $prev in -) ;; *) is_hex "$prev" || { bad "ENTRY_SCHEMA entry $1"; return 1; } ;; esac
  if [ "$proved" = 1 ]; then h=$(hex "$T/leaf"); else h='?'; fi
  jq -j .event.payload "$file" | base64 -d >"$P" 2>/dev/null || { bad "ENTRY_PARSE entry $1"; return 1; }
  printf '%s %s %s %s %s\n' "$scope" "$seq" "$1" "$prev" "$h" >>"$T/chain"
  signatures "$1" "$file" || return 1
  jq -r "$FACTS" "$P" >"$T/line" 2>/dev/null && [ "$(wc -l <"$T/line")" -eq 1 ] || { bad "ENTRY_PARSE entry $1"; return 1; }
  read -r type id chain run name digest bytes capture item ref <"$T/line"
  is_hex "$digest" && is_number "$bytes" || { bad "ENTRY_SCHEMA entry $1"; return 1; }
  authority_of "$1" || return 1
  [ "$chain" = "$scope" ] || { bad "CHAIN_SCOPE entry $1 stands in $scope, and was signed for $chain"; return 1; }
  case $scope in log:*) [ "$scope" = "log:$SLUG" ] || { bad "CHAIN_SCOPE entry $1"; return 1; } ;; esac
  learn "$1"
  printf '%s %s\n' "$id" "$1" >>"$T/ids"
  about=$item; case $chain in item:*) about=${chain#item:} ;; esac
  printf '%s %s %s %s %s\n' "$digest" "$bytes" "$1" "$name" "$about" >>"$T/wanted"
  case $chain in work:*) ;; *) printf '%s\n' "$chain" >>"$T/needed" ;; esac
  case $chain in item:*) [ "$run" = - ] || printf 'run:%s\n' "$run" >>"$T/needed" ;; esac
  case $type in
    item.assigned/v1) printf 'item:%s\n' "$item" >>"$T/needed" ;;
    capture.started/v1) printf '%s %s %s\n' "$(sha "$P")" "$chain" "$capture" >>"$T/starts" ;;
    capture.completed/v1 | capture.failed/v1) printf '%s %s %s %s\n' "$ref" "$chain" "$capture" "$1" >>"$T/ends"; record "$1" ;;
    capture.abandoned/v1) printf '%s %s %s %s\n' "$ref" "$chain" "$capture" "$1" >>"$T/ends" ;;
    evidence.disposed/v1) disposal ;;
    evidence.exported/v1) printf '%s %s\n' "$1" "$digest" >>"$T/exports" ;;
  esac
}

# 11 records: what the event says, and what it names
SAME='.[0].predicate as $p | .[1] | .capture_id == $p.body.capture and ("item:" + .unit) == $p.chain and .run == $p.run and
  .status == $p.body.status and .outcome == $p.body.outcome and .http_status == $p.body.http_status and
  .started_sha256 == $p.refs[0].payload_sha256'
record() {   # index
  blob=data/artifacts/$digest
  [ -f "$blob" ] && [ "$(sha "$blob")" = "$digest" ] || return 0   # 10 names it
  jq -e -s "$SAME" "$P" "$blob" >/dev/null 2>&1 || { bad "RECORD_MISMATCH the record of entry $1 says another thing than its event"; return 0; }
  jq -r '.artifacts[] | "\(.sha256) \(.bytes) artifact"' "$blob" >"$T/kept" 2>/dev/null || { bad "RECORD_FORMAT entry $1"; return 0; }
  while read -r sum size _; do
    is_hex "$sum" && is_number "$size" || { bad "RECORD_FORMAT entry $1"; return 0; }
    printf '%s %s %s artifact %s\n' "$sum" "$size" "$1" "$about" >>"$T/wanted"
  done <"$T/kept"
}
disposal() {
  blob=data/artifacts/$digest
  if [ ! -f "$blob" ]; then printf '%s *\n' "$item" >>"$T/disposed"; return 0; fi
  [ "$(sha "$blob")" = "$digest" ] || return 0
  jq -r --arg item "$item" '.blobs[] | "\($item) \(.sha256)"' "$blob" >>"$T/disposed" 2>/dev/null || :
}

sed -n 's|^data/custody/entry-\([0-9]*\)\.json$|\1|p' "$T/files" | sort -n >"$T/indexes"
before=$(faults)
while read -r i; do
  entry "$i" || { blame "data/custody/entry-$i.json"; }
done <"$T/indexes"
sort "$T/ids" | awk '$1 == last { print "EVENT_DUPLICATE entries", at, "and", $2 } { last = $1; at = $2 }' >"$T/twice"
while read -r line; do bad "$line"; done <"$T/twice"
[ "$(faults)" -ne "$before" ] || ok "$(wc -l <"$T/indexes") entries are signed and in the log"

# 7 chains: whole as far as scopes.json says; 14 export: scopes.json and contents.txt are what the log was told

before=$(faults) S=data/custody/scopes.json
if jq -e '.v == 1' "$S" >/dev/null 2>&1 && jq -r '.chains[] | "\(.scope) \(.through)"' "$S" >"$T/scopes" 2>/dev/null &&
   ! grep -Evxq "[a-z]+:[a-z0-9._-]+ $N" "$T/scopes"; then :; else bad "EXPORT_MISMATCH $S cannot be read"; blame "$S"; : >"$T/scopes"; fi
told=''
while read -r i digest; do
  E=data/artifacts/$digest
  [ -f "$E" ] || continue
  told=$i exported=$digest
  [ "$(sha "$E")" = "$digest" ] || break
  for pair in scopes_sha256:$S contents_sha256:data/custody/contents.txt; do
    path=${pair#*:}
    [ -f "$path" ] || { bad "EXPORT_MISMATCH $path is not here"; continue; }
    [ "$(jq -r ".${pair%%:*}" "$E")" = "$(sha "$path")" ] || { bad "EXPORT_MISMATCH $path is not what entry $i tells of"; blame "$path"; }
  done
  [ "$(jq -r '"\(.entries) \(.blobs) \(.bytes)"' "$E")" = "$(jq -r '.predicate.body | "\(.entries) \(.blobs) \(.bytes)"' "$T/payload/$i")" ] ||
    bad "EXPORT_MISMATCH $E"
  break
done <"$T/exports"
[ -n "$told" ] || [ "$before" -ne 0 ] || bad "EXPORT_MISMATCH $S: no entry tells that this export was made"
lowered=0; ! grep -qx "$S" "$T/blamed" || lowered=1

if [ -s "$T/scopes" ]; then
  sort -u "$T/needed" >"$T/needed.sorted"; cut -d' ' -f1 "$T/scopes" | sort >"$T/have"
  printf 'log:%s\n' "$SLUG" | sort -u - "$T/needed.sorted" | comm -23 - "$T/have" >"$T/lacking"
  [ "$lowered" = 1 ] || while read -r chain; do bad "CHAIN_SHORT $chain is needed and not whole"; done <"$T/lacking"
fi
unread=$(grep -c '^data/custody/entry-' "$T/blamed" || :)
sort -k1,1 -k2,2n "$T/chain" | awk -v scopes="$T/scopes" -v unread="$unread" '
  BEGIN { while ((getline line < scopes) > 0) { split(line, part, " "); through[part[1]] = part[2] + 0; due[part[1]] = 0 } }
  function lack(code, scope, from, until) {
    if (unread >= until - from + 1) { unread -= until - from + 1; return }
    print code, scope, "number", from (until > from ? " to " until : "") }
  !($1 in through) || $2 + 0 > through[$1] { next }
  { seq = $2 + 0
    if (seq < due[$1]) { print "CHAIN_ORDER", $1, "number", seq, "is there twice"; next }
    if (seq > due[$1]) lack("CHAIN_GAP", $1, due[$1], seq - 1)
    else if (seq == 0 ? $4 != "-" : (hash[$1] != "?" && $5 != "?" && $4 != hash[$1])) print "CHAIN_LINK", $1, "number", seq
    if (seq == due[$1] && seq > 0 && $3 + 0 < at[$1]) print "CHAIN_ORDER", $1, "number", seq
    due[$1] = seq + 1; hash[$1] = $5; at[$1] = $3 + 0 }
  END { for (scope in through) if (due[scope] <= through[scope]) lack("CHAIN_SHORT", scope, due[scope], through[scope]) }' >"$T/breaks"
while read -r line; do bad "$line"; done <"$T/breaks"

# 8 states: every end has its start, a start one end
awk 'NR == FNR { start[$1] = $2 " " $3; next }
     start[$1] != $2 " " $3 { print "STATE_ORDER entry", $4, "ends a capture that was never started"; next }
     ended[$1]++ { print "STATE_ORDER entry", $4, "ends a capture a second time" }' "$T/starts" "$T/ends" >"$T/states"
[ -s "$T/breaks" ] || [ "$unread" -gt 0 ] || while read -r line; do bad "$line"; done <"$T/states"
[ "$(faults)" -ne "$before" ] || ok "$(wc -l <"$T/scopes") chains are whole, as entry ${told:-?} told when the export was made"

# 10 blobs: each file is what its name says, and all that is named is here

before=$(faults)
sed -n 's|^data/artifacts/||p' "$T/files" | awk '{ print $1 "  data/artifacts/" $1 }' >"$T/sums"
if [ -s "$T/sums" ]; then
  sha256sum --check --strict --quiet "$T/sums" 2>/dev/null | sed -n 's/: FAILED.*$//p' >"$T/altered" || :
  while read -r path; do bad "BLOB_DIGEST $path is not what its name says"; blame "$path"; done <"$T/altered"
fi
MAY='^(correction|disposal-report|disposal|hold|rejected|release|replica|run-closed|run)\.json$'
jq -r '.blobs[] | select(.reason == "withheld") | "\(.sha256) \(.index) \(.name)"' data/custody/missing.json >"$T/withheld" 2>/dev/null ||
  { bad "EXPORT_MISMATCH data/custody/missing.json cannot be read"; : >"$T/withheld"; }
sort -u "$T/wanted" >"$T/wanted.sorted"
while read -r sum size i name about; do
  path=data/artifacts/$sum
  if [ -f "$path" ]; then
    [ "$(length "$path")" -eq "$size" ] || grep -qxF "$path" "$T/blamed" || { bad "BLOB_SIZE $path"; blame "$path"; }
  elif printf '%s' "$name" | grep -Eq "$MAY" && grep -qxF "$sum $i $name" "$T/withheld"; then note "$name of entry $i was kept back"
  elif grep -qxF -e "$about $sum" -e "$about *" "$T/disposed"; then note "$name of entry $i was disposed of"
  else bad "BLOB_MISSING $name of entry $i, $path"; blame "$path"; fi
done <"$T/wanted.sorted"
[ "$(faults)" -ne "$before" ] || ok "$(wc -l <"$T/sums") files are what the entries and records name"

# What the lists say that no check above has named; entries that a chain lacks have been

before=$(faults)
if [ -s "$T/told" ]; then
  { sort -u "$T/told"; printf '%s\n' data/custody/contents.txt "$C" "data/custody/entry-${told:-x}.json" "data/artifacts/${exported:-x}"; } | sort -u >"$T/may"
  grep '^data/' "$T/files" | comm -23 - "$T/may" |
    grep -Ev "^data/custody/(entry-$N\\.tlog-proof|consistency-$N\\.txt|checkpoint-$N|checkpoint(-$N)?\\.$A\\.ts[qr])\$" >"$T/new" || :
  [ -z "$told" ] || each_failed PKG_EXTRA <"$T/new"
fi
sort -u "$T/differ" | while read -r path; do
  if grep -qxF "$path" "$T/blamed"; then continue; fi
  case $path in data/custody/entry-*)
    number=${path##*/entry-}; number=${number%%.*}
    if grep -qxF "data/custody/entry-$number.json" "$T/blamed"; then continue; fi
    if [ ! -f "data/custody/entry-$number.json" ] && { [ -s "$T/breaks" ] || [ "$lowered" = 1 ]; }; then continue; fi ;;
  esac
  bad "PKG_MEMBER $path is not what the lists say"
done
[ "$(faults)" -ne "$before" ] || ok "$(wc -l <"$T/files") files, no more and no fewer than the lists name"

# The verdict

need=$(jq -r .time.quorum "$TRUST")
is_number "$need" || need=1
sort -u "$T/stamped" | sort -k1,1 -k2,2n | awk '{ top[$1] = $2 } END { for (a in top) print top[a] }' | sort -rn >"$T/reach"
covered=$(sed -n "${need}p" "$T/reach"); covered=${covered:-0}
late=$(awk -v covered="$covered" '$4 + 0 >= covered + 0' "$T/ends" | wc -l)
if [ "$covered" -eq 0 ] || [ "$late" -gt 0 ]; then note "NO TRUSTED TIME for $late of $(wc -l <"$T/ends") captures"; fi
apart=$(find data/artifacts -type f -exec grep -lF '"origin":"not_public"' {} + 2>/dev/null | wc -l)
[ "$apart" -eq 0 ] || note "NOT PUBLIC: $apart records had something of the operator's own between them and the site"
if [ -s "$T/bad" ]; then say "does not hold"; exit 1; fi
if [ -z "$DIGEST" ]; then
  note "no trust file was given; the one in the export has the digest $own"
  say "self-consistent only"; exit 3
fi
say "holds"
